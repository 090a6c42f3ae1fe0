"""Rows of one order completed by one another: its customer and day, its value, and prices from the price list."""

from __future__ import annotations

from decimal import Decimal

from klientel.ingest.reading import Read, Reader
from klientel.ingest.sql import AMOUNT
from klientel.ingest.values.shapes import identifier
from klientel.words import Sentence, say

_OF_ORDER = ("customer_id", "customer_name", "order_date", "currency")
_EMPTY = ("customer_id|empty", "customer_name|empty", "order_date|empty")
_PART = 2_000_000  # rows whose orders are compared at a time
_FIRST_PART = 10  # the first look is at so small a part of a part
_FEWEST = 3  # orders of several rows that must agree before anything is concluded


def fill_down(reader: Reader, read: Read) -> None:
    """Rows without customer or day take those of their order, as shop exports write them once per order.

    Only from orders that have exactly one of each, and only if such orders begin with it.
    """
    have = [c for c in _OF_ORDER if c in read.columns]
    if not _is_lines(read) or not {"customer_id", "customer_name"} & set(have) or not read.rejected:
        return
    key = "customer_id" if "customer_id" in have else "customer_name"
    gaps = f"{key} IS NULL OR order_date IS NULL" if "order_date" in have else f"{key} IS NULL"
    marked = f"(SELECT *, {gaps} AS bare FROM {read.view})"
    once = ", ".join(f"CASE WHEN min(m.{c}) = max(m.{c}) THEN min(m.{c}) END AS {c}" for c in have)
    # Only orders with such a row: the others need not be held in memory.
    some = f"(SELECT order_id FROM {read.view} WHERE {gaps})"
    heads = (
        f"(SELECT m.order_id, {once}, bool_or(m.bare) AND NOT arg_min(m.bare, m.line) AS begins, "
        f"count(m.{AMOUNT}) = 1 AND arg_min(m.{AMOUNT} IS NOT NULL, m.line) AS valued "
        f"FROM {marked} m WHERE m.order_id IN {some} GROUP BY m.order_id)"
    )
    orders, rows = reader.con.execute(
        f"SELECT count(DISTINCT h.order_id), count(*) FROM {marked} m JOIN {heads} h USING (order_id) "
        f"WHERE h.begins AND h.{key} IS NOT NULL AND m.bare"
    ).fetchall()[0]
    if orders < _FEWEST:
        return
    filled = ", ".join(f"coalesce(l.{c}, CASE WHEN h.begins THEN h.{c} END) AS {c}" for c in have)
    # The value of the order stands in its first row as well; the others have none of their own.
    filled += (
        f", CASE WHEN h.begins AND h.valued THEN coalesce(l.{AMOUNT}, 0) ELSE l.{AMOUNT} END AS {AMOUNT}"
    )
    day = "WHEN order_date IS NULL THEN 'order_date|empty'" if "order_date" in have else ""
    codes = ", ".join(f"'{code}'" for code in (*_EMPTY, "net_amount|empty"))
    view = f"{read.view}_filled"
    reader.con.execute(
        f"CREATE TEMP VIEW {view} AS SELECT * REPLACE (CASE WHEN reject IN ({codes}) THEN CASE WHEN {key} IS NULL "
        f"THEN reject {day} WHEN {AMOUNT} IS NULL THEN 'net_amount|empty' END ELSE reject END AS reject) FROM "
        f"(SELECT l.* REPLACE ({filled}) FROM {read.view} l LEFT JOIN {heads} h USING (order_id))"
    )
    reader.again(read, view)
    read.notes.append(
        say(
            "{file}: {n} rows took customer and day from the first row of their order.",
            file=read.recognition.raw.place, n=rows,
        )
    )  # fmt: skip


