"""Customers known by name get their number when a file brings it: one company, one history, undone like the rest."""

from __future__ import annotations

import itertools
from typing import Any

import portfolio as p
import pytest

NAMED = "order_id,line_no,customer_name,order_date,product_id,qty,net_amount"


def named(path, *orders, name="Müller GmbH"):
    rows = [
        (f"A{n:04}", 1, who, "2024-03-01", "P1", 1, f"{n}.00") for n in orders for who in (name, "Adler AG")
    ]
    return p.orders(path, [(f"{o}{w[0]}", *rest) for o, *rest in rows for w in [rest[1]]], NAMED)


def customers(path, rows=(("10023", "Müller GmbH", "Ulm"), ("10024", "Adler AG", "Bonn"))):
    return p.orders(path, rows, "customer_id,name,city")


def revenue(home: Any) -> dict[str, str]:
    from klientel.analyses import find
    from klientel.web import books

    book = books.open_book(home, today=p.TODAY)
    import klientel

    table = (
        klientel.analyse(book, find("abc").name, window="all").tables["customers"].to_pyarrow().to_pylist()
    )
    return {r["customer_id"]: str(r["value"]) for r in table}


def companies() -> list[tuple[str, str, str]]:
    from klientel.web.records.models import Company

    return sorted(Company.present.values_list("number", "name", "city"))


def test_the_number_is_taken_over_and_undone(home, tmp_path):
    from klientel.web.imports import importing

    p.bring(home, named(tmp_path / "a.csv", 1, 2))
    before, value = p.content(home), revenue(home)
    assert set(value) == {"Müller GmbH", "Adler AG"}
    file = customers(tmp_path / "c.csv")
    said = importing.dry_run(home, [file], options=importing.Options(today=p.TODAY), progress=p.silent)
    real = p.bring(home, file)
    assert {k: c.to_dict() for k, c in said.counts.items()} == {
        k: c.to_dict() for k, c in real.counts.items()
    }
    assert (real.counts["customer"].create, real.counts["customer"].update) == (0, 2)
    assert companies() == [("10023", "Müller GmbH", "Ulm"), ("10024", "Adler AG", "Bonn")]
    assert revenue(home) == {"10023": value["Müller GmbH"], "10024": value["Adler AG"]}
    assert not p.bring(home, file).changes
    p.take_back(home, 2)
    assert p.content(home) == before
    assert revenue(home) == value


def test_files_that_name_it_either_way_mean_the_same_company(home, tmp_path):
    first = named(tmp_path / "a.csv", 1)
    p.bring(home, first)
    p.bring(home, customers(tmp_path / "c.csv"))
    assert not p.bring(home, first).changes
    p.bring(home, named(tmp_path / "b.csv", 2))
    p.bring(home, p.orders(tmp_path / "d.csv", [p.line(9, customer="10023", amount="7")]))
    assert len(companies()) == 2
    assert revenue(home)["10023"].startswith("10")
    contacts = p.orders(tmp_path / "e.csv", [("P1", "Müller GmbH", "Eva Lang")], "contact_id,customer,name")
    p.bring(home, contacts)
    from klientel.web.records.models import Contact

    assert Contact.objects.get().company.number == "10023"


@pytest.mark.parametrize(
    "rows",
    [
        [("10023", "Müller GmbH", "Ulm"), ("10025", "Müller GmbH", "Bonn")],  # which of the two?
        [("10023", "Müller AG", "Ulm")],
    ],
)
def test_a_name_of_several_or_another_name_takes_nothing_over(home, tmp_path, rows):
    p.bring(home, named(tmp_path / "a.csv", 1))
    p.bring(home, customers(tmp_path / "c.csv", rows))
    assert "Müller GmbH" in {number for number, *_ in companies()}
    assert len(companies()) == 2 + len(rows)


def test_a_company_with_a_number_of_its_own_stays_what_it_is(home, tmp_path):
    p.bring(home, customers(tmp_path / "a.csv", [("7", "Müller GmbH", "Köln")]))
    p.bring(home, customers(tmp_path / "c.csv", [("10023", "Müller GmbH", "Ulm")]))
    assert companies() == [("10023", "Müller GmbH", "Ulm"), ("7", "Müller GmbH", "Köln")]


ORDERS = [
    pytest.param(order, marks=[pytest.mark.long] if n % 5 else [])
    for n, order in enumerate(itertools.permutations([1, 2, 3, 4]))
]


@pytest.mark.parametrize("order", ORDERS)
def test_undone_in_any_order_nothing_is_left_and_no_line_is_ever_nobodys(home, tmp_path, order):
    from klientel.web import books
    from klientel.web.records.models import Company, Succession

    p.bring(home, named(tmp_path / "a.csv", 1))
    p.bring(home, customers(tmp_path / "c.csv"))
    p.bring(home, named(tmp_path / "b.csv", 2))
    p.bring(home, p.orders(tmp_path / "d.csv", [p.line(9, customer="10023", amount="7")]))
    for number in order:
        p.take_back(home, number)
        book = books.open_book(home, lenient=True, today=p.TODAY)
        if book.tables.get("lines") is not None and book.facts.rows:
            assert set(revenue(home)) <= {number for number, *_ in companies()}, (order, number)
    assert Company.objects.count() == 0, order
    assert Succession.objects.count() == 0, order
