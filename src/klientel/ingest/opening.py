"""Opens a Book: files are read, recognised, checked and put together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.book import Book, Facts
from klientel.engine import Engine, connect, failed
from klientel.engines.addresses import is_address, parse
from klientel.errors import BadFile, BadParameter, KlientelError
from klientel.ingest.corrected import without_ours
from klientel.ingest.documents import kinds_by_values
from klientel.ingest.formats import read_sources
from klientel.ingest.intake import Intake, TableReport
from klientel.ingest.lines import LineMaker, Made
from klientel.ingest.mapping import Template, recognise
from klientel.ingest.orders import fill_down, once_per_order, priced_by_list
from klientel.ingest.parties import CustomerMaker, by_number, firms_before_mails, with_outcome
from klientel.ingest.raw import Progress, RawTable
from klientel.ingest.reading import Read, Reader, tells
from klientel.ingest.refs import align
from klientel.ingest.repeats import TABLES_WITH_REPEATS, repeated
from klientel.ingest.signs import correct
from klientel.ingest.soundness import WIDEST, damaged, narrowed
from klientel.ingest.spellings import one_spelling
from klientel.ingest.summaries import summaries, undated_beside_dated
from klientel.ingest.sums import leave_out_totals
from klientel.ingest.values import profile
from klientel.ingest.values.shapes import identifier
from klientel.ingest.warehouse.opening import Warehouse
from klientel.ingest.warehouse.tables import elsewhere, find
from klientel.money import code, convert, reporting_currency
from klientel.periods import parse_day
from klientel.schema import TABLES
from klientel.words import Sentence, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir


def open_book(
    source: Any,
    *,
    as_of: date | str | None = None,
    map: Mapping[str, str] | None = None,
    currency: str | None = None,
    template: str | Path | None = None,
    save_template: str | Path | None = None,
    level: str = "customer",
    fiscal_year_start_month: int | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
    today: date | None = None,
    lenient: bool = False,
) -> Book:
    """Open a Book from files, a folder, a workspace, or frames (pandas, Polars, PyArrow, DuckDB, Ibis; or a dict).

    as_of: first day that no longer counts (default: the day after the last event, at most `today`); map:
    {"order_line.net_amount": "Umsatz"} where recognition needs help; currency: the reporting currency;
    level "group" adds customers up to their group; lenient: a Book even if nothing can be analysed.
    Raises BadFile if nothing usable is found, BadParameter for a wrong mapping.
    """
    workspace = _workspace(source)
    if workspace:
        if map or template or save_template:
            raise BadParameter(
                say("A workspace is mapped already; --map and --template belong to `klientel import`.")
            )
        # Of a higher layer; resolved here, at the call, so that this layer does not depend on it.
        found: Book = import_module("klientel.web.home").open_book(
            workspace,
            as_of=as_of,
            currency=currency,
            level=level,
            fiscal_year_start_month=fiscal_year_start_month,
            engine=engine,
            progress=progress,
            today=today,
            lenient=lenient,
        )
        return found
    far = elsewhere(source, engine)
    if engine == "duckdb" and is_address(source):
        source = {t.name: t.table for t in find(source, None)[1]}
    opening: Warehouse | Opening
    if far:
        opening = Warehouse(*find(source, engine), progress or _silent)
    else:
        opening = Opening(connect(None), progress or _silent)
    known = Template.load(Path(template)) if template else None
    try:
        if isinstance(opening, Warehouse):
            opening.read(map or {}, known)
        else:
            opening.read(source, map or {}, known)
        if save_template:
            Template.of(opening.intake.recognitions, Path(save_template).stem).save(Path(save_template))
        book = opening.book(today)
        if today is not None and book.facts.last_day is not None and book.facts.last_day > today:
            not_beyond(book, today)
    except KlientelError:
        raise
    except Exception as broke:
        if type(broke).__module__.split(".")[0] in ("duckdb", "_duckdb"):
            raise damaged(opening.raws) or failed(broke) from broke
        raise
    if not book.tables and not lenient:
        raise BadFile(_nothing_usable(opening.intake))
    day = parse_day(as_of) if isinstance(as_of, str) else as_of
    book.ask(day, today)
    book.sources = _paths(source)
    book.fiscal_year_start_month = fiscal_year_start_month or 1
    book.options = {
        "map": dict(map or {}),
        "currency": currency,
        "level": level if level != "customer" else None,
    }
    in_one_currency(book, code(currency) if currency else None)
    if engine and engine != "duckdb" and not far:
        _move(book, connect(engine))
    return book


class Opening:
    """The steps from files to a Book, on one connection.

    apart: order lines are not joined with their orders, which may come another time (`LineMaker`).
    """

    def __init__(self, engine: Engine, progress: Progress, *, apart: bool = False) -> None:
        self.engine = engine
        self.apart = apart
        self.names: str | None = None  # the view of names that belong to one customer
        self.con = engine.con
        self.progress = progress
        self.intake = Intake()
        self.reads: dict[str, list[Read]] = defaultdict(list)
        self.reader = Reader(self.con, engine.scratch)
        self.raws: list[RawTable] = []
        self.made: Made | None = None

    def read(self, sources: Any, overrides: Mapping[str, str], template: Template | None) -> None:
        """Read and recognise all sources, then read what was recognised into canonical columns."""
        raws = [narrowed(raw) for raw in read_sources(sources, self.engine.scratch, self.progress)]
        self.raws = raws
        views = {i: self._view(raw, i) for i, raw in enumerate(raws)}
        profiles = {}
        for i, raw in enumerate(raws):
            self.progress(mark("Looking at the columns"), i, len(raws))
            profiles[i] = profile(self.con, views[i], raw)
        found = recognise(raws, profiles, overrides, template)
        self.intake.recognitions = found
        numbers = {id(raw): i for i, raw in enumerate(raws)}
        for raw in raws:
            self.intake.take(raw.rejections, raw.rejected, raw.aside)
        self.intake.notes += _told_once(raws)
        readings: dict[int, list[Read]] = defaultdict(list)
        for k, recognition in enumerate(found):
            self.progress(mark("Reading the tables"), k, len(found))
            i = numbers[id(recognition.raw)]
            if recognition.table is None:
                self.intake.ignored.append((recognition.raw.place, recognition.why))
                continue
            kinds_by_values(recognition, profiles[i])
            if not recognition.secondary:
                firms_before_mails([r for r in found if r.raw is recognition.raw], profiles[i])
            read = self.reader.read(recognition, views[i], profiles[i])
            self.reads[recognition.table].append(read)
            readings[i].append(read)
            self.intake.notes += _format_notes(recognition, profiles[i])
        for same in readings.values():
            for read in same:
                fill_down(self.reader, read)
                correct(self.reader, read)
                once_per_order(self.reader, read)
            leave_out_totals(self.reader, same)
            self.intake.notes += [note for read in same for note in read.notes]

    def _view(self, raw: RawTable, number: int) -> str:
        """The raw table as a view of the connection, with the columns that are looked at."""
        name = without_ours(self.con, raw, self._whole_view(raw, number))
        if len(raw.columns) < WIDEST:
            return name
        kept = [c.name for c in raw.columns] + (["line"] if raw.has_line else [])
        kept += ["file_row_number"] if not raw.has_line and isinstance(raw.source, list) else []
        columns = ", ".join(map(identifier, kept))
        self.con.execute(f"CREATE TEMP VIEW {name}_narrow AS SELECT {columns} FROM {name}")
        return f"{name}_narrow"

    def _whole_view(self, raw: RawTable, number: int) -> str:
        name = f"raw_{number}"
        source = raw.source
        if isinstance(source, list):
            paths = [str(p) for p in source]
            found = self.con.read_parquet(
                paths, union_by_name=len(paths) > 1, file_row_number=not raw.has_line
            )
            found.create_view(name)
            return name
        if hasattr(source, "to_pyarrow") and not hasattr(source, "fetchall"):  # Ibis
            source = source.to_pyarrow()
        elif hasattr(source, "fetchall"):  # a DuckDB relation of another connection
            source = source.to_arrow_table() if hasattr(source, "to_arrow_table") else source.arrow()
        elif type(source).__module__.startswith("polars"):
            source = source.collect().to_arrow() if hasattr(source, "collect") else source.to_arrow()
        if hasattr(source, "read_all"):
            source = source.read_all()
        self.con.register(name, source)
        return name

    def book(self, today: date | None) -> Book:
        """The Book of everything that was read."""
        for read in self.reads.get("opportunity", []):
            with_outcome(self.con, read)
        self._leave_repetitions_out()
        self.intake.notes += one_spelling(self.con, self.reads)
        self.intake.notes += undated_beside_dated(self.reads.get("order_line", []))
        self.intake.notes += align(self.con, self.reads)
        maker = CustomerMaker(self.con, self.reader)
        columns = maker.make(self.reads.get("customer", []))
        names = self.names = maker.names(columns)
        for table in ("opportunity", "order_header", "project_contract", "interaction"):
            for read in self.reads.get(table, []):
                note = by_number(self.con, read, names)
                self.intake.notes += [note] if note else []
        self.progress(mark("Putting the lines together"), 0, None)
        sold, products = self.reads.get("order_line", []), self.reads.get("product", [])
        self.intake.notes += priced_by_list(self.reader, sold, products)
        lines = LineMaker(self.con, self.engine.scratch, self.reader, apart=self.apart)
        self.made = made = lines.make(self.reads, names, today)
        self.intake.notes += lines.notes
        tables = self._tables(made, columns)
        book = Book(self.engine, tables, self._facts(made), intake=self.intake, notes=self.intake.notes)
        self._report()
        return book

    def _leave_repetitions_out(self) -> None:
        """Files that another file contains are named and not counted twice."""
        for table in TABLES_WITH_REPEATS:
            reads = self.reads.get(table, [])
            twice = repeated(self.con, table, reads)
            if table == "order_line" and not twice:
                twice = summaries(self.con, reads)
            for i, why in twice.items():
                self.intake.ignored.append((reads[i].recognition.raw.place, why))
                self.intake.notes.append(say("{file}: {why}.", file=reads[i].recognition.raw.place, why=why))
            if twice:
                self.reads[table] = [r for i, r in enumerate(reads) if i not in twice]
                places = {reads[i].recognition.raw.place for i in twice}
                self.reader.rejections = [r for r in self.reader.rejections if r.file not in places]

    def _tables(self, made: Made | None, customers: tuple[str, ...] | None) -> dict[str, ir.Table]:
        tables: dict[str, ir.Table] = {}
        if made is not None:
            tables["lines"] = self.engine.connection.table(made.view)
        if customers is not None:
            tables["customer"] = self.engine.connection.table("book_customers")
        for name, reads in self.reads.items():
            if name in ("customer", "order_line", "order_header", "credit_note_line"):
                continue
            tables[name] = self._union(name, reads)
        return tables

    def _union(self, name: str, reads: list[Read]) -> ir.Table:
        """Several files of one canonical table under one another, customers by number or, failing that, name."""
        columns = [c for c in TABLES[name].names() if any(c in r.columns for r in reads)]
        customer = {"customer_id", "customer_name"} & set(columns)
        parts = []
        for read in reads:
            have = set(read.columns)
            chosen = [
                identifier(c) if c in have else f"NULL AS {identifier(c)}"
                for c in columns
                if c != "customer_id"
            ]
            if customer:
                known = [c for c in ("customer_id", "customer_name") if c in have]
                chosen.insert(
                    0, f"coalesce({', '.join(known)}) AS customer_id" if known else "NULL AS customer_id"
                )
            parts.append(f"SELECT {', '.join(chosen)} FROM {read.accepted}")
        self.con.execute(f"CREATE TEMP TABLE book_{name} AS {' UNION ALL '.join(parts)}")
        return self.engine.connection.table(f"book_{name}")

    def _facts(self, made: Made | None) -> Facts:
        if made is None:
            return Facts()
        day = "day" in made.columns
        credit = "is_credit" in made.columns
        span = "min(day), max(day)" if day else "NULL, NULL"
        credits = "coalesce(bool_or(is_credit), false)" if credit else "false"
        rows, first, last, some = self.con.execute(
            f"SELECT count(*), {span}, {credits} FROM {made.view}"
        ).fetchall()[0]
        whole, taken = self._value(self.reads.get("order_line", []))
        coverage = taken / whole if whole and taken is not None and whole > 0 else None
        return Facts(
            rows=rows,
            first_day=first,
            last_day=last,
            credits=bool(some),
            source=made.source,
            value_coverage=min(1.0, coverage) if coverage is not None else None,
            uncovered=say("rows without customer or with an unreadable value"),
        )

    @staticmethod
    def _value(reads: list[Read]) -> tuple[float | None, float | None]:
        valued = [r for r in reads if r.value is not None]
        if not valued:
            return None, None
        return sum(r.value or 0 for r in valued), sum(r.value_taken or 0 for r in valued)

    def _report(self) -> None:
        """Counts and matches of each canonical table for `klientel check`."""
        self.intake.take(self.reader.rejections, 0, 0)
        for name, reads in self.reads.items():
            report = TableReport(name, TABLES[name].title)
            for read in reads:
                found = read.recognition
                report.files.append(found.raw.place)
                report.rows += (found.raw.rows if found.periods else read.rows) - read.aside
                report.rejected += read.rejected - read.aside if tells(found) else 0
                report.again += read.rows if found.secondary else 0
                report.matches = {**found.columns, **found.attributes, **report.matches}
                report.unmapped += [h for h in found.unmapped if h not in report.unmapped]
                if tells(found):
                    self.intake.take([], read.rejected, read.aside)
            self.intake.tables[name] = report


def _format_notes(recognition: Any, known: dict[str, Any]) -> list[Any]:
    """What was assumed about ambiguous dates and numbers of the columns that are used."""
    notes = []
    for name, match in recognition.columns.items():
        kind = TABLES[recognition.table].field(name).kind
        fmt = known[match.column].date if kind == "date" else known[match.column].number
        if (
            kind in ("date", "money", "number", "share", "integer")
            and fmt is not None
            and fmt.ambiguous
            and fmt.why
        ):
            notes.append(
                say("{file}, {header}: {why}.", file=recognition.raw.place, header=match.header, why=fmt.why)
            )
    return notes


def _told_once(raws: list[RawTable]) -> list[Sentence]:
    """The notes of the files, one sentence for all files that share it."""
    places: dict[Sentence, list[str]] = {}
    for raw in raws:
        for note in raw.notes:
            places.setdefault(note, []).append(raw.place)
    return [say("{files}: {note}", files=files, note=note) for note, files in places.items()]


def not_beyond(book: Book, today: date) -> None:
    """The default as-of date is not drawn into the future by a mistyped year."""
    from klientel.periods import day_after

    later = book.tables["lines"].filter(book.tables["lines"].day > today).count().to_pyarrow().as_py()
    book.as_of = book.ends = day_after(today)
    book.notes.append(say("{n} rows are dated after today and do not count yet.", n=later))


def in_one_currency(book: Book, wanted: str | None) -> None:
    """All amounts in the reporting currency (G3); lines without a rate are excluded and counted."""
    lines = book.tables.get("lines")
    if lines is None or "currency" not in lines.columns:
        book.currency = wanted
        return
    counted = lines.group_by("currency").agg(n=lines.count()).to_pyarrow().to_pylist()
    found = sorted(((r["currency"], r["n"]) for r in counted if r["currency"]), key=lambda x: (-x[1], x[0]))
    book.currency = reporting_currency(wanted, found, book.tables.get("fx_rate"))
    if [c for c, _ in found] == [book.currency] or not found:
        return
    converted = convert(
        lines, book.tables.get("fx_rate"), book.currency or "", ("amount", "margin", "list_price")
    )
    book.tables["lines"] = book.engine.keep(converted.lines, "converted")
    assert converted.missing is not None
    missing = converted.missing.group_by("currency").agg(n=converted.missing.count()).to_pyarrow().to_pylist()
    for row in sorted(missing, key=lambda r: str(r["currency"])):
        told = say(
            "{n} lines in {currency} are left out: there is no rate into {target}. Add a rates table "
            "(date, from, to, rate).",
            n=row["n"], currency=row["currency"], target=book.currency,
        )  # fmt: skip
        book.facts.rows -= row["n"]
        book.facts.unconverted += ((row["n"], told),)
        book.notes.append(told)


def _move(book: Book, engine: Engine) -> None:
    """Hand the Book's tables over to another engine."""
    book.tables = {name: engine.take(table, name) for name, table in book.tables.items()}
    book.engine = engine


