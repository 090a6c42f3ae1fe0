# ruff: noqa: E501 - headers and expectations of one case belong on one line
"""Short lists, files without headers, wide files, and lists whose revenue may be the customer's own."""

from __future__ import annotations

import random

import pytest
from making import FIRMS, make, run, table, taken

from klientel.ingest.recognition import Recognition

AMOUNTS = [f"{1200 * (i + 1) ** 2 / 7:.2f}".replace(".", ",") for i in range(len(FIRMS))]


def _list(*headers: str, values: list[list[str | None]], file: str = "liste.csv") -> list[Recognition]:
    return run(table(list(zip(headers, values, strict=True)), file))


@pytest.mark.parametrize(
    ("who", "amount"),
    [
        ("Kunde", "Umsatz"), ("Firma", "2024"), ("Customer", "Revenue"), ("Name", "Betrag"), ("Client", "CA"),
        ("cliente", "ventas"), ("Column 1", "Column 2"), ("foo", "bar"), ("Klient", "Obrót"), ("Kunde", "Jahresumsatz 2024"),
        ("Unternehmen", "Summe"), ("Customer name", "Total (EUR)"), ("Company", "Turnover"), ("Kunden", "Wert in EUR"),
    ],
)  # fmt: skip
def test_a_list_of_names_and_amounts_is_sales(who: str, amount: str) -> None:
    found = _list(who, amount, values=[list(FIRMS), AMOUNTS])
    assert [r.table for r in found] == ["order_line"]
    assert taken(found) == {who: "customer_name", amount: "net_amount"}


@pytest.mark.parametrize(
    ("who", "amount"), [("Kundennummer", "Umsatz"), ("Column 1", "Column 2"), ("ID", "Sales")]
)
def test_a_list_of_numbers_and_amounts_is_sales(who: str, amount: str) -> None:
    found = _list(who, amount, values=[[f"{40100 + 17 * i}" for i in range(15)], AMOUNTS])
    assert found[0].table == "order_line"
    assert taken(found) == {who: "customer_id", amount: "net_amount"}


def test_the_amount_may_come_first() -> None:
    found = _list("x", "y", values=[AMOUNTS, list(FIRMS)])
    assert taken(found) == {"x": "net_amount", "y": "customer_name"}


def test_customer_date_amount_without_headers() -> None:
    made, _ = make("Column 1=number>-; Column 2=yyyymmdd>-; Column 3=money>-")
    found = run(made)
    assert taken(found) == {"Column 1": "customer_id", "Column 2": "order_date", "Column 3": "net_amount"}
    assert 0.5 <= found[0].confidence < 0.7
    assert "check" in found[0].why


def test_two_keys_date_quantity_amount_without_headers_as_in_cdnow() -> None:
    rng = random.Random(3)
    who = [rng.randint(1, 60) for _ in range(200)]
    found = _list(
        "Column 1", "Column 2", "Column 3", "Column 4", "Column 5",
        values=[
            [f"{w * 13:05d}" for w in who], [f"{w:04d}" for w in who],
            [f"1997{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}" for _ in who],
            [str(rng.randint(1, 9)) for _ in who], [f"{rng.uniform(5, 80):.2f}" for _ in who],
        ],
    )  # fmt: skip
    assert taken(found) == {
        "Column 1": "customer_id", "Column 3": "order_date", "Column 4": "qty", "Column 5": "net_amount",
    }  # fmt: skip
    assert found[0].unmapped == ["Column 2"]


def test_values_win_over_the_header() -> None:
    dates = [f"2024-0{1 + i % 9}-11" for i in range(15)]
    found = _list("Kunde", "Betrag", "Datum", values=[list(FIRMS), dates, AMOUNTS])
    assert (
        found[0].table is None
        or "net_amount" not in found[0].columns
        or found[0].columns["net_amount"].header != "Betrag"
    )


def test_a_running_number_is_no_amount() -> None:
    found = _list("foo", "bar", values=[list(FIRMS), [str(i + 1) for i in range(15)]])
    assert found[0].table is None


