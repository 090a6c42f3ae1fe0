"""ABC, RFM and cohorts as somebody who knows Polars well writes them, with the streaming engine."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

YEAR, TWO_YEARS, AS_OF = date(2023, 1, 1), date(2022, 1, 1), date(2024, 1, 1)


def answer(path: Path, way: str) -> dict[str, Any]:
    """The tables abc, rfm and cohorts as Arrow tables.

    way "apart": three queries over the lines, collected together; "days": customer and day first;
    "once": one grouping per customer with the day counts and distinct months inside it.
    """
    import polars as pl

    lines = pl.scan_parquet(path).with_columns(cents=(pl.col("amount") * 100).round().cast(pl.Int64))
    month = (pl.col("date").dt.year().cast(pl.Int32) * 12 + pl.col("date").dt.month()).alias("month")
    if way == "apart":
        values = lines.filter(pl.col("date") >= YEAR).group_by("customer").agg(value=pl.col("cents").sum())
        days = (
            lines.filter(pl.col("date") >= TWO_YEARS).group_by("customer", "date").agg(pl.col("cents").sum())
        )
        people = days.group_by("customer").agg(
            last=pl.col("date").max(), frequency=pl.len(), monetary=pl.col("cents").sum()
        )
        months = lines.select("customer", month).unique()
        values, people, months = pl.collect_all([values, people, months], engine="streaming")
    elif way == "days":
        days = (
            lines.group_by("customer", "date").agg(pl.col("cents").sum()).collect(engine="streaming").lazy()
        )
        values = days.filter(pl.col("date") >= YEAR).group_by("customer").agg(value=pl.col("cents").sum())
        people = (
            days.filter(pl.col("date") >= TWO_YEARS)
            .group_by("customer")
            .agg(last=pl.col("date").max(), frequency=pl.len(), monetary=pl.col("cents").sum())
        )
        months = days.select("customer", month).unique()
        values, people, months = pl.collect_all([values, people, months], engine="streaming")
    else:
        recent = pl.col("date") >= TWO_YEARS
        year = pl.col("date") >= YEAR
        everybody = lines.group_by("customer").agg(
            value=pl.col("cents").filter(year).sum(),
            bought=year.any(),
            last=pl.col("date").max(),
            frequency=pl.col("date").filter(recent).n_unique(),
            monetary=pl.col("cents").filter(recent).sum(),
        )
        months = lines.select("customer", month).unique()
        everybody, months = pl.collect_all([everybody, months], engine="streaming")
        values = everybody.filter("bought").select("customer", "value")
        people = everybody.filter(pl.col("frequency") > 0).drop("value", "bought")
    return {"abc": _abc(values), "rfm": _rfm(people), "cohorts": _cohorts(months)}


def _abc(values: Any) -> Any:
    import polars as pl

    value, total = pl.col("value"), pl.col("value").sum()
    ordered = values.sort("value", "customer", descending=[True, False]).with_columns(down=value.cum_sum())
    before = (pl.col("down") - value).min().over("value")  # of a group of equal customers the first
    return (
        ordered.with_columns(before=before)
        .select(
            "customer",
            "value",
            share=value / total,
            share_after=pl.col("down") / total,
            grade=pl.when(pl.col("before") * 100 < total * 80)
            .then(pl.lit("A"))
            .when(pl.col("before") * 100 < total * 95)
            .then(pl.lit("B"))
            .otherwise(pl.lit("C")),
        )
        .to_arrow()
    )


def _rfm(people: Any) -> Any:
    import polars as pl

    def score(column: str) -> Any:
        # midrank - 1/2 = (rank min + rank max) / 2 - 1/2, doubled to stay in whole numbers
        ranks = pl.col(column).rank("min").cast(pl.Int64) + pl.col(column).rank("max").cast(pl.Int64) - 1
        return (5 * ranks + 2 * pl.len() - 1) // (2 * pl.len())

    return (
        people.with_columns(
            recency=(pl.lit(AS_OF) - pl.col("last")).dt.total_days(),
            r=score("last"),
            f=score("frequency"),
            m=score("monetary"),
        )
        .select("customer", "recency", "frequency", "monetary", "r", "f", "m")
        .sort("r", "f", "m", "monetary", "customer", descending=[True, True, True, True, False])
        .to_arrow()
    )


def _cohorts(months: Any) -> Any:
    import polars as pl

    firsts = months.group_by("customer").agg(cohort=pl.col("month").min())
    cells = (
        months.join(firsts, on="customer")
        .group_by("cohort", age=pl.col("month") - pl.col("cohort"))
        .agg(active=pl.len())
    )
    return cells.sort("cohort", "age").to_arrow()
