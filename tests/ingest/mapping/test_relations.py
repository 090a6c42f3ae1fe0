# ruff: noqa: E501 - headers and expectations of one case belong on one line
"""Files that lie together tell each other apart: keys by values, heads and lines, customers and suppliers."""

from __future__ import annotations

import random

import pytest
from making import FIRMS, Table, make, run, table, taken

from klientel.ingest.mapping.overlap import Contents

IDS = [f"{40100 + 17 * i}" for i in range(15)]


def _customers(file: str = "kunden.csv", ids: list[str] | None = None) -> Table:
    return table(
        [("Kundennr", list(ids or IDS)), ("Firma", list(FIRMS)), ("Ort", ["Ulm", "Kiel", "Graz"] * 5)], file
    )


def _orders(who: str, values: list[str], file: str = "auftraege.csv", **more: list[str]) -> Table:
    rng = random.Random(5)
    n = len(values)
    columns: list[tuple[str, list[str | None]]] = [
        ("Auftragsnr", [f"A{9000 + i}" for i in range(n)]),
        (who, list(values)),
        ("Datum", [f"{1 + i % 28:02d}.03.2024" for i in range(n)]),
        ("Netto", [f"{rng.uniform(10, 900):.2f}" for _ in range(n)]),
    ]
    return table(columns + [(h, list(v)) for h, v in more.items()], file)


def test_orders_that_name_their_customers_by_number() -> None:
    found = run(_customers(), _orders("Kunde", IDS * 3))
    assert [r.table for r in found] == ["customer", "order_line"]
    match = found[1].columns["customer_id"]
    assert match.confidence >= 0.95
    assert "of its values are in kunden.csv" in match.why


def test_numbers_that_a_spreadsheet_made_fractions_are_found() -> None:
    found = run(_customers(), _orders("Kunde", [f"{i}.0" for i in IDS] * 3))
    assert "kunden.csv" in found[1].columns["customer_id"].why


def test_orders_that_name_their_customers_by_name() -> None:
    found = run(_customers(), _orders("Kunde", list(FIRMS) * 3))
    assert found[1].columns["customer_name"].header == "Kunde"
    assert "customer_id" not in found[1].columns
    assert len(found) == 2, "the customers are known already and are not made again from the orders"


def test_a_number_column_that_holds_names_is_a_name() -> None:
    found = run(_customers(), _orders("Kundennr", list(FIRMS) * 3))
    assert found[1].columns["customer_name"].header == "Kundennr"
    assert "names in kunden.csv" in found[1].columns["customer_name"].why


def test_accounts_keyed_by_their_name() -> None:
    accounts = table([("Firma", list(FIRMS)), ("Branche", ["Bau", "Handel", "IT"] * 5)], "firmen.csv")
    found = run(accounts, _orders("Kunde", list(FIRMS) * 3))
    assert found[0].columns["customer_id"].header == found[0].columns["name"].header == "Firma"
    assert found[1].columns["customer_id"].header == "Kunde"


def test_a_reference_under_an_unknown_header_is_found_by_its_values() -> None:
    rng = random.Random(1)
    lines = table(
        [("Zugehörig", [rng.choice(IDS) for _ in range(60)]), ("Datum", [f"{1 + i % 28:02d}.03.2024" for i in range(60)]),
         ("Artikelnr", [f"P{i % 9}" for i in range(60)]), ("Menge", [str(1 + i % 7) for i in range(60)]),
         ("Netto", [f"{i * 3.5 + 1:.2f}" for i in range(60)])],
        "bewegungen.csv",
    )  # fmt: skip
    found = run(_customers(), lines)
    assert found[1].columns["customer_id"].header == "Zugehörig"
    assert "kunden.csv" in found[1].columns["customer_id"].why