@pytest.mark.parametrize(
    ("headers", "first", "last"),
    [
        (("2022", "2023", "2024"), ("2022-01-01", "2023-01-01"), ("2024-01-01", "2025-01-01")),
        (("Umsatz 2022", "Umsatz 2023"), ("2022-01-01", "2023-01-01"), ("2023-01-01", "2024-01-01")),
        (("Q1/2024", "Q2/2024", "Q3/2024"), ("2024-01-01", "2024-04-01"), ("2024-07-01", "2024-10-01")),
        (("Jan 24", "Feb 24", "Mrz 24"), ("2024-01-01", "2024-02-01"), ("2024-03-01", "2024-04-01")),
        (("01.2024", "02.2024"), ("2024-01-01", "2024-02-01"), ("2024-02-01", "2024-03-01")),
        (("2024-11", "2024-12"), ("2024-11-01", "2024-12-01"), ("2024-12-01", "2025-01-01")),
        (("Revenue FY23", "Revenue FY24"), ("2023-01-01", "2024-01-01"), ("2024-01-01", "2025-01-01")),
        (("Dezember 2023", "Januar 2024"), ("2023-12-01", "2024-01-01"), ("2024-01-01", "2024-02-01")),
        (("Net sales 2023 (EUR)", "Net sales 2024 (EUR)"), ("2023-01-01", "2024-01-01"), ("2024-01-01", "2025-01-01")),
        (("1. Halbjahr 2024", "2. Halbjahr 2024"), ("2024-01-01", "2024-07-01"), ("2024-07-01", "2025-01-01")),
    ],
)  # fmt: skip
def test_one_column_per_period(
    headers: tuple[str, ...], first: tuple[str, str], last: tuple[str, str]
) -> None:
    notation = "Kunde=firm>customer_name; Branche=industry>-; " + "; ".join(
        f"{h}=money>period" for h in headers
    )
    made, _ = make(notation, rows=15)
    found = run(made)
    assert found[0].table == "order_line"
    assert "net_amount" not in found[0].columns
    periods = list(found[0].periods.values())
    assert (len(periods), periods[0], periods[-1]) == (len(headers), first, last)
    assert taken(found)["Branche"] == "@customer.industry_code"


def test_the_total_of_the_periods_is_left_out_and_said() -> None:
    years = [[f"{100 * (i + k)},50" for i in range(15)] for k in (1, 2)]
    total = [f"{100 * (2 * i + 3) + 1},00" for i in range(15)]
    found = _list("Kunde", "2023", "2024", "Gesamt", values=[list(FIRMS), *years, total])
    assert len(found[0].periods) == 2
    assert any("Gesamt is the sum of the periods" in text for text in found[0].unmapped)


def test_quarters_are_taken_rather_than_their_year() -> None:
    made, _ = make(
        "Kunde=firm>-; Q1 2024=money>-; Q2 2024=money>-; Q3 2024=money>-; Q4 2024=money>-; 2024=money>-",
        rows=15,
    )
    assert [p[0] for p in run(made)[0].periods.values()] == [
        "2024-01-01",
        "2024-04-01",
        "2024-07-01",
        "2024-10-01",
    ]


def test_revenue_is_taken_rather_than_margin_or_plan_of_the_same_years() -> None:
    made, _ = make(
        "Kunde=firm>-; DB 2023=money>-; DB 2024=money>-; Umsatz 2023=money>-; Umsatz 2024=money>-; Plan 2024=money>-; Plan 2025=money>-",
        rows=15,
    )
    found = run(made)
    headers = found[0].raw.headers()
    assert sorted(headers[c] for c in found[0].periods) == ["Umsatz 2023", "Umsatz 2024"]


def test_months_take_their_year_from_the_name_of_the_file() -> None:
    notation = "Kunde=firm>-; Jan=money>-; Feb=money>-; März=money>-"
    dated = run(make(notation, "umsatz_2023.xlsx", 15)[0])
    assert [p[0] for p in dated[0].periods.values()] == ["2023-01-01", "2023-02-01", "2023-03-01"]
    undated = run(make(notation, "umsatz.xlsx", 15)[0])
    assert undated[0].periods == {}
    assert "year" in undated[0].why


def test_revenue_beside_the_founding_year_is_the_customers_own() -> None:
    made, _ = make(
        "account=firm>-; sector=industry>-; year_established=founded>-; revenue=dot>-; employees=employees>-",
        "accounts.csv",
        15,
    )
    found = run(made)
    assert found[0].table == "customer"
    assert found[0].columns["annual_revenue"].header == "revenue"
    assert found[0].columns["customer_id"].header == "account"


def test_revenue_beside_an_industry_is_ours() -> None:
    made, _ = make("Kunde=firm>-; Branche=industry>-; Betreuer=rep>-; Umsatz=money>-", "kunden.csv", 15)
    found = run(made)
    assert [r.table for r in found] == ["order_line", "customer"]
    assert taken(found)["Branche"] == "@customer.industry_code"
    assert found[0].columns["net_amount"].header == "Umsatz"


def test_a_gross_amount_is_taken_only_with_a_warning() -> None:
    found = run(make("Kundennr=customer>-; Datum=date>-; Brutto=money>-")[0])
    match = found[0].columns["net_amount"]
    assert match.header == "Brutto"
    assert match.confidence < 0.6
    assert "gross" in match.why


def test_a_factor_in_the_header_is_said_and_lowers_the_confidence() -> None:
    plain = run(make("Kunde=firm>-; Umsatz=money>-", rows=15)[0])[0].columns["net_amount"]
    thousands = run(make("Kunde=firm>-; Umsatz in T€=money>-", rows=15)[0])[0].columns["net_amount"]
    assert thousands.confidence < plain.confidence
    assert "1,000" in thousands.why


def test_weak_candidates_are_named_among_the_unmapped() -> None:
    found = run(make("Kundennr=customer>-; Datum=date>-; Netto=money>-; Versandort Lager intern=city>-")[0])
    for text in found[0].unmapped:
        assert text.startswith("Versandort") or "perhaps" in text
