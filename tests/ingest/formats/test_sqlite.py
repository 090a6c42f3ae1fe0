"""SQLite databases are sources: their tables are joined by keys like the files of a folder."""

from __future__ import annotations

import sqlite3
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from klientel.errors import BadFile
from klientel.ingest.opening import open_book


def by_customer(book) -> dict[str, Decimal]:
    rows = (
        book.tables["lines"].group_by("customer_id").agg(v=lambda t: t.amount.sum()).to_pyarrow().to_pylist()
    )
    return {r["customer_id"]: r["v"].quantize(Decimal("0.01")) for r in rows}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A German ERP: customers, orders with dates as text, lines, a view, an empty and a framework's table."""
    path = tmp_path / "warenwirtschaft.db"
    con = sqlite3.connect(path)
    con.executescript("""
        CREATE TABLE kunden (kundennr INTEGER PRIMARY KEY, firma TEXT, ort TEXT, logo BLOB);
        CREATE TABLE auftraege (auftragsnr INTEGER PRIMARY KEY, kundennr INTEGER REFERENCES kunden, auftragsdatum TEXT);
        CREATE TABLE auftragspositionen (auftragsnr INTEGER, artikelnr TEXT, menge REAL, einzelpreis NUMERIC);
        CREATE TABLE "leere ""Tabelle" (a TEXT);
        CREATE TABLE django_migrations (id INTEGER, app TEXT);
        CREATE VIEW alles AS SELECT * FROM auftraege JOIN auftragspositionen USING (auftragsnr);
        INSERT INTO django_migrations VALUES (1, 'x');
    """)
    con.executemany(
        "INSERT INTO kunden VALUES (?, ?, ?, ?)",
        [
            (1, "Müller GmbH", "Köln", b"\x00\x01"),
            (2, "Weiß AG", "Ulm", None),
            (3, "Ohne Kauf KG", None, None),
        ],
    )
    con.executemany(
        "INSERT INTO auftraege VALUES (?, ?, ?)",
        [(100 + i, 1 + i % 2, f"2024-0{1 + i}-15 10:00:00") for i in range(6)],
    )
    con.executemany(
        "INSERT INTO auftragspositionen VALUES (?, ?, ?, ?)",
        [(100 + i, f"A{k}", k + 0.5, 19.99) for i in range(6) for k in range(2)],
    )
    con.commit()
    con.close()
    return path


WANTED = {"1": Decimal("119.94"), "2": Decimal("119.94")}


def test_tables_are_joined_by_their_keys(shop):
    book = open_book(shop)
    assert by_customer(book) == WANTED
    assert str(book.facts.last_day) == "2024-06-15"
    names = {r["customer_id"]: r["name"] for r in book.known_customers.to_pyarrow().to_pylist()}
    assert names == {"1": "Müller GmbH", "2": "Weiß AG", "3": "Ohne Kauf KG"}
    assert set(book.intake.tables) == {"customer", "order_header", "order_line"}


def test_inside_a_folder_and_an_archive(shop, tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(shop, "export/daten.sqlite")
    assert by_customer(open_book(tmp_path / "z.zip")) == WANTED
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "erp.sqlite3").write_bytes(shop.read_bytes())
    assert by_customer(open_book(tmp_path / "f")) == WANTED


def test_the_file_is_not_written_to(shop):
    before = shop.read_bytes()
    shop.chmod(0o444)
    open_book(shop)
    assert shop.read_bytes() == before
    assert [p.name for p in shop.parent.iterdir()] == [shop.name]


def test_one_flat_table_in_english(tmp_path):
    path = tmp_path / "sales.sqlite"
    con = sqlite3.connect(path)
    con.execute(
        "CREATE TABLE invoices (invoice_no TEXT, customer TEXT, invoice_date INTEGER, net_amount REAL)"
    )
    con.executemany(
        "INSERT INTO invoices VALUES (?, ?, ?, ?)",
        [(f"I{i}", f"Acme {i % 3}", 1704067200 + 86400 * i, 0.1 * i) for i in range(30)],
    )
    con.commit()
    con.close()
    book = open_book(path)
    assert sum(by_customer(book).values()) == Decimal("43.50")
    assert (str(book.facts.first_day), str(book.facts.last_day)) == ("2024-01-01", "2024-01-30")


def test_damaged_and_empty_databases_are_a_sentence(shop, tmp_path):
    data = bytearray(shop.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    (tmp_path / "kaputt.db").write_bytes(data)
    with pytest.raises(BadFile, match=r"kaputt\.db is an SQLite database that cannot be read"):
        open_book(tmp_path / "kaputt.db")
    (tmp_path / "kurz.db").write_bytes(shop.read_bytes()[:100])
    with pytest.raises(BadFile, match=r"kurz\.db is an SQLite database"):
        open_book(tmp_path / "kurz.db")
    con = sqlite3.connect(tmp_path / "leer.db")
    con.execute("CREATE TABLE t (a)")
    con.close()
    with pytest.raises(BadFile, match=r"leer\.db is an SQLite database without any rows"):
        open_book(tmp_path / "leer.db")
