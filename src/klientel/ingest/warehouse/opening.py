"""Opens a Book on tables that stay where they are: sampled, recognised, read as expressions, nothing copied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from klientel.book import Book, Facts
from klientel.engine import Engine, connect
from klientel.ingest.documents import kinds_by_values
from klientel.ingest.intake import Intake, TableReport
from klientel.ingest.mapping import Template, recognise
from klientel.ingest.raw import Progress, RawTable
from klientel.ingest.reading import tells
from klientel.ingest.soundness import narrowed
from klientel.ingest.values import profile
from klientel.ingest.warehouse import lines, reading, sampling
from klientel.ingest.warehouse.reading import Far
from klientel.ingest.warehouse.tables import Remote
from klientel.schema import TABLES
from klientel.words import mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

_PUT_TOGETHER = ("customer", "order_line", "order_header", "credit_note_line")


class Warehouse:
    """The steps from the tables of an engine to a Book; only samples and counts come to this machine."""

    def __init__(self, engine: Engine, tables: list[Remote], progress: Progress) -> None:
        self.engine = engine
        self.tables = tables
        self.progress = progress
        self.intake = Intake()
        self.reads: dict[str, list[Far]] = defaultdict(list)
        self.raws: list[RawTable] = []

    def read(self, overrides: Mapping[str, str], template: Template | None) -> None:
        """Recognise all tables by a sample of each, and read them as expressions."""
        looking = connect(None)  # profiles of the samples are computed by the embedded engine
        con = looking.con
        known: dict[str, ir.Table] = {}
        profiles = {}
        for i, remote in enumerate(self.tables):
            self.progress(mark("Looking at the columns"), i, len(self.tables))
            raw = narrowed(sampling.sample(remote))
            self.raws.append(raw)
            known[raw.name] = remote.table
            con.register(f"raw_{i}", raw.source)
            profiles[i] = profile(con, f"raw_{i}", raw)
        found = recognise(self.raws, profiles, overrides, template, sampling.Far(self.raws, known))
        self.intake.recognitions = found
        numbers = {id(raw): i for i, raw in enumerate(self.raws)}
        self.intake.notes += [
            say("{files}: {note}", files=[r.place], note=n) for r in self.raws for n in r.notes
        ]
        for k, recognition in enumerate(found):
            self.progress(mark("Reading the tables"), k, len(found))
            raw = recognition.raw
            if recognition.table is None:
                self.intake.ignored.append((raw.place, recognition.why))
                continue
            if recognition.periods:
                why = say("one amount per period in columns is read from files only; give one row per period")
                self.intake.ignored.append((raw.place, why))
                continue
            columns = profiles[numbers[id(raw)]]
            kinds_by_values(recognition, columns)
            read = reading.read(recognition, known[raw.name], columns)
            self.reads[recognition.table].append(read)
            self.intake.notes += read.notes

    def book(self, today: date | None) -> Book:
        """The Book of everything that was read."""
        for deal in self.reads.get("opportunity", []):
            lines.with_outcome(deal)
        customers = lines.customers(self.reads.get("customer", []))
        if customers is not None:
            customers = self.engine.keep(customers, "known_customers")
        self.progress(mark("Putting the lines together"), 0, None)
        made, source, notes = lines.lines(self.reads, lines.names_of(customers), today)
        self.intake.notes += notes
        tables: dict[str, ir.Table] = {}
        if made is not None:
            tables["lines"] = made
        if customers is not None:
            tables["customer"] = customers
        for name, reads in self.reads.items():
            if name not in _PUT_TOGETHER:
                tables[name] = lines.together(name, reads)
        facts = Facts() if made is None else self._facts(made, source)
        self._report()
        return Book(self.engine, tables, facts, intake=self.intake, notes=self.intake.notes)

    def _facts(self, made: ir.Table, source: str) -> Facts:
        asked: dict[str, Any] = {"rows": made.count()}
        if "day" in made.columns:
            asked |= {"first": made.day.min(), "last": made.day.max()}
        if "is_credit" in made.columns:
            asked["credits"] = made.is_credit.cast("int64").sum()
        row = made.agg(**asked).to_pyarrow().to_pylist()[0]
        valued = [r for r in self.reads.get("order_line", []) if r.value is not None]
        whole = sum(r.value or 0 for r in valued)
        taken = sum(r.value_taken or 0 for r in valued)
        return Facts(
            rows=int(row["rows"]),
            first_day=row.get("first"),
            last_day=row.get("last"),
            credits=bool(row.get("credits")),
            source=source,
            value_coverage=min(1.0, taken / whole) if whole > 0 else None,
            uncovered=say("rows without customer or with an unreadable value"),
        )

    def _report(self) -> None:
        """Counts and matches of each canonical table for `klientel check`."""
        for name, reads in self.reads.items():
            report = TableReport(name, TABLES[name].title)
            for read in reads:
                found = read.recognition
                report.files.append(found.raw.place)
                report.rows += read.rows
                report.rejected += read.rejected if tells(found) else 0
                report.again += read.rows if found.secondary else 0
                report.matches = {**found.columns, **found.attributes, **report.matches}
                report.unmapped += [h for h in found.unmapped if h not in report.unmapped]
                self.intake.rejected += read.rejected if tells(found) else 0
            self.intake.tables[name] = report
