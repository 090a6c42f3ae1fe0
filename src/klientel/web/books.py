"""The Book of a workspace: records and facts of one snapshot, narrowed to what a person may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection

from klientel.book import Book, Facts
from klientel.engine import Engine, connect
from klientel.errors import BadFile
from klientel.ingest.intake import Intake, TableReport
from klientel.ingest.lines import LineMaker
from klientel.ingest.opening import in_one_currency, not_beyond
from klientel.ingest.reading import Read, Reader
from klientel.ingest.recognition import Match
from klientel.ingest.values.shapes import identifier
from klientel.money import code
from klientel.periods import parse_day
from klientel.schema import TABLES
from klientel.web.home import Home
from klientel.web.imports import heads, lines
from klientel.web.imports.models import Import, Snapshot
from klientel.web.records.models import Change
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import pyarrow as pa

    from klientel.ingest.raw import Progress

_READING: ContextVar[bool] = ContextVar("reading", default=False)
WITHIN = 10_000  # numbers of changes among which one may become visible after a higher one
_SOLD = ("order_line", "order_header")


@dataclass(frozen=True)
class State:
    """What identifies the content of a workspace: the snapshot and the newest change of a record."""

    snapshot: int
    change: int
    recent: int = 0  # how many changes up to it are visible, where they may become so out of order

    def __str__(self) -> str:
        return f"{self.snapshot}.{self.change}.{self.recent}"


def open_book(home: Home, **options: Any) -> Book:
    """The Book of the newest snapshot, as `klientel.open_book` opens one on files. Options: see `opened`."""
    return opened(home, **options)[0]


def opened(
    home: Home,
    *,
    actor: Any = None,
    as_of: date | str | None = None,
    currency: str | None = None,
    level: str = "customer",
    fiscal_year_start_month: int | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
    today: date | None = None,
    lenient: bool = False,
    action: str = "read",
) -> tuple[Book, State]:
    """The Book of the newest snapshot, and what identifies the content it was made of.

    actor: whose rights narrow it (None: the owner of the folder); action: what it is opened for ("read", "export").
    With `as_of`, attributes of customers are as they were before that day (G1); without, they are today's.
    Raises BadFile if the workspace is empty, unless `lenient`.
    """
    from klientel.web import kept_records
    from klientel.web.rights import narrow

    day = parse_day(as_of) if isinstance(as_of, str) else as_of
    made = connect(None)
    alone = not _READING.get()
    with reading():
        snapshot = Snapshot.objects.order_by("-number").first() or Snapshot(number=0)
        content = _state(snapshot.number)
        if progress is not None:
            progress(say("Reading the workspace"), 0, None)
        tables, fresh = kept_records.tables(home, snapshot.book.get("columns", {}), day, content)
        coverage = _coverage(snapshot)
    if fresh and alone:  # within somebody's reading nobody sees whether it is still so
        kept_records.keep(home, fresh, content)
    book = _put_together(home, made, snapshot, tables, today)
    waiting = snapshot.book.get(lines.LINES, {}).get("apart", {}).get("waiting", 0)
    if not book.tables and not lenient and waiting:
        raise BadFile(heads.told(waiting))
    if not book.tables and not lenient:
        raise BadFile(say("{folder} is empty; `klientel import` fills it.", folder=str(home.folder)))
    book.facts.value_coverage = coverage if book.facts.source in _SOLD else None
    book.facts.uncovered = say("rows without customer or with an unreadable value")
    if today is not None and book.facts.last_day is not None and book.facts.last_day > today:
        not_beyond(book, today)
    book.ask(day, today)
    book.sources = (str(home.folder),)
    book.fiscal_year_start_month = fiscal_year_start_month or home.settings.get("fiscal_year_start_month", 1)
    book.options = {
        "map": {},
        "currency": currency,
        "level": level if level != "customer" else None,
    }
    wanted = currency or home.settings.get("currency")
    in_one_currency(book, code(wanted) if wanted else None)
    book = narrow(book, actor, action)
    if engine and engine != "duckdb":
        book = _moved(book, connect(engine))
    return book, content


@contextmanager
def reading() -> Iterator[None]:
    """See one state of the database for as long as it takes, without keeping writers out."""
    if connection.in_atomic_block or _READING.get():
        yield
        return
    begin = "BEGIN" if connection.vendor == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    with connection.cursor() as cursor:
        cursor.execute(begin)
    within = _READING.set(True)
    try:
        yield
    finally:
        _READING.reset(within)
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")


def state() -> State:
    """What the workspace holds now, to tell whether an answer is still good."""
    number = Snapshot.objects.order_by("-number").values_list("number", flat=True).first()
    return _state(number or 0)


def _state(snapshot: int) -> State:
    newest = Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return State(snapshot, newest, recent(newest))


def recent(change: int) -> int:
    """How many changes are visible of the last numbers up to one.

    PostgreSQL shows a change when its transaction ends, which may be after one with a higher number: then this is
    more than it was before. SQLite has one writer at a time, and needs no count.
    """
    if connection.vendor == "sqlite":
        return 0
    return Change.objects.filter(pk__gt=change - WITHIN, pk__lte=change).count()


def _coverage(snapshot: Snapshot) -> float | None:
    """Share of the value of all rows of order lines that counts, over the imports that hold."""
    whole = taken = 0.0
    for counts in Import.objects.filter(state=Import.State.DONE).values_list("counts", flat=True):
        value = counts.get("value") or [None, None]
        if value[0] is not None and value[1] is not None:
            whole, taken = whole + value[0], taken + value[1]
    taken -= snapshot.book.get(lines.LINES, {}).get("apart", {}).get("value", 0.0)  # of lines that wait
    return min(1.0, taken / whole) if whole > 0 else None


def _put_together(
    home: Home, engine: Engine, snapshot: Snapshot, tables: dict[str, pa.Table], today: date | None
) -> Book:
    con = engine.connection.con
    intake = Intake()
    book_tables: dict[str, Any] = {}
    for name, table in tables.items():
        con.register(f"book_{name}", table)
        book_tables[name] = engine.connection.table(f"book_{name}")
        intake.tables[name] = _report(home, name, table.column_names, table.num_rows)
    for name, version in snapshot.facts.items():
        told = snapshot.book.get(name, {})
        if name not in (lines.LINES, heads.HEADS) and told.get("rows"):
            columns = ", ".join(identifier(c) for c in told["columns"])
            con.execute(
                f"CREATE TEMP VIEW book_{name} AS SELECT {columns} FROM ({lines.table(home, name).select(version)})"
            )
            book_tables[name] = engine.connection.table(f"book_{name}")
            intake.tables[name] = _report(home, name, told["columns"], told["rows"])
    told = snapshot.book.get(lines.LINES, {})
    stored, _ = heads.seen(home, snapshot.facts, told)
    kinds = told.get("made_of", {})
    notes: list[Sentence] = []
    if stored and any(kind in kinds for kind in _SOLD):
        facts = _stored_lines(con, stored, told, kinds)
        intake.tables["order_line"] = _report(home, "order_line", told["columns"], told["rows"])
        book_tables["lines"] = engine.connection.table("book_lines")
    else:
        facts, notes = _stand_ins(engine, tables, today)
        if facts.rows or facts.source:
            book_tables["lines"] = engine.connection.table("book_lines")
    return Book(engine, book_tables, facts, intake=intake, notes=notes)


def _stored_lines(con: Any, stored: str, told: dict[str, Any], kinds: dict[str, int]) -> Facts:
    """The view of the lines; the value of a whole order counts only where its lines are not known."""
    columns = ", ".join(identifier(c) for c in told["columns"])
    where = ""
    rows = told["rows"]
    if set(_SOLD) <= set(kinds):
        where = (
            " WHERE NOT (made_of = 'order_header' AND order_id IN "
            f"(SELECT order_id FROM ({stored}) WHERE made_of = 'order_line' AND order_id IS NOT NULL))"
        )
    con.execute(f"CREATE TEMP VIEW book_lines AS SELECT {columns} FROM ({stored}){where}")
    if where:
        rows = con.execute("SELECT count(*) FROM book_lines").fetchall()[0][0]
    first, last = (date.fromisoformat(told[k]) if told.get(k) else None for k in ("first_day", "last_day"))
    return Facts(rows, first, last, bool(told.get("credits")))


def _stand_ins(
    engine: Engine, tables: dict[str, pa.Table], today: date | None
) -> tuple[Facts, list[Sentence]]:
    """Won opportunities or running contracts in place of sales, as everywhere else; nothing is stored of them."""
    con = engine.connection.con
    reads: dict[str, list[Read]] = {}
    for name in ("opportunity", "project_contract", "product"):
        if name in tables:
            view = f"standing_{name}"
            con.execute(
                f"CREATE TEMP VIEW {view} AS SELECT *, CAST(NULL AS INTEGER) AS source_no, "
                f"CAST(NULL AS BIGINT) AS line FROM book_{name}"
            )
            columns = tuple(tables[name].column_names)
            reads[name] = [Read(None, view, columns, clean=True)]  # type: ignore[arg-type] # never asked for here
    maker = LineMaker(con, engine.scratch, Reader(con, engine.scratch))
    made = maker.make(reads, None, today)
    if made is None:
        return Facts(source=""), []
    span = "min(day), max(day)" if "day" in made.columns else "NULL, NULL"
    rows, first, last = con.execute(f"SELECT count(*), {span} FROM {made.view}").fetchall()[0]
    return Facts(rows, first, last, False, made.source), maker.notes


def _report(home: Home, name: str, columns: Any, rows: int) -> TableReport:
    known = TABLES[name].names()
    report = TableReport(name, TABLES[name].title, [Path(home.folder).name], rows)
    for column in columns:
        title = TABLES[name].field(column).title if column in known else column
        report.matches[column] = Match(column, title, 1.0, "")
    return report


def _moved(book: Book, engine: Engine) -> Book:
    return replace(
        book, tables={name: engine.take(table, name) for name, table in book.tables.items()}, engine=engine
    )
