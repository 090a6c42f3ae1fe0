"""Tables of a Book (docs/architecture.md) from a handful of sales, built in plain DuckDB for tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from klientel.analysis import Context
from klientel.periods import add_months

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MONEY = pa.decimal128(18, 4)


@dataclass
class Book:
    con: Any
    context: Context
    totals: Any
    before: Any
    histories: Any
    purchases: Any
    customers: Any


def day(text: str) -> date:
    return date.fromisoformat(text)


def book(
    sales: list[tuple[str, str, Any]] | pa.Table,
    as_of: str,
    *,
    window: int = 12,
    names: dict[str, str] | None = None,
    attributes: dict[str, dict[str, Any]] | None = None,
    fiscal: int = 1,
    margin_share: str | None = None,
) -> Book:
    """Sales are (customer, day, revenue); negative revenue is a credit note of that day."""
    con = duckdb.connect()
    if not isinstance(sales, pa.Table):
        sales = pa.table(
            {
                "customer_id": pa.array([s[0] for s in sales], pa.string()),
                "day": pa.array([day(s[1]) for s in sales], pa.date32()),
                "amount": pa.array([Decimal(str(s[2])) for s in sales], MONEY),
            }
        )
    con.register("given", sales)
    end = day(as_of)
    con.execute("create table sales as select * from given where day < ?", [end])
    base = "sum(amount)" if margin_share else "0"
    margin = f"sum(amount * {margin_share})" if margin_share else "null"
    con.execute(f"""
        create table purchases as select customer_id, day,
          sum(amount)::decimal(38,4) revenue, sum(amount)::decimal(38,4) matched_revenue,
          (sum(amount) filter (amount >= 0))::decimal(38,4) invoiced,
          ({margin})::decimal(38,4) margin, ({base})::decimal(38,4) margin_base,
          count(*)::decimal(18,4) quantity, (count(*) filter (amount >= 0))::bigint orders,
          count(*)::bigint lines,
          count(*) filter (amount >= 0) > 0 is_order
        from sales group by all""")
    known = con.execute("select min(day) from sales").fetchall()[0][0]
    epoch = (known or end).replace(day=1)
    last = date.fromordinal(end.toordinal() - 1)
    months = (last.year - epoch.year) * 12 + last.month - epoch.month + 1 if known else 0
    number = f"((year(day) - {epoch.year}) * 12 + month(day) - {epoch.month})"
    words = ", ".join(
        f"coalesce(bit_or(case when is_order and {number} between {60 * j} and {60 * j + 59} then 1::bigint"
        f" << ({number} - {60 * j})::bigint end), 0)::bigint months_{j}"
        for j in range(max(1, -(-months // 60)))
    )
    con.execute(f"""
        create table histories as select customer_id, min(day) filter (is_order) first_day,
          max(day) filter (is_order) last_day, (count(*) filter (is_order))::bigint order_days,
          sum(revenue)::decimal(38,4) revenue, {words} from purchases group by customer_id""")
    start, prior = add_months(end, -window), add_months(end, -2 * window)
    for name, a, b in (("totals", start, end), ("before", prior, start)):
        con.execute(
            f"""
            create table {name} as select customer_id, sum(revenue)::decimal(38,4) revenue,
              sum(matched_revenue)::decimal(38,4) matched_revenue, sum(invoiced)::decimal(38,4) invoiced,
              sum(margin)::decimal(38,4) margin, sum(margin_base)::decimal(38,4) margin_base,
              (count(*) filter (is_order))::bigint order_days, sum(orders)::bigint orders,
              sum(lines)::bigint lines
            from purchases where day >= ? and day < ? group by customer_id""",
            [a, b],
        )
    ids = sorted(r[0] for r in con.execute("select distinct customer_id from sales").fetchall())
    given = attributes or {}
    people = {
        "customer_id": pa.array(ids, pa.string()),
        "name": pa.array([(names or {}).get(i, f"Firm {i}") for i in ids], pa.string()),
        "status": pa.array(["active"] * len(ids), pa.string()),
    }
    for name in sorted({k for a in given.values() for k in a}):
        people[name] = pa.array([given.get(i, {}).get(name) for i in ids], pa.string())
    frame = pa.table(people)
    con.register("people", frame)
    con.execute("create table customers as select * from people")
    context = Context(
        as_of=end,
        currency="EUR",
        dated=True,
        first_day=known,
        epoch=epoch,
        months=months,
        start=start,
        end=end,
        fiscal_year_start_month=fiscal,
    )
    engine = ibis.duckdb.from_connection(con)
    tables = {n: engine.table(n) for n in ("totals", "before", "histories", "purchases", "customers")}
    return Book(con=engine, context=context, **tables)


def rows(expression: Any) -> list[dict[str, Any]]:
    table = expression if isinstance(expression, pa.Table) else expression.to_pyarrow()
    return table.to_pylist()


def value(figure: Any) -> Any:
    return getattr(figure, "value", figure)


def declared(analysis: Any, outcome: Any) -> None:
    """Every declared table is there with exactly its columns, every figure is declared and there."""
    assert set(outcome.tables) == {t.name for t in analysis.tables}
    for table in analysis.tables:
        found = outcome.tables[table.name]
        names = found.column_names if isinstance(found, pa.Table) else list(found.columns)
        assert names == [c.name for c in table.columns], table.name
    assert set(outcome.figures) == {f.name for f in analysis.figures}
    for chart in analysis.charts:
        names = {c.name for c in analysis.table(chart.table).columns}
        assert {chart.x, chart.y, chart.color} - {""} <= names, chart.name


def northwind() -> pa.Table:
    folder = DATA / "northwind"
    return (
        duckdb.connect()
        .execute(f"""
        select o.customer_id, o.order_date::date as day,
          (d.unit_price::decimal(12,4) * d.quantity::int * (1 - d.discount::decimal(6,4)))
            ::decimal(18,4) amount
        from read_csv('{folder}/orders.csv', all_varchar=true) o
        join read_csv('{folder}/order_details.csv', all_varchar=true) d using (order_id)""")
        .to_arrow_table()
    )


def cdnow() -> pa.Table:
    ids, days, amounts = [], [], []
    for line in (DATA / "cdnow" / "CDNOW_master.txt").read_text().splitlines()[1:]:
        if parts := line.split():
            ids.append(parts[0])
            days.append(date(int(parts[1][:4]), int(parts[1][4:6]), int(parts[1][6:])))
            amounts.append(Decimal(parts[3]))
    return pa.table(
        {"customer_id": ids, "day": pa.array(days, pa.date32()), "amount": pa.array(amounts, MONEY)}
    )
