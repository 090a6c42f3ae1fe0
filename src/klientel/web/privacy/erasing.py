"""Erasing a person everywhere: files of imports, facts, records, history, log, caches, old copies.

The rows stay, with a token where the person stood, so what analyses count stays. The order makes it safe to be cut
off anywhere and done again: files and facts first, which nobody sees change until the records, the log and the new
snapshot are written in one transaction; old copies are swept last, by whoever writes next if need be.
"""

# Columns of the SQL are those of our own tables, quoted; words go through a table of replacements.
# ruff: noqa: S608

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from klientel.web.privacy import cleaning, returning
from klientel.web.privacy.persons import Person, Words, person
from klientel.web.privacy.redacting import (
    Cutter,
    clean_file,
    cleaned_sql,
    load,
    replacements,
    text_columns,
)
from klientel.words import mark, say

if TYPE_CHECKING:
    from klientel.ingest.raw import Progress
    from klientel.web.home import Home
    from klientel.web.privacy.models import Erasure


def erase(
    home: Home,
    records: Sequence[Any],
    now: datetime,
    *,
    actor: Any = None,
    why: str = "request",
    progress: Progress | None = None,
) -> Erasure:
    """Take persons out of every store of a workspace; the protocol, which names nobody.

    records: `Contact`, `Lead`, `Rep`, or a `Company` that is a sole trader. Rows and counts stay. Backups kept in
    the workspace's folder are deleted; those that lie elsewhere hold what they held. Raises NotAllowed unless
    `actor` may change everything and see personal data, Busy while another process writes.
    """
    from klientel.web import rights
    from klientel.web.imports.writing import writing

    rights.demand_all(actor, "write")
    rights.demand(actor, "personal", *records)
    tell = progress or _silent
    with writing(home, "erase", now):
        finish(home, now)
        persons = [person(record) for record in records]
        tokens = [f"erased-{token_hex(5)}" for _ in persons]
        protocol = _erase(home, persons, tokens, actor, why, now, tell)
        finish(home, now)
        protocol.refresh_from_db()
    return protocol


def finish(home: Home, now: datetime) -> None:
    """Sweep the old copies of erasures that were begun: replaced files, caches, uploads, backups in the folder, free
    pages of the database.

    Only under the writers' lock; does nothing if nothing is left to do. An erasure whose old pages another process
    still reads stays begun, and the next writer tries again.
    """
    from klientel.web.imports import drafts, kept_backups
    from klientel.web.imports.writing import sweep
    from klientel.web.privacy.models import Erasure

    begun = Erasure.objects.filter(state=Erasure.State.BEGUN)
    if not begun.exists():
        return
    sweep(home, now, grace=timedelta(0))
    shutil.rmtree(home.folder / "cache", ignore_errors=True)
    drafts.clear(home)  # files that nobody imported yet
    kept_backups.clear(home)
    if compact_database():
        begun.update(state=Erasure.State.DONE)


