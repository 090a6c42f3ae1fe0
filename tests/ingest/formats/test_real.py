"""The real files are read whole: counts as their READMEs state them."""

from pathlib import Path

import duckdb
import pytest
from reading_tables import headers, read, read_one, staged

pytestmark = pytest.mark.real

COUNTS = {
    "cdnow": {
        "CDNOW_master": 69_659,
        "CDNOW_sample": 6_919,
        "cdnow_customers_summary": 2_357,
        "donations": 22,
    },
    "northwind": {"customers": 91, "orders": 830, "order_details": 2_155, "products": 77},
    "maven_crm": {"accounts": 85, "sales_pipeline": 8_800, "sales_teams": 35, "products": 7},
    "online_retail": {"online_retail": 541_909, "online_retail_2": 541_909},
    "telco_churn": {"Telco-Customer-Churn": 7_043},
}


@pytest.mark.parametrize("folder", COUNTS)
def test_all_rows_are_read(real: Path, tmp_path: Path, folder: str) -> None:
    tables = {t.name: t for t in read(real / folder, tmp_path)}
    assert {name: tables[name].rows for name in COUNTS[folder]} == COUNTS[folder]
    assert all(t.rejected == 0 for t in tables.values())


def test_cdnow_files(real: Path, tmp_path: Path) -> None:
    master = read_one(real / "cdnow" / "CDNOW_master.txt", tmp_path / "m")
    assert headers(master) == ["customer_id", "date", "number_of_cds", "dollar_value"]
    assert staged(master)[0] == ("00001", "19970101", "1", "11.77", 2)
    sample = read_one(real / "cdnow" / "CDNOW_sample.txt", tmp_path / "s")
    assert sample.header_line is None
    assert headers(sample) == [f"Column {k}" for k in range(1, 6)]
    assert staged(sample)[0] == ("00004", "0001", "19970101", "2", "29.33", 1)


def test_both_forms_of_online_retail_agree(real: Path, tmp_path: Path) -> None:
    text, typed = read(real / "online_retail", tmp_path)
    assert (text.has_line, typed.has_line) == (True, False)
    assert headers(text) == headers(typed)
    names = text.headers()
    price, quantity = (next(k for k, h in names.items() if h == x) for x in ("UnitPrice", "Quantity"))
    with duckdb.connect() as con:
        from_text = con.execute(
            f"SELECT sum({price}::DECIMAL(18,4) * {quantity}::INT), min(line), max(line) "
            "FROM read_parquet(?)",
            [str(text.source[0])],
        ).fetchall()
        from_typed = con.execute(
            "SELECT sum(UnitPrice::DECIMAL(18,4) * Quantity::INT) FROM read_parquet(?)",
            [str(typed.source[0])],
        ).fetchall()
    assert from_text[0][0] == from_typed[0][0]
    assert from_text[0][1:] == (2, 541_910)
