"""Files on their way into a workspace: read and checked as everywhere else, lines staged with their keys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.engine import connect, failed
from klientel.errors import BadFile, KlientelError
from klientel.ingest.mapping import Template
from klientel.ingest.opening import Opening
from klientel.ingest.raw import Progress
from klientel.ingest.reading import Read
from klientel.ingest.soundness import damaged
from klientel.ingest.values.shapes import identifier, quoted
from klientel.schema import TABLES
from klientel.web.imports import heads, numbers
from klientel.words import Sentence, mark, say

if TYPE_CHECKING:
    import duckdb

    from klientel.book import Facts
    from klientel.ingest.intake import Intake

MEMORY = "1GB"  # for the engine; it spills to its scratch folder beyond
# What lines are made of and kept as; what stands in for sales (won opportunities, running contracts) is not kept.
KEPT = ("order_line", "order_header", "credit_note_line")
# What machines append: fact tables -> the columns that tell their rows apart; without them, all that a row says.
EVENTS = {
    "touchpoint": ("touch_id",),
    "usage_event_daily": ("customer_id", "product_id", "user_hash", "day"),
    "cost_event": ("event_id",),
}
_UNIT = "chr(31)"  # between the parts of a key: no file has it in its cells


@dataclass(frozen=True)
class Staged:
    """Rows of a fact table on their way: relation with the columns, `row_key`, `made_of`, `source` and `line`."""

    name: str
    relation: str
    columns: tuple[str, ...]


@dataclass
class Taken:
    """What was read from files: canonical tables on one DuckDB connection.

    tables: canonical name -> (relation, columns), of those that become records; staged: fact tables by name;
    value: value of all rows of lines and of the accepted ones.
    """

    opening: Opening
    tables: dict[str, tuple[str, tuple[str, ...]]]
    facts: Facts
    staged: dict[str, Staged] = field(default_factory=dict)
    value: tuple[float | None, float | None] = (None, None)
    notes: list[Sentence] = field(default_factory=list)

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The connection that everything of this intake is on."""
        return self.opening.con

    @property
    def intake(self) -> Intake:
        """What was recognised and rejected."""
        return self.opening.intake

    def count(self, relation: str) -> int:
        """Rows of a relation of this connection."""
        return int(self.con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])


def take(
    sources: Sequence[str | Path],
    *,
    mapping: Mapping[str, str] | None = None,
    template: str | Path | None = None,
    progress: Progress,
    today: date | None = None,
    known: numbers.Known | None = None,
) -> Taken:
    """Read files into canonical tables, customers of earlier imports found by number and name (`known`).

    Raises BadFile if nothing usable is in them, BadParameter for a wrong mapping.
    """
    opening = Opening(connect(None), progress, apart=True)
    opening.con.execute(f"SET memory_limit = '{MEMORY}'")
    try:
        opening.read(
            [str(s) for s in sources], mapping or {}, Template.load(Path(template)) if template else None
        )
        book = opening.book(today)
        orders = heads.read_orders(
            opening, [r for r in opening.reads.get("order_line", []) if _kind(r) == heads.HEADS]
        )
        if not book.tables and not orders:
            raise BadFile(_nothing(opening.intake))
        tables = _tables(opening)
        taken = Taken(opening, tables, book.facts, value=_value(opening), notes=list(opening.intake.notes))
        kept = opening.made is not None and opening.made.source in KEPT
        progress(mark("Preparing the rows"), 0, None)
        asked = tables | ({heads.HEADS: (orders, ("customer_id",))} if orders else {})
        renumber = numbers.renumbered(taken.con, known, asked, "book_lines" if kept else None)
        if kept and opening.made is not None:
            columns = tuple(c for c in opening.made.columns if c not in ("source_no", "line"))
            taken.staged["lines"] = Staged("lines", _staged(opening, renumber), columns)
        if orders:
            taken.staged[heads.HEADS] = Staged(heads.HEADS, orders, ("order_id", *heads.FROM_HEAD))
        for name in EVENTS:
            if name in tables:
                taken.staged[name] = _events(opening, name, *tables.pop(name))
    except KlientelError:
        raise
    except Exception as broke:
        if type(broke).__module__.split(".")[0] in ("duckdb", "_duckdb"):
            raise damaged(opening.raws) or failed(broke) from broke
        raise
    return taken


