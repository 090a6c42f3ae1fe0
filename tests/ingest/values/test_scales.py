"""Values written short: "67.9k", "1,2 Mio.", "3 Tsd. €"; what stands for tons or metres is not believed."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klientel.ingest.values import numbers
from klientel.ingest.values.shapes import Shape


def read(values: list[str]) -> list[Decimal | None]:
    """The values as the format that is decided on all of them reads them."""
    counted = [Shape("".join("9" if c.isdigit() else c for c in v), v[:1] == "0", 1) for v in values]
    fmt = numbers.decide(counted)
    if fmt is None:
        return [None] * len(values)
    con = duckdb.connect()
    con.execute("CREATE TABLE t AS SELECT unnest(?) AS x", [values])
    return [row[0] for row in con.execute(f"SELECT {numbers.number_sql('x', fmt)} FROM t").fetchall()]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["67,9k", "1,2 Mio.", "3 Tsd. €", "950", "2 Mrd."], [67900, 1_200_000, 3000, 950, 2 * 10**9]),
        (["67.9k", "1.5M", "$3k", "2bn", "(1.25M)"], [67900, 1_500_000, 3000, 2 * 10**9, -1_250_000]),
        (["-1,5 Mio. €", "12 T€", "0,5 T€"], [-1_500_000, 12_000, 500]),
        (["1.234,5 Tsd. EUR", "7 Tsd. EUR"], [1_234_500, 7000]),
        (["1,2 Millionen", "3 Tausend"], [1_200_000, 3000]),
        (["1.2345678 M", "1 M"], [Decimal("1234567.8"), 1_000_000]),
        (["5 Mio.-", "5,5 Mio."], [-5_000_000, 5_500_000]),
        (["99999999 Mrd.", "1 Mrd."], [None, 10**9]),  # too large is unreadable, not a crash
    ],
)
def test_short_values_are_multiplied(values, wanted):
    assert read(values) == wanted


@pytest.mark.parametrize("values", [["5 T", "12 T"], ["12M", "24M"], ["3 m", "4 m"], ["7B", "12B"], ["5 kg"]])
def test_tons_metres_and_months_are_no_amounts(values):
    assert read(values) == [None] * len(values)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-9_999, 9_999), st.integers(1, 99), st.sampled_from(["k", " Tsd.", " Mio.", ""])),
        min_size=1, max_size=8,
    )
)  # fmt: skip
def test_what_is_written_short_comes_back(parts):
    values = [f"{whole},{cents:02d}{scale}" for whole, cents, scale in parts] + ["1,5 Mio."]
    factors = {"k": 1000, " Tsd.": 1000, " Mio.": 10**6, "": 1}
    wanted = [Decimal(v.removesuffix(s).replace(",", ".")) * factors[s]
              for v, (_, _, s) in zip(values, parts, strict=False)]  # fmt: skip
    assert read(values)[:-1] == wanted
