"""The real data beside the checkout are recognised without a word from the user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from klientel.ingest.formats import read_sources
from klientel.ingest.mapping import recognise
from klientel.ingest.recognition import Recognition
from klientel.ingest.values import profile

pytestmark = pytest.mark.real


def _recognised(source: Any, scratch: Path) -> list[Recognition]:
    import duckdb

    raws = read_sources(source, scratch, lambda *_: None)
    con = duckdb.connect()
    profiles = {}
    for i, raw in enumerate(raws):
        where = raw.source
        held = con.read_parquet([str(p) for p in where]) if isinstance(where, list) else where
        con.register(f"v{i}", held)
        profiles[i] = profile(con, f"v{i}", raw)
    return recognise(raws, profiles, None, None)


def _headers(recognition: Recognition) -> dict[str, str]:
    return {name: match.header for name, match in recognition.columns.items()}


def _primary(found: list[Recognition]) -> dict[str, str | None]:
    return {Path(r.raw.file).name: r.table for r in found if not r.secondary}


def test_northwind(real: Path, tmp_path: Path) -> None:
    found = _recognised(real / "northwind", tmp_path)
    assert _primary(found) == {
        "categories.csv": "product_group", "customers.csv": "customer", "employee_territories.csv": None,
        "employees.csv": "rep", "order_details.csv": "order_line", "orders.csv": "order_header",
        "products.csv": "product", "region.csv": None, "shippers.csv": None, "suppliers.csv": None,
        "territories.csv": None,
    }  # fmt: skip
    by_file = {Path(r.raw.file).name: r for r in found}
    lines, orders = _headers(by_file["order_details.csv"]), _headers(by_file["orders.csv"])
    assert lines["invoice_price"] == "unit_price"
    assert lines["discount_share"] == "discount"
    assert (lines["order_id"], lines["product_id"], lines["qty"]) == ("order_id", "product_id", "quantity")
    assert orders["customer_id"] == "customer_id"
    assert orders["order_date"] == "order_date"
    assert orders["rep_id"] == "employee_id"
    assert _headers(by_file["products.csv"])["list_price"] == "unit_price"
    assert by_file["suppliers.csv"].why == "suppliers are not customers"
    assert all(r.why for r in found)


def test_northwind_when_the_file_names_say_nothing(real: Path, tmp_path: Path) -> None:
    """Customers and suppliers look alike; orders refer to customers only."""
    folder = tmp_path / "in"
    folder.mkdir()
    for i, name in enumerate(("customers", "suppliers", "orders", "order_details")):
        content = (real / "northwind" / f"{name}.csv").read_text(encoding="utf-8")
        (folder / f"t{i}.csv").write_text(content.replace("supplier_id", "code", 1), encoding="utf-8")
    found = _primary(_recognised(folder, tmp_path))
    assert found == {"t0.csv": "customer", "t1.csv": None, "t2.csv": "order_header", "t3.csv": "order_line"}


def test_cdnow_with_and_without_header(real: Path, tmp_path: Path) -> None:
    master = _recognised(real / "cdnow" / "CDNOW_master.txt", tmp_path)
    assert [r.table for r in master] == ["order_line"]
    assert _headers(master[0]) == {
        "customer_id": "customer_id", "order_date": "date", "qty": "number_of_cds", "net_amount": "dollar_value",
    }  # fmt: skip
    sample = _recognised(real / "cdnow" / "CDNOW_sample.txt", tmp_path)
    assert [r.table for r in sample] == ["order_line"]
    assert [m.column for m in sample[0].columns.values()] == ["c0", "c2", "c3", "c4"]
    assert list(sample[0].columns) == ["customer_id", "order_date", "qty", "net_amount"]
    assert 0.5 <= sample[0].confidence <= 0.6 < master[0].confidence


def test_summaries_are_no_orders(real: Path, tmp_path: Path) -> None:
    for name in ("cdnow_customers_summary.csv", "donations.csv"):
        found = _recognised(real / "cdnow" / name, tmp_path)
        assert found[0].table is None
        assert "already summarised" in found[0].why
        assert "purchase models" in found[0].why


@pytest.mark.parametrize("name", ["online_retail.csv.gz", "online_retail.parquet"])
def test_online_retail(real: Path, tmp_path: Path, name: str) -> None:
    found = _recognised(real / "online_retail" / name, tmp_path)
    assert [(r.table, r.secondary) for r in found] == [("order_line", False), ("customer", True)]
    assert _headers(found[0]) == {
        "order_id": "InvoiceNo", "customer_id": "CustomerID", "order_date": "InvoiceDate", "product_id": "StockCode",
        "product_name": "Description", "qty": "Quantity", "invoice_price": "UnitPrice", "country": "Country",
    }  # fmt: skip
    assert found[0].unmapped == []


def test_maven_crm(real: Path, tmp_path: Path) -> None:
    found = _recognised(real / "maven_crm", tmp_path)
    assert _primary(found) == {
        "accounts.csv": "customer", "data_dictionary.csv": None, "products.csv": "product",
        "sales_pipeline.csv": "opportunity", "sales_teams.csv": "rep",
    }  # fmt: skip
    by_file = {Path(r.raw.file).name: _headers(r) for r in found}
    accounts = by_file["accounts.csv"]
    assert accounts["customer_id"] == accounts["name"] == "account"
    assert accounts["annual_revenue"] == "revenue"
    assert (accounts["industry_code"], accounts["parent_customer_id"]) == ("sector", "subsidiary_of")
    deals = by_file["sales_pipeline.csv"]
    assert deals == {
        "opportunity_id": "opportunity_id", "customer_id": "account", "created_on": "engage_date",
        "close_date": "close_date", "amount": "close_value", "stage": "deal_stage", "product_id": "product",
        "rep_id": "sales_agent",
    }  # fmt: skip
    teams = by_file["sales_teams.csv"]
    assert (teams["rep_id"], teams["reports_to"], teams["team_id"]) == (
        "sales_agent",
        "manager",
        "regional_office",
    )
    assert by_file["products.csv"]["list_price"] == "sales_price"


def test_telco(real: Path, tmp_path: Path) -> None:
    found = _recognised(real / "telco_churn", tmp_path)
    assert [(r.table, r.secondary) for r in found] == [
        ("project_contract", False), ("order_line", True), ("customer", True),
    ]  # fmt: skip
    contract, lines, customers = found
    assert _headers(contract) == {
        "customer_id": "customerID", "type": "Contract", "recurring_amount": "MonthlyCharges",
        "total_amount": "TotalCharges", "tenure_months": "tenure", "ended": "Churn",
    }  # fmt: skip
    assert _headers(lines) == {"customer_id": "customerID", "net_amount": "TotalCharges"}
    assert {"gender", "senior_citizen", "payment_method", "partner"} <= set(customers.attributes)
    assert "phone" not in customers.columns