def _erase(
    home: Home,
    persons: Sequence[Person],
    tokens: Sequence[str],
    actor: Any,
    why: str,
    now: datetime,
    progress: Progress,
) -> Erasure:
    from django.db import transaction

    from klientel.engine import connect
    from klientel.web.api.models import Kept
    from klientel.web.imports.models import Snapshot
    from klientel.web.imports.writing import newest
    from klientel.web.privacy.models import Erasure

    everywhere, close = cutters(persons, tokens)
    counts: Counter[str] = Counter()
    engine = connect(None)
    con = engine.connection.con
    progress(mark("Cleaning the files of imports"), 0, None)
    folder = home.folder / "imports"
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file():
            counts["import_files"] += clean_file(
                path, close if path.suffix != ".parquet" else everywhere, con
            )
    progress(mark("Cleaning the facts"), 0, None)
    before = newest()
    pinned = dict(before.facts) if before else {}
    facts = {**pinned, **_clean_facts(home, pinned, everywhere, con, counts)}
    progress(mark("Cleaning the records"), 0, None)
    with transaction.atomic():
        known = [[(r, returning.identities(r)) for r in one.records] for one in persons]
        for one, token in zip(persons, tokens, strict=True):
            cleaning.anonymise(one, token, close, actor, now, counts)
        cleaning.clean_records(persons, everywhere, close, actor, now, counts)
        cleaning.clean_log(persons, everywhere, close, counts)
        counts["kept_answers"] += int(Kept.objects.all().delete()[0])
        Snapshot.objects.create(at=now, why="erase", facts=facts, book=before.book if before else {})
        protocol = Erasure.objects.create(
            at=now,
            actor=actor,
            why=why,
            token=", ".join(tokens) if len(tokens) <= 2 else f"{len(tokens)} × erased",
            model=", ".join(sorted({type(r).__name__ for one in persons for r in one.records}))[:50],
            counts=dict(counts),
        )
        for records, token in zip(known, tokens, strict=True):
            returning.remember(protocol, records, token)
    return protocol


def cutters(persons: Sequence[Person], tokens: Sequence[str]) -> tuple[Cutter, Cutter]:
    """What takes the sure words out, and what takes out the near ones, too."""
    words = Words(frozenset())
    for one in persons:
        words |= one.words
    names: dict[str, str] = {}
    for one, token in zip(persons, tokens, strict=True):
        names |= {" ".join(w.lower().split()): token for w in one.words.sure | one.words.near}
    sure = {w: t for w, t in names.items() if w in {" ".join(s.lower().split()) for s in words.sure}}
    return Cutter(words.everywhere, sure), Cutter(words.close, names)


def _clean_facts(
    home: Home, pinned: dict[str, int], cutter: Cutter, con: Any, counts: Counter[str]
) -> dict[str, int]:
    """Fact tables without the words, as new versions that no reader sees yet."""
    from klientel.web.imports.writing import tables

    found: dict[str, int] = {}
    for name, table in tables(home).items():
        version = pinned.get(name, -1)
        stored = table.select(version)
        if not stored:
            continue
        columns = [c for c in text_columns(con, stored) if c != "file"]
        changed = replacements(con, stored, columns, cutter)
        if not changed:
            continue
        load(con, changed)
        holds = " OR ".join(f'"{c}" IN (SELECT old FROM words_gone)' for c in columns)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE rows_old AS SELECT * EXCLUDE (file) FROM ({stored}) WHERE {holds}"
        )
        con.execute("CREATE OR REPLACE TEMP TABLE rows_gone AS SELECT row_key FROM rows_old")
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE rows_new AS {cleaned_sql('SELECT * FROM rows_old', columns)}"
        )
        written = table.replace(con, version, why="erase", drop="rows_gone", put="rows_new")
        counts[f"facts_{name}"] += int(con.execute("SELECT count(*) FROM rows_new").fetchall()[0][0])
        found[name] = written.version
    return found


def compact_database() -> bool:
    """Rewrite the database so that nothing of what was overwritten is left in its files; False if it is in use."""
    from django.apps import apps
    from django.db import OperationalError, connection

    if connection.in_atomic_block:  # somebody's transaction is open: no database rewrites itself in one
        return False
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for app in ("records", "imports", "accounts", "api", "jobs"):
                for model in apps.get_app_config(app).get_models():
                    cursor.execute(f"VACUUM FULL {connection.ops.quote_name(model._meta.db_table)}")
            return True
        try:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return not cursor.fetchone()[0]
        except OperationalError:
            return False


def told(protocol: Erasure) -> str:
    """The protocol in a sentence."""
    places = sum(protocol.counts.values())
    state = (
        mark("old copies are gone, backups kept in the workspace too")
        if protocol.state == "done"
        else mark("old copies go when nobody reads them")
    )
    return say("{token}: {n} places cleaned, {state}.", token=protocol.token, n=places, state=state)


def _silent(what: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""
