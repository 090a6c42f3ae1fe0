"""Large clean Parquet sources are read where they are; anything doubtful is tested row by row."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import klientel
from klientel.ingest import reading
from klientel.ingest.footer import footers

DAYS = [date(2023, month, 1 + month) for month in range(1, 13)]
CUSTOMERS = [4711, 4712, 4711, 4713, 4712, 4711, 4714, 4713, 4711, 4712, 4711, 4715]
AMOUNTS = [10.25, 20.5, 0.1, 30.0, 0.2, 5.55, 7.0, 8.88, 1.01, 2.02, 3.03, 99.99]


def written(folder: Path, **changed: pa.Array) -> Path:
    columns = {
        "customer": pa.array(CUSTOMERS, pa.int64()),
        "date": pa.array(DAYS, pa.date32()),
        "amount": pa.array(AMOUNTS, pa.float64()),
    } | changed
    path = folder / "lines.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=5)
    return path


def answers(path: Path) -> list[object]:
    book = klientel.open_book(path)
    found: list[object] = [book.facts.rows, book.facts.first_day, book.facts.last_day, book.intake.rejected]
    for name in ("abc", "rfm", "cohorts"):
        result = klientel.analyse(book, name)
        found += [result.figures, {k: t.to_pyarrow().to_pylist() for k, t in result.tables.items()}]
    return found


def leans(path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    seen: list[str] = []
    real = reading.Reader._lean

    def noted(self, *args):
        seen.append(real(self, *args))
        return seen[-1]

    monkeypatch.setattr(reading, "LARGE", 1)
    monkeypatch.setattr(reading.Reader, "_lean", noted)
    klientel.open_book(path, lenient=True)
    monkeypatch.undo()
    return bool(seen and seen[-1])


def test_the_short_way_gives_the_same_answers(tmp_path, monkeypatch):
    path = written(tmp_path)
    whole = answers(path)
    assert leans(path, monkeypatch)
    monkeypatch.setattr(reading, "LARGE", 1)
    assert answers(path) == whole


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("amount", pa.array([*AMOUNTS[:-1], float("nan")])),
        ("amount", pa.array([*AMOUNTS[:-1], None])),
        ("amount", pa.array([*AMOUNTS[:-1], 1e15])),
        ("date", pa.array([*DAYS[:-1], date(2150, 1, 1)])),
        ("date", pa.array([*DAYS[:-1], None], pa.date32())),
        ("customer", pa.array([*CUSTOMERS[:-1], None], pa.int64())),
        ("customer", pa.array([*map(str, CUSTOMERS[:-1]), "  "])),
    ],
)
def test_a_doubtful_row_is_found_and_told(tmp_path, monkeypatch, column, values):
    path = written(tmp_path, **{column: values})
    assert not leans(path, monkeypatch)
    monkeypatch.setattr(reading, "LARGE", 1)
    book = klientel.open_book(path)
    assert book.facts.rows == len(CUSTOMERS) - 1
    assert book.intake.rejected == 1
    assert [r.line for r in book.intake.rejections] == [len(CUSTOMERS)]


def test_credit_notes_are_told_by_the_footer(tmp_path, monkeypatch):
    path = written(tmp_path, amount=pa.array([*AMOUNTS[:-1], -3.0]))
    whole = answers(path)
    assert leans(path, monkeypatch)
    monkeypatch.setattr(reading, "LARGE", 1)
    assert klientel.open_book(path).facts.credits
    assert answers(path) == whole


def test_footers_add_up_row_groups(tmp_path):
    path = written(tmp_path, amount=pa.array([None, *AMOUNTS[1:-1], None]))
    told = footers([path, path])
    assert told["amount"].nulls == 4
    assert (told["amount"].low, told["amount"].high) == (0.1, 30.0)
    assert (told["date"].low, told["date"].high) == (DAYS[0], DAYS[-1])
    assert footers(pa.table({"a": [1]})) == {}