def once_per_order(reader: Reader, read: Read) -> None:
    """An amount of the whole order that stands in every row of it counts once.

    It is one if all rows of each order of several rows agree in it although they differ in product or quantity.
    Where quantity and price are there, they make the amount; otherwise the first row of the order has it.
    """
    if not _is_lines(read) or "net_amount" not in read.columns:
        return
    differ = next((c for c in ("product_id", "product_name", "qty", "line_no") if c in read.columns), None)
    if differ is None:
        return
    if not _orders_agree(reader, read, differ):
        return
    match = read.recognition.columns["net_amount"]
    priced = {"qty", "invoice_price"} <= set(read.columns)
    if priced:
        amount = "CAST(CAST(qty AS DECIMAL(28,4)) * invoice_price AS DECIMAL(18,4))"
        agree = reader.con.execute(
            f"SELECT count(*) FILTER (abs({amount} - {AMOUNT}) < 0.02) FROM {read.view} WHERE reject IS NULL"
        ).fetchall()[0][0]
        if agree == read.rows - read.rejected:
            return  # the rows of these orders happen to cost the same
        note = say(
            "{file}: {header} is the value of the whole order, repeated in each of its rows; "
            "quantity times price was taken instead.",
            file=read.recognition.raw.place, header=match.header,
        )  # fmt: skip
    else:
        first = "row_number() OVER (PARTITION BY order_id ORDER BY source_no, line) = 1"
        amount = f"CASE WHEN order_id IS NULL OR {first} THEN {AMOUNT} ELSE 0 END"
        note = say(
            "{file}: {header} is the value of the whole order, repeated in each of its rows; it counts once.",
            file=read.recognition.raw.place, header=match.header,
        )  # fmt: skip
    view = f"{read.view}_once"
    reader.con.execute(
        f"CREATE TEMP VIEW {view} AS SELECT * REPLACE (CASE WHEN reject IS NULL THEN {amount} ELSE {AMOUNT} END "
        f"AS {AMOUNT}) FROM {read.view}"
    )
    reader.again(read, view)
    read.notes.append(note)


def _orders_agree(reader: Reader, read: Read, differ: str) -> bool:
    """True if in every order of several different rows all rows have one amount.

    Looked at in parts of the orders, so that memory does not grow with the rows; the first, small part settles
    it for nearly every long file.
    """
    parts = max(1, read.rows // _PART)
    few = f"hash(order_id) % {parts * _FIRST_PART} = 0"
    conditions = [few] if parts > 1 else []
    conditions += [f"hash(order_id) % {parts} = {k}" for k in range(parts)] if parts > 1 else ["true"]
    several, total = 0, Decimal(0)
    for condition in conditions:
        n, same, worth = reader.con.execute(
            f"SELECT count(*), count(*) FILTER (low = high), sum(low) FROM (SELECT order_id, min({AMOUNT}) AS low, "
            f"max({AMOUNT}) AS high FROM {read.view} WHERE reject IS NULL AND order_id IS NOT NULL AND {condition} "
            f"GROUP BY order_id HAVING count(*) > 1 AND min({differ}) < max({differ}))"
        ).fetchall()[0]
        if same < n:
            return False
        if condition != few:
            several, total = several + n, total + (worth or 0)
    return several >= _FEWEST and bool(total)


def _is_lines(read: Read) -> bool:
    lines = read.recognition.table == "order_line" and AMOUNT in read.columns and not read.lean
    return lines and "order_id" in read.columns and read.recognition.raw.has_line


def priced_by_list(reader: Reader, lines: list[Read], products: list[Read]) -> list[Sentence]:
    """Lines with a quantity and no price take the list price of their product.

    It is said, since discounts are missing; lines of products without a list price are rejected.
    """
    lists = [p for p in products if {"product_id", "list_price"} <= set(p.columns)]
    notes = []
    for read in lines:
        have = set(read.columns)
        if AMOUNT in have or not {"qty", "product_id"} <= have or not lists:
            continue
        prices = " UNION ALL ".join(f"SELECT product_id, list_price FROM {p.accepted}" for p in lists)
        view = f"{read.view}_priced"
        others = ", ".join(f"l.{identifier(c)}" for c in read.columns if c != "list_price")
        reader.con.execute(
            f"CREATE TEMP VIEW {view} AS SELECT l.line, l.source_no, {others}, p.list_price, CAST(CAST(l.qty AS "
            f"DECIMAL(28,4)) * p.list_price AS DECIMAL(18,4)) AS {AMOUNT}, CASE WHEN l.reject IS NOT NULL THEN "
            f"l.reject WHEN p.list_price IS NULL THEN 'product_id|unpriced' END AS reject, CASE WHEN l.reject IS "
            f"NOT NULL THEN l.reject_value ELSE l.product_id END AS reject_value FROM {read.view} l LEFT JOIN "
            f"(SELECT product_id, max(list_price) AS list_price FROM ({prices}) GROUP BY product_id) p "
            f"USING (product_id)"
        )
        read.columns = tuple(dict.fromkeys((*read.columns, "list_price", AMOUNT)))
        reader.again(read, view)
        notes.append(
            say(
                "{file} has no prices: amounts are quantity times list price of {other}, without any discount.",
                file=read.recognition.raw.place, other=lists[0].recognition.raw.place,
            )
        )  # fmt: skip
    return notes
