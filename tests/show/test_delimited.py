from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from io import StringIO

import pyarrow as pa
import samples
from hypothesis import given
from hypothesis import strategies as st

from klientel.analysis import Column
from klientel.show.delimited import DANGEROUS, csv_text, harmless, write_csv


def table(**columns):
    declared = tuple(Column(n, n.upper()) for n in columns)
    return samples.result("t", {"t": (declared, pa.table(columns))}).tables["t"]


def test_names_values_and_missing() -> None:
    made = csv_text(
        table(
            customer_id=["007", None],
            value=pa.array([Decimal("1234.5000"), Decimal("-2.0000")], pa.decimal128(18, 4)),
            day=[date(2024, 3, 1), None],
            major=[True, False],
        )
    )
    assert made == "customer_id,value,day,major\r\n007,1234.5,2024-03-01,true\r\n,-2,,false\r\n"


def test_texts_that_look_like_formulas_are_made_text_but_numbers_stay() -> None:
    made = list(
        csv.reader(
            StringIO(
                csv_text(
                    table(x=["=1+1", "+49 30", "-", "@a", "\tx", "\rx", "a=b"], y=[-1, 2, 3, 4, 5, 6, 7])
                )
            )
        )
    )
    assert [r[0] for r in made[1:]] == ["'=1+1", "'+49 30", "'-", "'@a", "'\tx", "'\rx", "a=b"]
    assert made[1][1] == "-1"


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00")), max_size=8))
def test_no_text_cell_ever_begins_dangerously(texts) -> None:
    made = list(
        csv.reader(StringIO(csv_text(table(x=pa.array(texts, pa.string()), n=[1] * len(texts))), newline=""))
    )
    for row, text in zip(made[1:], texts, strict=True):
        assert not row[0].startswith(DANGEROUS)
        assert row[0] == harmless(text)


def test_language_does_not_change_a_file_for_programs() -> None:
    made = table(x=["a"], y=[1.5])
    assert csv_text(made, "de") == csv_text(made, "en")


def test_written_with_the_mark_excel_needs(tmp_path) -> None:
    path = tmp_path / "t.csv"
    write_csv(table(x=["Müller"]), path, delimiter=";")
    assert path.read_bytes() == b"\xef\xbb\xbfx\r\n" + "Müller\r\n".encode()