def _workspace(source: Any) -> Path | None:
    """The folder of the workspace that is the one source. Raises BadParameter if it stands among others."""
    listed = source if isinstance(source, list | tuple) else [source]
    paths = [s for s in listed if isinstance(s, str | Path)]
    found = [Path(s) for s in paths if not is_address(s) and (Path(s) / "workspace.json").is_file()]
    if found and len(listed) > 1:
        raise BadParameter(say("{folder} is a workspace; it is asked alone.", folder=str(found[0])))
    return found[0] if found else None


def _paths(source: Any) -> tuple[str, ...]:
    """The paths among the sources, for the recipe; frames have none."""
    if is_address(source):
        return (parse(source).shown,)  # never the password
    if isinstance(source, str | Path):
        return (str(source),)
    listed = (
        source.values() if isinstance(source, Mapping) else source if isinstance(source, list | tuple) else ()
    )
    return tuple(_paths(s)[0] for s in listed if isinstance(s, str | Path))


def _nothing_usable(intake: Intake) -> str:
    if intake.ignored:
        file, why = intake.ignored[0]
        return say(
            "Nothing that can be analysed was found in {file}: {why}. Name the columns with "
            '--map TABLE.COLUMN="Header", '
            "for example --map order_line.customer_id=\"Customer\" --map order_line.net_amount=\"Revenue\".",
            file=file, why=why,
        )  # fmt: skip
    return say("Nothing that can be analysed was found: a customer and an amount are needed.")


def _silent(what: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""
