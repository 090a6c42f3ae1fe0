"""Small Book tables by hand, and totals of the real data computed with DuckDB alone."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from klientel.analysis import Analysis, Context, Estimate, Outcome

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
MONEY = "decimal(38, 4)"
UNDATED = Context(as_of=date(2024, 1, 1), currency="EUR", dated=False)
YEAR = Context(
    as_of=date(2024, 1, 1),
    currency="EUR",
    dated=True,
    first_day=date(2022, 1, 1),
    epoch=date(2022, 1, 1),
    months=24,
    start=date(2023, 1, 1),
    end=date(2024, 1, 1),
)


def memtable(rows: list[dict[str, Any]], schema: dict[str, str]) -> Any:
    import ibis
    import pyarrow as pa

    return ibis.memtable(pa.Table.from_pylist(rows, schema=ibis.schema(schema).to_pyarrow()))


def totals(values: list[Any], ids: list[str] | None = None, **more: list[Any]) -> Any:
    """A `totals` table: K00, K01, ... with these revenues (None: unknown)."""
    names = ids or [f"K{i:02d}" for i in range(len(values))]
    rows = []
    for i, (name, value) in enumerate(zip(names, values, strict=True)):
        row: dict[str, Any] = {"customer_id": name, "revenue": _money(value)}
        row |= {column: _money(found[i]) for column, found in more.items()}
        rows.append(row)
    return memtable(rows, {"customer_id": "string", "revenue": MONEY, **dict.fromkeys(more, MONEY)})


def customers(names: dict[str, str], **attributes: list[Any]) -> Any:
    rows = [
        {"customer_id": k, "name": v, "status": "active", **{a: c[i] for a, c in attributes.items()}}
        for i, (k, v) in enumerate(names.items())
    ]
    schema = dict.fromkeys(["customer_id", "name", "status", *attributes], "string")
    return memtable(rows, schema)


def purchases(rows: list[tuple[str, date, Any]], orders: list[bool] | None = None) -> Any:
    """A `purchases` table from (customer, day, revenue)."""
    made = [
        {
            "customer_id": customer,
            "day": day,
            "revenue": _money(value),
            "matched_revenue": _money(value),
            "invoiced": _money(max(value, 0)),
            "margin": None,
            "margin_base": _money(0),
            "quantity": _money(1),
            "orders": 1,
            "lines": 1,
            "is_order": orders[i] if orders else value > 0,
        }
        for i, (customer, day, value) in enumerate(rows)
    ]
    money = dict.fromkeys(
        ["revenue", "matched_revenue", "invoiced", "margin", "margin_base", "quantity"], MONEY
    )
    schema = {"customer_id": "string", "day": "date", **money, "orders": "int64", "lines": "int64"}
    return memtable(made, {**schema, "is_order": "boolean"})


def run(analysis: Analysis, *tables: Any, context: Context = UNDATED, **params: Any) -> Outcome:
    """Call an analysis as the runner does, and check that it gives what it declares."""
    outcome = analysis.function(*tables, context=context, **params)
    assert isinstance(outcome, Outcome)
    assert set(outcome.tables) == {t.name for t in analysis.tables}
    for table in analysis.tables:
        assert tuple(outcome.tables[table.name].columns) == tuple(c.name for c in table.columns), table.name
    assert set(outcome.figures) == {f.name for f in analysis.figures}
    for chart in analysis.charts:
        columns = {c.name for c in analysis.table(chart.table).columns}
        assert {chart.x, chart.y, chart.color} - {""} <= columns, chart.name
    return outcome


def rows(outcome: Outcome, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = outcome.tables[table].to_pyarrow().to_pylist()
    return found


def column(outcome: Outcome, table: str, name: str) -> list[Any]:
    return [row[name] for row in rows(outcome, table)]


def plain(figure: Any) -> Any:
    return figure.value if isinstance(figure, Estimate) else figure


def flags(outcome: Outcome) -> list[str]:
    return [flag for flag, _ in outcome.reasons]


def texts(outcome: Outcome) -> str:
    return " | ".join(str(reason) for _, reason in outcome.reasons)


def _money(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value)).quantize(Decimal("0.0001"))


# Lines (customer_id, day, amount, order_id) of the real data, read with DuckDB and nothing of ours.
_LINES = {
    "northwind": """
        select o.customer_id, cast(o.order_date as date) as day,
               cast(d.unit_price as double) * d.quantity * (1 - d.discount) as amount
        from read_csv('{data}/northwind/order_details.csv') d
        join read_csv('{data}/northwind/orders.csv') o using (order_id)""",
    "cdnow_full": """
        select cast(cast(f[1] as int) as varchar) as customer_id, strptime(f[2], '%Y%m%d')::date as day,
               cast(f[4] as double) as amount
        from (select string_split_regex(trim(line), '\\s+') as f
              from read_csv('{data}/cdnow/CDNOW_master.txt', columns={{'line': 'varchar'}}, delim='|',
                            header=true))""",
    "cdnow_sample": """
        select cast(cast(f[2] as int) as varchar) as customer_id, strptime(f[3], '%Y%m%d')::date as day,
               cast(f[5] as double) as amount
        from (select string_split_regex(trim(line), '\\s+') as f
              from read_csv('{data}/cdnow/CDNOW_sample.txt', columns={{'line': 'varchar'}}, delim='|',
                            header=false))""",
    "online_retail": """
        select cast(cast("CustomerID" as bigint) as varchar) as customer_id,
               cast("InvoiceDate" as date) as day, "Quantity" * "UnitPrice" as amount
        from '{data}/online_retail/online_retail.parquet' where "CustomerID" is not null""",
    "telco_mrr": """
        select "customerID" as customer_id, null::date as day, cast("MonthlyCharges" as double) as amount
        from read_csv('{data}/telco_churn/Telco-Customer-Churn.csv') where "Churn" = 'No'""",
}


def real_totals(name: str, months: int | None = None) -> tuple[Any, Context]:
    """`totals` of the real data in the last `months` months (None: all), on a DuckDB connection."""
    import ibis

    folder = DATA / ("cdnow" if name.startswith("cdnow") else "telco_churn" if "telco" in name else name)
    if not folder.exists():
        pytest.skip(f"REAL DATA ABSENT: {folder.name} is not in ../shared/data")
    connection = ibis.duckdb.connect()
    connection.raw_sql(f"create table lines as {_LINES[name].format(data=DATA)}")
    lines = connection.table("lines")
    first, last = lines.day.min().to_pyarrow().as_py(), lines.day.max().to_pyarrow().as_py()
    where, context = "", UNDATED
    if last is not None:
        end = last + timedelta(days=1)
        start = None
        if months:
            start = end.replace(year=end.year - months // 12)
            where = f"where day >= date '{start}'"
        context = Context(end, "EUR", True, first_day=first, epoch=first.replace(day=1), start=start, end=end)
    connection.raw_sql(
        "create table totals as select customer_id, sum(cast(amount as decimal(18,4)))::decimal(38,4) "
        f"as revenue from lines {where} group by customer_id"
    )
    return connection.table("totals"), context