def test_heads_and_lines() -> None:
    heads = _orders("Kundennr", IDS * 3)
    numbers = [f"A{9000 + i % 45}" for i in range(120)]
    lines = table(
        [("Auftragsnr", numbers), ("Artikelnr", [f"P{i % 9}" for i in range(120)]), ("Menge", [str(1 + i % 7) for i in range(120)]),
         ("Einzelpreis", [f"{1.5 * (i % 9 + 1):.2f}" for i in range(120)])],
        "positionen.csv",
    )  # fmt: skip
    found = run(heads, lines)
    assert [r.table for r in found if not r.secondary] == ["order_header", "order_line"]
    alone = run(heads)
    assert alone[0].table == "order_line"
    assert "no separate lines" in alone[0].why
    assert alone[0].columns["order_id"].header == "Auftragsnr"


def test_of_two_lists_of_firms_the_one_that_orders_refer_to_is_kept() -> None:
    others = _customers("liste1.csv", [f"L{i}" for i in range(15)])
    ours = _customers("adressliste.csv")
    found = run(others, ours, _orders("Kundennr", IDS * 3))
    assert [r.table for r in found if not r.secondary] == [None, "customer", "order_line"]
    assert "refers to it" in found[0].why


def test_a_customer_file_without_orders_is_kept_if_its_name_says_so() -> None:
    prospects = _customers("kunden_neu.csv", [f"N{i}" for i in range(15)])
    found = run(_customers(), prospects, _orders("Kundennr", IDS * 3))
    assert [r.table for r in found if not r.secondary] == ["customer", "customer", "order_line"]


def test_the_order_of_the_files_does_not_matter() -> None:
    tables = [
        _customers(),
        _orders("Kundennr", IDS * 3),
        make("Artikelnr=unique>-; Bezeichnung=item>-; EK=money>-", "artikel.csv", 15)[0],
    ]
    straight = {r.raw.file: (r.table, sorted(r.columns)) for r in run(*tables) if not r.secondary}
    turned = {r.raw.file: (r.table, sorted(r.columns)) for r in run(*reversed(tables)) if not r.secondary}
    assert straight == turned


def test_revenue_in_a_customer_file_beside_orders_is_the_customers_own() -> None:
    customers = table(
        [
            ("Kundennr", list(IDS)),
            ("Firma", list(FIRMS)),
            ("Umsatz", [f"{i * 1000 + 5}" for i in range(15)]),
            ("Branche", ["Bau", "IT", "Holz"] * 5),
        ],
        "kunden.csv",
    )
    found = run(customers, _orders("Kundennr", IDS * 3))
    assert found[0].table == "customer"
    assert taken([found[0]])["Umsatz"] == "annual_revenue"


@pytest.mark.parametrize("kind", ["arrow", "pandas", "polars", "ibis", "duckdb", "parquet"])
def test_contents_are_read_from_any_source(kind: str, tmp_path: object) -> None:
    import duckdb
    import ibis
    import polars
    import pyarrow.parquet

    raw, _ = table([('Kd "Nr".', ["1", "2", "2", "3.0", None]), ("Ort", ["a", "b", "B ", "c", "d"])], "x.csv")
    arrow = raw.source
    path = f"{tmp_path}/x.parquet"
    pyarrow.parquet.write_table(arrow, path)
    raw.source = {
        "arrow": lambda: arrow, "pandas": arrow.to_pandas, "polars": lambda: polars.from_arrow(arrow),
        "ibis": lambda: ibis.memtable(arrow), "duckdb": lambda: duckdb.from_arrow(arrow), "parquet": lambda: [path],
    }[kind]()  # fmt: skip
    other, _ = table([("id", ["1", "2", "9"])], "y.csv")
    contents = Contents([raw, other])
    assert contents.contained((raw, "c0"), (other, "c0")) == pytest.approx(2 / 3)
    assert contents.constant(raw, "c0", ["c1"]) == (1, {"c1": 1.0})
    assert len(contents.rows(raw, ["c0", "c1"])) == 5
