"""A Result: tables by name, JSON values, notebook views."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

import cast
import klientel
from klientel.errors import BadParameter
from klientel.result import plain


@pytest.fixture(scope="module")
def result():
    return klientel.abc(cast.book(), a=0.7)


def test_tables_know_their_names_and_suggest_the_right_one(result):
    assert "customers" in result.tables
    assert "custmers" not in result.tables
    assert result.tables.get("nothing") is None
    with pytest.raises(BadParameter, match="did you mean customers"):
        result.tables["custmers"]


def test_a_wrong_chart_is_told_with_the_right_one(result):
    with pytest.raises(BadParameter, match="did you mean pareto"):
        result.chart("paretto")


def test_tables_come_as_pandas_polars_and_arrow(result):
    table = result.tables["customers"]
    assert table.to_pandas().shape[0] == table.to_polars().height == table.to_pyarrow().num_rows == len(table)
    assert table.head(2).num_rows == 2


def test_notebook_views_escape_names(result):
    html = result._repr_html_() + result.tables["customers"]._repr_html_()
    assert "<table" in html
    assert "Back &amp; Co" in html
    assert "<b>GmbH</b>" not in html


def test_values_become_plain_json():
    assert plain(Decimal("1.50")) == 1.5
    assert plain(Decimal("2.00")) == 2
    assert plain(date(2024, 1, 2)) == "2024-01-02"
    assert plain(float("nan")) is None
    assert plain(True) is True
    assert plain(None) is None


def test_the_recipe_gives_the_same_answer_again(result, tmp_path):
    path = tmp_path / "two.csv"
    path.write_text("Kunde;Umsatz\nA;10\nB;5\n", encoding="utf-8")
    made = klientel.abc(klientel.open_book(path), a=0.5)
    scope: dict = {}
    exec(
        "import klientel\n" + made.reproduce["python"].replace("klientel.abc", "again = klientel.abc"), scope
    )
    assert scope["again"].figures == made.figures
    assert made.reproduce["cli"].startswith("klientel analyse abc ")
    assert "--a 0.5" in made.reproduce["cli"]


def test_the_recipe_names_tables_alike_every_time():
    def names() -> list[str]:
        found = klientel.abc(cast.book(), a=0.7).reproduce["sql"]
        return sorted(set(re.findall(r"klientel_\w+", found)))

    assert names() == names() != []
