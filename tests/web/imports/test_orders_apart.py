"""Orders and their lines imported apart: in either order, changed, taken back, the Book is that of both together."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import portfolio as p
import pytest

HEAD = "order_id,customer_id,order_date"
TOTAL = f"{HEAD},net_amount"
LINE = "order_id,product_id,qty,invoice_price"


def heads(path, orders, columns=HEAD):
    rows = [
        (f"A{n}", f"C{n % 3}", f"2024-0{n % 9 + 1}-05", f"{100 * n}.00")[: columns.count(",") + 1]
        for n in orders
    ]
    return p.orders(path, rows, columns)


def lines(path, orders):
    return p.orders(path, [(f"A{n}", f"P{k}", k + 1, "2.50") for n in orders for k in range(2)], LINE)


def book(home: Any) -> list[tuple[Any, ...]]:
    from klientel.web import books

    found = books.open_book(home, lenient=True, today=p.TODAY)
    if "lines" not in found.tables:
        return []
    rows = found.tables["lines"].to_pyarrow().to_pylist()
    assert found.facts.rows == len(rows)
    days = [r["day"] for r in rows]
    if days:
        assert (found.facts.first_day, found.facts.last_day) == (min(days), max(days))
    return sorted(
        (r["order_id"], r["customer_id"], str(r["day"]), r.get("product_id") or "", r["amount"]) for r in rows
    )


@pytest.mark.parametrize("columns", [HEAD, TOTAL])
@pytest.mark.parametrize("first", ["orders", "lines"])
def test_orders_and_lines_one_after_the_other(home, tmp_path, first, columns):
    files = [heads(tmp_path / "orders.csv", range(1, 7), columns), lines(tmp_path / "lines.csv", range(1, 7))]
    p.bring(home, *files)
    together, records = book(home), p.content(home)
    assert len(together) == 12
    assert len({c for _, c, *_ in together}) == 3
    p.take_back(home, 1)
    assert book(home) == []
    for file in files if first == "orders" else reversed(files):
        p.bring(home, file)
    assert book(home) == together
    assert p.content(home)["customer"] == records["customer"]
    again = p.bring(home, *files)
    assert not again.changes
    again = p.bring(home, files[1])
    assert not again.changes
    assert not again.notes[1:]  # nothing waits
    assert book(home) == together


def test_lines_that_wait_are_said_and_count_for_nothing(home, tmp_path):
    from klientel.errors import BadFile
    from klientel.web import books
    from klientel.web.imports import importing

    file = lines(tmp_path / "lines.csv", [1, 2])
    said = importing.dry_run(home, [file], options=importing.Options(today=p.TODAY), progress=p.silent)
    real = p.bring(home, file)
    assert "4 lines wait for their order: they count once a file with their orders is imported." in real.notes
    assert real.notes == said.notes
    assert p.counts(real) == (4, 0, 0)
    with pytest.raises(BadFile, match="4 lines wait for their order"):
        books.open_book(home)
    p.bring(home, heads(tmp_path / "orders.csv", [1]))
    found = books.open_book(home, today=p.TODAY)
    assert len(book(home)) == 2
    assert found.facts.value_coverage == pytest.approx(0.5)


def test_an_order_that_changes_takes_its_lines_with_it(home, tmp_path):
    p.bring(home, heads(tmp_path / "a.csv", [1, 2]), lines(tmp_path / "b.csv", [1, 2]))
    before = book(home)
    p.bring(home, p.orders(tmp_path / "c.csv", [("A1", "C9", "2024-12-24")], HEAD))
    assert {(o, c, d) for o, c, d, *_ in book(home)} == {
        ("A1", "C9", "2024-12-24"),
        ("A2", "C2", "2024-03-05"),
    }
    p.take_back(home, 2)
    assert book(home) == before


def test_lines_of_cancelled_orders_are_rejected_and_others_wait(home, tmp_path):
    orders = [("A1", "C1", "2024-01-05", "done"), ("A2", "C1", "2024-01-06", "cancelled")]
    real = p.bring(
        home,
        p.orders(tmp_path / "orders.csv", orders, f"{HEAD},order_status"),
        lines(tmp_path / "lines.csv", [1, 2, 3]),
    )
    assert (real.counts["lines"].create, real.counts["lines"].rejected) == (4, 2)
    assert "2 lines wait for their order: they count once a file with their orders is imported." in real.notes
    assert {o for o, *_ in book(home)} == {"A1"}
    p.bring(home, heads(tmp_path / "more.csv", [3]))
    assert {o for o, *_ in book(home)} == {"A1", "A3"}


def test_credit_notes_take_the_customer_of_their_order_whenever_it_comes(home, tmp_path):
    sold = p.orders(tmp_path / "sold.csv", [p.line(7, customer="C7")])
    credit = p.orders(
        tmp_path / "credit_notes.csv", [("G1", "A1", "2024-05-01", "5.00")],
        "credit_note_no,original_order_no,credit_date,credit_amount",
    )  # fmt: skip
    p.bring(home, sold)
    p.bring(home, heads(tmp_path / "orders.csv", [1]), credit)
    once = book(home)
    assert ("C1", Decimal("-5.0000")) in [(c, a) for _, c, _, _, a in once]
    p.take_back(home, 2)
    p.bring(home, heads(tmp_path / "orders.csv", [1]))
    p.bring(home, credit)
    assert book(home) == once


def test_lines_know_the_day_of_their_order_in_a_timeline(home, tmp_path):
    from klientel.web.records import timeline
    from klientel.web.records.models import Company

    p.bring(home, lines(tmp_path / "lines.csv", [1]))
    p.bring(home, heads(tmp_path / "orders.csv", [1]))
    found = timeline.timeline(Company.objects.get(number="C1"), home=home)
    assert [(str(e.day), e.amount) for e in found.entries] == [("2024-02-05", Decimal("7.5000"))]


def expected(alive: dict[str, dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The Book that pieces make: lines of orders that are there, totals of orders without lines."""
    known, sold, totals = set(), set(), set()
    for orders in alive.values():
        known |= orders.get("heads", set()) | orders.get("totals", set())
        sold |= orders.get("lines", set())
        totals |= orders.get("totals", set())
    seen = sold & known
    rows = [(f"A{n}", f"C{n % 3}", f"2024-0{n % 9 + 1}-05", f"P{k}", Decimal(k + 1) * Decimal("2.5"))
            for n in seen for k in range(2)]  # fmt: skip
    rows += [(f"A{n}", f"C{n % 3}", f"2024-0{n % 9 + 1}-05", "", Decimal(100 * n)) for n in totals - seen]
    return sorted(rows)


