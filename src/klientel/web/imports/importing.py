"""Importing files: a dry run that says what would happen, and the commit, in one step that readers see whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from klientel.ingest.raw import Progress
from klientel.schema import TABLES
from klientel.web.home import Home
from klientel.web.imports import heads, lines, rejected
from klientel.web.imports.counts import Counts
from klientel.web.imports.disk import told_if_full
from klientel.web.imports.models import Import, Snapshot
from klientel.web.imports.numbers import Known
from klientel.web.imports.renumbering import RENUMBERED
from klientel.web.imports.taking import Staged, Taken, fingerprints, take
from klientel.web.imports.upserting import Upsert
from klientel.web.imports.writing import newest, writing
from klientel.web.privacy import returning
from klientel.web.records.models import Company, Succession
from klientel.web.rights import demand_all
from klientel.words import Sentence, mark, say


@dataclass(frozen=True)
class Options:
    """How files are to be read, kept with the import so that it can be done again alike.

    job: number of the job that does it, by which it is found again where that is cut off.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    template: str | None = None
    overwrite: bool = False
    today: date | None = None
    job: int | None = None


@dataclass
class Report:
    """What an import did, or would do: counts by table with samples, rejections, notes."""

    counts: dict[str, Counts]
    taken: Taken
    run: Import | None = None
    notes: list[Sentence] = field(default_factory=list)
    rejected_files: list[Path] = field(default_factory=list)

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """For JSON."""
        from klientel.result import plain
        from klientel.words import translate

        def told(sample: dict[str, Any]) -> dict[str, Any]:
            return {k: [plain(x) for x in v] if isinstance(v, list) else _plain(v) for k, v in sample.items()}

        def _plain(value: Any) -> Any:
            return value if isinstance(value, dict) else plain(value)

        return {
            "import": self.run.pk if self.run else None,
            "tables": {
                name: {
                    **counts.to_dict(),
                    "samples": {k: [told(s) for s in v] for k, v in counts.samples.items()},
                }
                for name, counts in self.counts.items()
            },
            "rejected_files": [str(p) for p in self.rejected_files],
            "notes": [translate(n, lang) for n in self.notes],
        }

    @property
    def changes(self) -> bool:
        """True if anything is created or updated."""
        return any(c.create or c.update for c in self.counts.values())


def dry_run(
    home: Home,
    files: Sequence[str | Path],
    *,
    options: Options | None = None,
    actor: Any = None,
    progress: Progress,
    now: datetime | None = None,
) -> Report:
    """Say what an import of the whole files would do; writes nothing. Raises BadFile, BadParameter, NotAllowed."""
    demand_all(actor, "write")
    options = options or Options()
    taken = _take(files, options, progress)
    at = now or datetime.now(UTC)
    upsert = Upsert(taken, None, at, actor, overwrite=options.overwrite)
    snapshot = newest()
    counts = {
        name: lines.plan(
            taken, staged, lines.table(home, name), snapshot.facts.get(name) if snapshot else None
        )
        for name, staged in taken.staged.items()
    }
    counts |= upsert.everything(progress)
    return _report(home, taken, counts, upsert, snapshot.facts if snapshot else {})


def run(
    home: Home,
    files: Sequence[str | Path],
    *,
    options: Options | None = None,
    actor: Any = None,
    progress: Progress,
    now: datetime | None = None,
) -> Report:
    """Import files. All or nothing: readers see the snapshot before or the one after, whenever it is cut off.

    Raises BadFile or BadParameter for input that cannot be used, Busy while another process writes, NotAllowed
    unless `actor` may change everybody's customers.
    """
    demand_all(actor, "write")
    options = options or Options()
    at = now or datetime.now(UTC)
    known = fingerprints(files)
    with told_if_full(home.folder), writing(home, "import", at) as held:
        started = Import.objects.create(
            at=at,
            actor=actor,
            files=known,
            options={
                "mapping": dict(options.mapping),
                "template": options.template,
                "overwrite": options.overwrite,
                "job": options.job,
            },
        )
        try:
            return _commit(home, started, files, options, actor, progress, at, held.recovered)
        except BaseException:
            _failed(started)
            raise