def fingerprints(sources: Sequence[str | Path]) -> list[dict[str, Any]]:
    """Name, size and SHA-256 of each file, those of folders among them. Raises BadFile for one that is not there."""
    found = []
    for source in sources:
        path = Path(source)
        if not path.exists():
            raise BadFile(say("{file} does not exist: check the path.", file=str(path)))
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            found.append({"name": file.name, "size": file.stat().st_size, "sha256": digest})
    return found


def _tables(opening: Opening) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The canonical tables that become records: relation and columns of each."""
    found = {}
    for name in TABLES:
        if name in ("order_line", "order_header", "credit_note_line") or not opening.reads.get(name):
            continue
        relation = "book_customers" if name == "customer" else f"book_{name}"
        columns = tuple(
            str(r[0])
            for r in opening.con.execute(f"SELECT column_name FROM (DESCRIBE {relation})").fetchall()
        )
        found[name] = (relation, columns)
    return found


def _value(opening: Opening) -> tuple[float | None, float | None]:
    """Value of all rows of order lines, and of the accepted ones (None: not known)."""
    valued = [r for r in opening.reads.get("order_line", []) if r.value is not None]
    if not valued:
        return None, None
    return sum(r.value or 0 for r in valued), sum(r.value_taken or 0 for r in valued)


def _staged(opening: Opening, renumber: str | None) -> str:
    """The lines with their keys in a file of the scratch folder, as the view `staged_lines`.

    A line is known by order and line number; without line numbers by order, product and which of them it is;
    without an order by all that it says and which of its equals it is. So the same row in another export is the
    same line.
    """
    made = opening.made
    assert made is not None
    have = set(made.columns)
    places = [(r.recognition.raw.place, _kind(r), n) for n, r in _numbered(opening)]
    kinds = " ".join(f"WHEN {n} THEN {quoted(t)}" for _, t, n in places)
    names = " ".join(f"WHEN {n} THEN {quoted(p)}" for p, _, n in places)
    numbered = "source_no" in have
    alone = places[0][1] if len(places) == 1 else made.source
    kind = f"CASE source_no {kinds} ELSE {quoted(made.source)} END" if numbered else quoted(alone)
    source = f"CASE source_no {names} END" if numbered else quoted(places[0][0] if places else "")
    line = "line" if "line" in have else "CAST(NULL AS BIGINT)"
    own = [c for c in made.columns if c not in ("source_no", "line")]
    customer = "CAST(l.customer_id AS VARCHAR)"
    if renumber:
        customer = f"coalesce(r.new, {customer})"
    columns = [f"{customer} AS customer_id" if c == "customer_id" else f"l.{identifier(c)}" for c in own]
    join = f" LEFT JOIN {renumber} r ON r.old = CAST(l.customer_id AS VARCHAR)" if renumber else ""
    order = "source_no, line" if {"source_no", "line"} <= have else "ALL"
    sql = (
        f"SELECT {', '.join(columns)}, {kind} AS made_of, {source} AS source, {line} AS line, "
        f"{_base(own, kind)} AS base{', l.source_no' if numbered else ''} FROM {made.view} l{join}"
    )
    ordering = order if order != "ALL" else ", ".join(identifier(c) for c in own)
    nth = f"row_number() OVER (PARTITION BY base ORDER BY {ordering})"
    last = ", source_no" if numbered else ""
    key = f"base || CASE WHEN nth > 1 THEN {_UNIT} || nth ELSE '' END"
    whole = f"SELECT * EXCLUDE (nth, base{last}), {key} AS row_key FROM (SELECT *, {nth} AS nth FROM ({sql}))"
    path = opening.engine.scratch / "staged.parquet"
    opening.con.sql(whole).write_parquet(str(path), compression="snappy")
    opening.con.read_parquet(str(path)).create_view("staged_lines")
    return "staged_lines"


def _events(opening: Opening, name: str, relation: str, columns: tuple[str, ...]) -> Staged:
    """The rows of another fact table with their keys, as the view `staged_NAME`."""
    everything = ", ".join(f"coalesce(CAST({identifier(c)} AS VARCHAR), '')" for c in columns)
    key = f"'=' || md5(concat_ws({_UNIT}, {everything}))"
    own = [c for c in EVENTS[name] if c in columns]
    if own and own[0] == EVENTS[name][0]:
        parts = ", ".join(f"coalesce(CAST({identifier(c)} AS VARCHAR), '')" for c in own)
        key = f"CASE WHEN {identifier(own[0])} IS NULL THEN {key} ELSE concat_ws({_UNIT}, {parts}) END"
    places = {r.recognition.raw.place for r in opening.reads[name]}
    nth = f"row_number() OVER (PARTITION BY base ORDER BY {', '.join(map(identifier, columns))})"
    inner = f"SELECT *, {nth} AS nth FROM (SELECT *, {key} AS base FROM {relation})"
    view = f"staged_{name}"
    opening.con.execute(
        f"CREATE TEMP TABLE {view} AS SELECT * EXCLUDE (base, nth), "
        f"base || CASE WHEN nth > 1 THEN {_UNIT} || nth ELSE '' END AS row_key, {quoted(name)} AS made_of, "
        f"{quoted(', '.join(sorted(places)))} AS source, CAST(NULL AS BIGINT) AS line FROM ({inner})"
    )
    return Staged(name, view, columns)


def _kind(read: Read) -> str:
    """What the lines of a table are made of; orders without products or line numbers are totals of orders."""
    table = str(read.recognition.table)
    if (
        table == "order_line"
        and "order_id" in read.columns
        and not {"product_id", "line_no"} & set(read.columns)
        and {"customer_id", "customer_name"} & set(read.columns)
    ):
        return "order_header"
    return table


def _numbered(opening: Opening) -> list[tuple[int, Any]]:
    """(number in the lines, Read) of the tables that lines come from."""
    found = []
    for table in KEPT:
        for read in opening.reads.get(table, []):
            number = read.view.removeprefix("read_").split("_")[0]
            found.append((int(number), read))
    return found


def _base(columns: Sequence[str], kind: str) -> str:
    """SQL of a line's key before equals are counted."""
    text = [
        f"coalesce(CAST(l.{identifier(c)} AS VARCHAR), '')"
        for c in columns
        if c not in ("customer_name", "margin", "list_price", "product_group_id", "is_credit")
        and not (c == "customer_id" and "customer_name" in columns)
    ]
    if "customer_name" in columns and "customer_id" in columns:
        text.append("coalesce(l.customer_name, CAST(l.customer_id AS VARCHAR), '')")
    content = f"'=' || md5(concat_ws({_UNIT}, {kind}, {', '.join(text)}))"
    if "order_id" not in columns:
        return content
    credit = f"CASE WHEN {kind} = 'credit_note_line' THEN '-' ELSE '' END"
    order = "CAST(l.order_id AS VARCHAR)"
    product = "coalesce(CAST(l.product_id AS VARCHAR), '')" if "product_id" in columns else "''"
    # A line without product and customer is none of the totals, whose order says whose they are.
    sign = f"CASE WHEN l.customer_id IS NULL AND {product} = '' THEN '+' ELSE '*' END"
    known = f"{credit} || {order} || {_UNIT} || {sign} || {product}"
    if "line_no" in columns:
        known = f"coalesce({credit} || {order} || {_UNIT} || CAST(l.line_no AS VARCHAR), {known})"
    return f"coalesce({known}, {content})"


def _nothing(intake: Intake) -> Sentence:
    if intake.ignored:
        file, why = intake.ignored[0]
        return say("Nothing that can be imported was found in {file}: {why}.", file=file, why=why)
    return say("Nothing that can be imported was found.")
