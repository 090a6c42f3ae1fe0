"""Imports: keys, idempotence, overlapping exports, customers found again, people's edits, rejected rows."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import portfolio as p
import pytest

import klientel
from klientel.errors import BadFile, BadParameter

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)


def models():
    from klientel.web.records import models

    return models


def test_the_same_file_twice_changes_nothing(home, tmp_path):
    file = p.orders(tmp_path / "a.csv", [p.line(1), p.line(1, 2), p.line(2, customer="C2", amount="-5.55")])
    assert p.counts(p.bring(home, file)) == (3, 0, 0)
    before, files = p.content(home), p.facts(home)
    again = p.bring(home, file)
    assert p.counts(again) == (0, 0, 3)
    assert not again.changes
    assert p.facts(home) == files
    assert p.content(home) == before


def test_samples_of_a_dry_run_name_others_by_their_number(home, tmp_path):
    from klientel.web.imports import importing

    folder = tmp_path / "erp"
    folder.mkdir()
    (folder / "groups.csv").write_text("Product group,Name\nG7,Pumps\n")
    (folder / "products.csv").write_text(
        "Product number,Product,Product group,List price\nP1,Pump,G7,10.00\n"
    )
    p.orders(folder / "orders.csv", [p.line(1)])
    said = importing.dry_run(home, [folder], options=importing.Options(today=p.TODAY), progress=p.silent)
    sample = next(s for s in said.counts["product"].samples["create"] if s["number"] == "P1")
    assert sample["product_group_id"] == "G7"


def test_a_dry_run_says_what_would_happen_and_writes_nothing(home, tmp_path):
    from klientel.web.imports import importing
    from klientel.web.imports.models import Import

    p.bring(home, p.orders(tmp_path / "a.csv", [p.line(1), p.line(2)]))
    before = p.content(home)
    file = p.orders(
        tmp_path / "b.csv",
        [p.line(1), p.line(2, amount="7"), p.line(3, customer="C9"), p.line(4, amount="x")],
    )
    said = importing.dry_run(home, [file], options=importing.Options(today=p.TODAY), progress=p.silent)
    assert said.counts["lines"].to_dict() == {
        "create": 1,
        "update": 1,
        "skip": 1,
        "conflict": 0,
        "rejected": 1,
    }
    assert said.counts["lines"].samples["update"][0]["order_id"] == "A0002"
    assert said.counts["customer"].create == 1
    assert p.content(home) == before
    assert Import.objects.count() == 1
    real = p.bring(home, file)
    assert {k: c.to_dict() for k, c in real.counts.items()} == {
        k: c.to_dict() for k, c in said.counts.items()
    }


def test_a_later_export_updates_lines_by_order_and_line(home, tmp_path):
    p.bring(home, p.orders(tmp_path / "a.csv", [p.line(1, amount="100"), p.line(1, 2, amount="50")]))
    report = p.bring(home, p.orders(tmp_path / "b.csv", [p.line(1, 2, amount="49.9999"), p.line(2)]))
    assert p.counts(report) == (1, 1, 0)
    from klientel.web import books

    book = books.open_book(home)
    assert sorted(book.tables["lines"].amount.to_pyarrow().to_pylist()) == [Decimal("49.9999"), 100, 100]


def test_lines_without_numbers_are_known_by_order_and_product(home, tmp_path):
    columns = "order_id,customer_id,order_date,product_id,net_amount"
    first = [
        ("A1", "C1", "2024-01-01", "P1", "10"),
        ("A1", "C1", "2024-01-01", "P1", "10"),
        ("A1", "C1", "2024-01-01", "P2", "5"),
    ]
    p.bring(home, p.orders(tmp_path / "a.csv", first, columns))
    report = p.bring(
        home, p.orders(tmp_path / "b.csv", [*first[:2], ("A1", "C1", "2024-01-01", "P2", "6")], columns)
    )
    assert p.counts(report) == (0, 1, 2)


def test_lines_without_orders_are_known_by_what_they_say(home, tmp_path):
    columns = "customer,date,revenue"
    first = [("Acme", "2024-01-01", "10"), ("Acme", "2024-01-01", "10"), ("Beta", "2024-01-02", "7")]
    p.bring(home, p.orders(tmp_path / "a.csv", first, columns))
    report = p.bring(home, p.orders(tmp_path / "b.csv", [*first, ("Acme", "2024-01-01", "10")], columns))
    assert p.counts(report) == (1, 0, 3)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_overlapping_exports_in_any_order_give_the_same_book(home, tmp_path, order):
    rows = [p.line(i, n, customer=f"C{i % 4}", day=f"2024-{i // 3 + 1:02}-01", amount=f"{i * n}.5")
            for i in range(1, 30) for n in (1, 2)]  # fmt: skip
    files = [
        p.orders(tmp_path / f"{k}.csv", rows[a:b]) for k, (a, b) in enumerate([(0, 30), (20, 45), (10, 58)])
    ]
    for k in order:
        p.bring(home, files[k])
    whole = p.orders(tmp_path / "whole.csv", rows)
    mine = klientel.analyse(klientel.open_book(home.folder), "abc").to_dict()["tables"]
    assert mine == klientel.analyse(klientel.open_book(whole), "abc").to_dict()["tables"]
    assert p.counts(p.bring(home, whole)) == (0, 0, 58)


def test_customers_of_earlier_imports_are_found_by_number_and_name(home, tmp_path):
    p.bring(
        home,
        p.orders(
            tmp_path / "customers.csv", [("00042", "Acme GmbH"), ("00043", "Beta AG")], "customer_id,name"
        ),
    )
    p.bring(home, p.orders(tmp_path / "a.csv", [p.line(1, customer="42"), p.line(2, customer="43")]))
    named = [("Acme GmbH", "2024-05-01", "10"), ("beta ag ", "2024-05-01", "7"), ("Gamma", "2024-05-02", "1")]
    p.bring(home, p.orders(tmp_path / "b.csv", named, "customer,date,revenue"))
    book = klientel.open_book(home.folder)
    rows = book.tables["lines"].to_pyarrow().to_pylist()
    assert sorted(r["customer_id"] for r in rows) == ["00042", "00042", "00043", "00043", "Gamma"]
    assert models().Company.objects.count() == 3


def test_what_people_edited_is_kept_and_told(home, tmp_path):
    from klientel.web.records import changes

    file = p.orders(
        tmp_path / "c.csv", [("1", "Acme", "Berlin"), ("2", "Beta", "Bonn")], "customer_id,name,city"
    )
    p.bring(home, file)
    acme = models().Company.objects.get(number="1")
    changes.update(acme, {"city": "Hamburg"}, at=NOW)
    report = p.bring(
        home,
        p.orders(
            tmp_path / "d.csv", [("1", "Acme 2", "Berlin"), ("2", "Beta", "Köln")], "customer_id,name,city"
        ),
    )
    found = report.counts["customer"]
    assert (found.update, found.conflict, found.skip) == (1, 1, 0)
    acme.refresh_from_db()
    assert (acme.name, acme.city) == ("Acme 2", "Hamburg")
    assert models().Company.objects.get(number="2").city == "Köln"
    p.bring(
        home,
        p.orders(tmp_path / "e.csv", [("1", "Acme 2", "Berlin")], "customer_id,name,city"),
        overwrite=True,
    )
    acme.refresh_from_db()
    assert acme.city == "Berlin"


def test_an_empty_cell_takes_nothing_away(home, tmp_path):
    p.bring(home, p.orders(tmp_path / "c.csv", [("1", "Acme", "Berlin")], "customer_id,name,city"))
    report = p.bring(home, p.orders(tmp_path / "d.csv", [("1", "Acme", "")], "customer_id,name,city"))
    assert p.counts(report, "customer") == (0, 0, 1)
    assert models().Company.objects.get(number="1").city == "Berlin"


def test_rejected_rows_are_corrected_and_imported_again(home, tmp_path):
    columns = "order_id,line_no,customer_id,order_date,product_id,qty,net_amount,remark"
    good = [(*p.line(i, amount=f"{i}.25"), "=cmd|' /C calc'!A0") for i in range(1, 12)]
    bad = [(*p.line(50, day="31/31/2024"), "=1+1"), (*p.line(51, amount="twelve"), "-12,50")]
    report = p.bring(home, p.orders(tmp_path / "a.csv", [*good, *bad], columns))
    assert report.counts["lines"].rejected == 2
    (file,) = report.rejected_files
    rows = list(csv.DictReader(file.open(encoding="utf-8-sig"), delimiter=";"))
    assert [r["klientel_line"] for r in rows] == ["13", "14"]
    assert rows[0]["order_date"] == "31/31/2024"
    assert rows[0]["klientel_reason"]
    assert rows[0]["klientel_hint"]
    assert [r["remark"] for r in rows] == ["'=1+1", "-12,50"]
    corrected = (
        file.read_text(encoding="utf-8-sig").replace("31/31/2024", "2024-03-31").replace("twelve", "12")
    )
    again = tmp_path / "corrected.csv"
    again.write_text(corrected, encoding="utf-8")
    second = p.bring(home, again)
    assert p.counts(second) == (2, 0, 0)
    assert second.rejected_files == []
    assert "klientel" not in str(klientel.open_book(home.folder).tables["lines"].columns)


def test_the_apostrophe_before_a_formula_goes_away_again(home, tmp_path):
    file = tmp_path / "c.csv"
    file.write_text(
        "customer_id;name;klientel_line;klientel_reason;klientel_hint\n1;'=SUM(A1);2;r;h\n2;'Quote';3;r;h\n"
    )
    p.bring(home, file)
    assert sorted(models().Company.objects.values_list("name", flat=True)) == ["'Quote'", "=SUM(A1)"]
    assert set(models().Company.objects.values_list("custom", flat=True).distinct()[0]) == set()


def test_nothing_is_left_of_an_import_that_cannot_be_read(home, tmp_path):
    from klientel.web.imports.models import Import, Snapshot

    with pytest.raises(BadFile):
        p.bring(home, p.orders(tmp_path / "a.csv", [("x", "y")], "foo,bar"))
    assert [r.state for r in Import.objects.all()] == ["failed"]
    assert Snapshot.objects.count() == 0
    with pytest.raises(BadFile):
        klientel.open_book(home.folder)


def test_references_to_what_is_not_there_make_it_known(home, tmp_path):
    deals = p.orders(
        tmp_path / "deals.csv",
        [("O1", "C7", "2024-01-01", "Won", "100", "Anna"), ("O2", "C8", "2024-01-02", "Lost", "50", "Ben")],
        "opportunity_id,customer_id,created_on,stage,amount,rep_id",
    )
    p.bring(home, deals)
    deal = models().Opportunity.objects.get(number="O1")
    assert (deal.company.number, deal.rep.number, deal.amount) == ("C7", "Anna", Decimal(100))
    assert "rep" not in klientel.open_book(home.folder).tables  # known by reference only
    p.bring(
        home, p.orders(tmp_path / "reps.csv", [("Anna", "Anna Weber"), ("Ben", "Ben Kaya")], "rep_id,name")
    )
    assert models().Rep.objects.get(number="Anna").name == "Anna Weber"
    assert klientel.open_book(home.folder).tables["rep"].count().to_pyarrow().as_py() == 2


def test_won_deals_stand_for_sales_until_sales_come(home, tmp_path):
    columns = "opportunity_id,customer_id,created_on,close_date,stage,amount"
    p.bring(
        home,
        p.orders(tmp_path / "deals.csv", [("O1", "C7", "2024-01-01", "2024-02-01", "Won", "100")], columns),
    )
    book = klientel.open_book(home.folder)
    assert (book.facts.source, book.facts.rows) == ("opportunity", 1)
    p.bring(home, p.orders(tmp_path / "a.csv", [p.line(1), p.line(2)]))
    book = klientel.open_book(home.folder)
    assert (book.facts.source, book.facts.rows) == ("order_line", 2)


def test_totals_of_orders_count_until_their_lines_come(home, tmp_path):
    heads = [("A0001", "C1", "2024-03-01", "150"), ("A0007", "C2", "2024-03-02", "70")]
    p.bring(
        home,
        p.orders(tmp_path / "orders.csv", heads, "order_id,customer_id,order_date,net_amount"),
        mapping={},
    )
    p.bring(home, p.orders(tmp_path / "a.csv", [p.line(1, 1, amount="100"), p.line(1, 2, amount="50")]))
    book = klientel.open_book(home.folder)
    total = book.tables["lines"].amount.sum().to_pyarrow().as_py()
    assert total == Decimal(220)


def test_a_workspace_is_asked_alone(home, tmp_path):
    p.bring(home, p.orders(tmp_path / "a.csv", [p.line(1)]))
    with pytest.raises(BadParameter, match="asked alone"):
        klientel.open_book([home.folder, tmp_path / "a.csv"])
    with pytest.raises(BadParameter, match="mapped already"):
        klientel.open_book(home.folder, map={"order_line.net_amount": "x"})


def test_mixed_currencies_are_converted_when_asked(home, tmp_path):
    columns = "order_id,line_no,customer_id,order_date,net_amount,currency"
    rows = [("A1", 1, "C1", "2024-01-01", "10", "EUR"), ("A2", 1, "C1", "2024-01-02", "10", "USD")]
    p.bring(home, p.orders(tmp_path / "a.csv", rows, columns))
    rates = [("2024-01-02", "USD", "EUR", "0.9")]
    p.bring(home, p.orders(tmp_path / "rates.csv", rates, "date,from_currency,to_currency,rate"))
    book = klientel.open_book(home.folder)
    assert (book.currency, book.tables["lines"].amount.sum().to_pyarrow().as_py()) == ("EUR", Decimal(19))


def test_the_path_of_an_import_may_be_a_folder(home, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    p.orders(folder / "a.csv", [p.line(1), p.line(2)])
    report = p.bring(home, Path(folder))
    assert [f["name"] for f in report.run.files] == ["a.csv"]
    assert p.counts(report) == (2, 0, 0)