def _commit(
    home: Home,
    started: Import,
    files: Sequence[str | Path],
    options: Options,
    actor: Any,
    progress: Progress,
    at: datetime,
    recovered: list[Sentence],
) -> Report:
    folder = home.of_import(started.pk)
    taken = _take(files, options, progress)
    before = newest()
    pinned: dict[str, int] = dict(before.facts) if before else {}
    known = dict(before.book) if before else {}
    counts: dict[str, Counts] = {}
    described: dict[str, Any] = {}
    for name, staged in taken.staged.items():
        counts[name], pinned[name], described[name] = _facts(
            home, taken, staged, known.get(name, {}), pinned.get(name, -1), started.pk, progress
        )
    if described.keys() & {lines.LINES, heads.HEADS} and lines.LINES in pinned:
        filled = [*known.get(lines.LINES, {}).get("columns", []), *_columns(taken)]
        described[lines.LINES] = heads.describe(taken.con, home, pinned, list(dict.fromkeys(filled)))
    with transaction.atomic():
        upsert = Upsert(taken, started, at, actor, overwrite=options.overwrite)
        counts |= upsert.everything(progress)
        report = _report(home, taken, counts, upsert, before.facts if before else {})
        report.notes = [*recovered, *report.notes]
        report.run = started
        report.rejected_files = rejected.write(taken, folder)
        started.counts = {
            "tables": {n: c.to_dict() for n, c in counts.items()},
            "value": list(taken.value),
            "source": taken.facts.source,
        }
        started.state = Import.State.DONE
        started.save()
        Snapshot.objects.create(
            at=at,
            why="import",
            facts={name: version for name, version in pinned.items() if version >= 0},
            book=_book(known, described, taken),
            import_run=started,
        )
    return report


def _take(files: Sequence[str | Path], options: Options, progress: Progress) -> Taken:
    companies = Company.objects.order_by("pk").values_list("number", "name").iterator(chunk_size=5000)
    taken = take(
        files,
        mapping=options.mapping,
        template=options.template,
        progress=progress,
        today=options.today,
        known=Known(companies, Succession.objects.filter(kind=RENUMBERED).values_list("from_id", flat=True)),
    )
    taken.staged = returning.clean(taken.con, taken.staged, returning.Gone.load())
    return taken


def _facts(
    home: Home,
    taken: Taken,
    staged: Staged,
    known: dict[str, Any],
    pinned: int,
    run: int,
    progress: Progress,
) -> tuple[Counts, int, dict[str, Any]]:
    """Upsert one fact table: counts, the version to pin, what readers want to know of it."""
    facts = lines.table(home, staged.name)
    version = facts.version() if facts.exists else None
    counts = lines.plan(taken, staged, facts, version)
    if counts.create or counts.update:
        progress(mark("Writing the rows"), 0, None)
        pinned = lines.commit(taken, staged, facts, version, run, home.of_import(run)).version
    if staged.name == lines.LINES:
        return counts, pinned, {}  # described with their orders
    filled = list(dict.fromkeys([*known.get("columns", []), *staged.columns]))
    return counts, pinned, lines.describe(taken.con, facts, pinned, filled)


def _columns(taken: Taken) -> tuple[str, ...]:
    staged = taken.staged.get(lines.LINES)
    return staged.columns if staged else ()


def _report(
    home: Home, taken: Taken, counts: dict[str, Counts], upsert: Upsert, pinned: Mapping[str, int]
) -> Report:
    """Rejected rows are counted where they were to go; what could not be kept, and what waits, is said."""
    for name, table in taken.intake.tables.items():
        target = "lines" if name in ("order_line", "credit_note_line") else name
        if name == heads.HEADS and taken.facts.source == heads.HEADS:
            target = "lines"
        if table.rejected:
            counts.setdefault(target, Counts()).rejected += table.rejected
    notes = list(taken.intake.notes)
    for (place, column), n in sorted(upsert.unfit.items()):
        known = column in TABLES[place].names()
        title = TABLES[place].field(column).title if known else column
        notes.append(say("{n} values of {column} were cut or left out: they do not fit.", n=n, column=title))
    if upsert.left_out:
        notes.append(returning.told(upsert.left_out))
    waiting = heads.missing(taken.con, taken.staged, home, pinned)
    if waiting:
        notes.append(heads.told(waiting))
    return Report(counts, taken, notes=notes)


def _book(known: dict[str, Any], described: dict[str, Any], taken: Taken) -> dict[str, Any]:
    """What the snapshot says of its Book: the lines, and which columns of records ever came in."""
    columns = {t: list(c) for t, c in known.get("columns", {}).items()}
    for table, (_, names) in taken.tables.items():
        columns[table] = list(dict.fromkeys([*columns.get(table, []), *names]))
    return {**known, **described, "columns": columns}


def _failed(started: Import) -> None:
    """Remember that it failed, if that can be remembered; the next writer cleans up otherwise."""
    from django.db import DatabaseError

    try:
        Import.objects.filter(pk=started.pk).update(state=Import.State.FAILED)
    except DatabaseError:
        return