def walk(home: Any, folder: Any, seed: int, steps: int) -> None:
    """Import pieces alone and in pairs and take them back, in any order; the Book is that of the pieces there are."""
    from klientel.web.imports.models import Import

    dice = random.Random(seed)
    make = {"heads": heads, "totals": lambda f, o: heads(f, o, TOTAL), "lines": lines}
    pieces = {
        "heads 1-4": ("heads", {1, 2, 3, 4}), "totals 5-8": ("totals", {5, 6, 7, 8}), "heads 9": ("heads", {9}),
        "lines 1-2": ("lines", {1, 2}), "lines 3-6": ("lines", {3, 4, 5, 6}), "lines 8-11": ("lines", {8, 9, 10, 11}),
    }  # fmt: skip
    alive: dict[str, dict[str, Any]] = {}
    numbers: dict[str, int] = {}
    for step in range(steps):
        free = sorted(pieces.keys() - {n for names in alive for n in names.split("+")})
        if free and (not alive or dice.random() < 0.65):
            names = dice.sample(free, min(len(free), dice.choice([1, 1, 2])))
            kinds = {pieces[n][0] for n in names}
            if len(kinds) < len(names) or kinds == {"totals", "lines"}:
                names = names[:1]
            files = [
                make[pieces[n][0]](folder / f"{step}-{i}.csv", sorted(pieces[n][1]))
                for i, n in enumerate(names)
            ]
            p.bring(home, *files)
            key = "+".join(names)
            alive[key] = {pieces[n][0]: pieces[n][1] for n in names}
            numbers[key] = Import.objects.latest("pk").pk
        else:
            gone = dice.choice(sorted(alive))
            p.take_back(home, numbers.pop(gone))
            del alive[gone]
        assert book(home) == expected(alive), (step, sorted(alive))


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_of_imports_and_undos(home, tmp_path, seed):
    walk(home, tmp_path, seed, 9)


@pytest.mark.parametrize(
    "seed", [pytest.param(s, marks=pytest.mark.slow if s == 10 else pytest.mark.long) for s in range(10, 16)]
)
def test_any_order_of_many_imports_and_undos(home, tmp_path, seed):
    walk(home, tmp_path, seed, 30)
