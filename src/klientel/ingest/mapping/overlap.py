"""Values compared between and within raw tables on DuckDB: foreign keys, columns constant per customer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.ingest.raw import RawTable
from klientel.ingest.values.shapes import identifier

if TYPE_CHECKING:
    import duckdb

DISTINCT = 5_000
"""So many different values of a referring column are looked up; more would not change the answer."""
ROWS = 500_000
"""Tables with more rows are judged on a part of their customers."""


class Contents:
    """Reads columns of raw tables as text; one DuckDB connection in memory, made when needed."""

    def __init__(self, raws: Sequence[RawTable]) -> None:
        self._raws = list(raws)
        self._shares: dict[tuple[int, str, int, str], float] = {}

    @cached_property
    def _con(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        return duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": "2"})

    def contained(self, child: tuple[RawTable, str], parent: tuple[RawTable, str]) -> float:
        """Fraction (0-1) of the different values of the child column that occur in the parent column.

        Values are compared as trimmed lower-case text, 17850.0 and 00017850 as 17850. 0 if the child has no values.
        """
        key = (id(child[0]), child[1], id(parent[0]), parent[1])
        if key not in self._shares:
            few = self._values(*child).distinct().limit(DISTINCT)
            total = _count(few)
            found = few.set_alias("a").join(
                self._values(*parent).distinct().set_alias("b"), "a.v = b.v", how="semi"
            )
            self._shares[key] = _count(found) / total if total else 0.0
        return self._shares[key]

    def constant(self, raw: RawTable, key: str, columns: Sequence[str]) -> tuple[int, dict[str, float]]:
        """How many customers have several rows, and per column the fraction of them with one value.

        Empty cells do not count. 1.0 for all columns if no customer has two rows.
        """
        if not columns:
            return 0, {}
        keyed = [_text(key).alias("k"), *(_text(c).alias(f"c{i}") for i, c in enumerate(columns))]
        whole = self._relation(raw)
        if raw.rows > ROWS:  # before the texts are made comparable, which takes most of the time
            whole = whole.filter(f"hash({identifier(key)}) % {raw.rows // ROWS + 1} = 0")
        rows = whole.select(*keyed).filter("k IS NOT NULL")
        asked = ", ".join(f"min(c{i}) IS NOT DISTINCT FROM max(c{i}) AS s{i}" for i in range(len(columns)))
        grouped = rows.aggregate(f"k, count(*) AS n, {asked}", "k").filter("n > 1")
        shares = ", ".join(f"avg(s{i}::INTEGER)" for i in range(len(columns)))
        ((several, *found),) = grouped.aggregate(f"count(*), {shares}").fetchall()
        return int(several), {
            c: 1.0 if share is None else float(share) for c, share in zip(columns, found, strict=True)
        }

    def rows(self, raw: RawTable, columns: Sequence[str], limit: int = 500) -> list[tuple[str | None, ...]]:
        """The first rows of some columns as text."""
        selected = [_text(c).alias(f"c{i}") for i, c in enumerate(columns)]
        return self._relation(raw).select(*selected).limit(limit).fetchall()

    def _values(self, raw: RawTable, column: str) -> duckdb.DuckDBPyRelation:
        return self._relation(raw).select(_text(column).alias("v")).filter("v IS NOT NULL AND v <> ''")

    def _relation(self, raw: RawTable) -> duckdb.DuckDBPyRelation:
        source: Any = raw.source
        if isinstance(source, (str, Path)):
            source = [source]
        if isinstance(source, (list, tuple)) and source and isinstance(source[0], (str, Path)):
            return self._con.read_parquet([str(path) for path in source])
        if hasattr(source, "to_pyarrow_batches") and hasattr(source, "limit"):  # an Ibis table
            source = source.to_pyarrow()
        if type(source).__module__.startswith("polars"):
            source = (source.collect() if hasattr(source, "collect") else source).to_arrow()
        if hasattr(source, "to_arrow_table") and not hasattr(source, "column_names"):  # a relation elsewhere
            source = source.to_arrow_table()
        name = f"raw_{id(raw)}"
        self._con.register(name, source)
        return self._con.table(name)


def _text(column: str) -> Any:
    import duckdb

    text = duckdb.FunctionExpression("trim", duckdb.ColumnExpression(column).cast(duckdb.sqltype("VARCHAR")))
    lower = duckdb.FunctionExpression("lower", text)
    return duckdb.FunctionExpression(
        "regexp_replace",
        lower,
        duckdb.ConstantExpression(r"^0*(\d+?)(?:\.0+)?$"),
        duckdb.ConstantExpression(r"\1"),
    )


def _count(relation: duckdb.DuckDBPyRelation) -> int:
    return int(relation.aggregate("count(*)").fetchall()[0][0])
