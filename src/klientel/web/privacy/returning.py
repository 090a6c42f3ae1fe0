"""Persons who were erased do not come back with an old file: keyed digests of what they were known by.

The digests (HMAC with the secret of the workspace) name nobody, and only who has the secret can ask whether a name
is among them. What stands for the person now, the token, stands wherever a file names them again.
"""

# Names in the SQL are those of our own columns and relations.
# ruff: noqa: S608

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from klientel.ingest.values.shapes import identifier
from klientel.words import Sentence, say

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

    from klientel.web.home import Home
    from klientel.web.imports.taking import Staged
    from klientel.web.privacy.models import Erasure

Identity = tuple[str, ...]  # kind, what it is, texts
# Columns of facts that name somebody -> the model, and whether the number or the name stands there.
_OF_FACTS = {"customer_id": ("Company", True), "customer_name": ("Company", False), "rep_id": ("Rep", True)}
_PEOPLE = {"contact": "Contact", "lead": "Lead", "rep": "Rep", "customer": "Company"}


@dataclass(frozen=True)
class Gone:
    """What is known of those who were erased: digest -> (number, name) that stand for the person now."""

    known: Mapping[str, tuple[str, str]]

    @classmethod
    def load(cls) -> Gone:
        """Those of the attached workspace."""
        from klientel.web.privacy.models import Erased

        return cls({d: (n, t) for d, n, t in Erased.objects.values_list("digest", "number", "token")})

    def __bool__(self) -> bool:
        return bool(self.known)

    def find(self, *identity: str) -> tuple[str, str] | None:
        """Number and name that stand for somebody, None for those who were not erased."""
        return self.known.get(digest(identity)) if all(identity) else None

    def named(self, model: str, text: str) -> tuple[str, str] | None:
        """Who is meant by a number, or, of customers and sales people, by a name that stands for one."""
        found = self.find(model, "number", text)
        return found or (self.find(model, "name", text) if model in ("Company", "Rep") else None)

    def row(self, table: str, number: str, row: Mapping[str, Any]) -> tuple[str, str] | None:
        """Who is meant by a row of a file whose number is of no record; None if it is nobody who was erased.

        A name at a company says who it is only where the file has no numbers: of a number that is new it may be a
        namesake.
        """
        model = _PEOPLE.get(table)
        if model is None or not self:
            return None
        found = self.named(model, number)
        email = str(row.get("email") or "")
        if found is None and "@" in email and model != "Company":
            found = self.find("Person", "email", email)
        if found is None and model in ("Contact", "Lead") and not row.get(f"{table}_id"):
            at = row.get("customer_id") or row.get("company") or row.get("company_name") or ""
            found = self.find(model, "name", str(at), _full(row))
        return found


def digest(identity: Iterable[str]) -> str:
    """The keyed digest of an identity, letters and blanks folded."""
    from django.conf import settings

    text = "\x1f".join(" ".join(part.casefold().split()) for part in identity)
    return hmac.new(f"erased {settings.SECRET_KEY}".encode(), text.encode(), "sha256").hexdigest()


def identities(record: Any, *, history: bool = True) -> set[Identity]:
    """What a person's record is known by, as it stands now and, with `history`, as it stood before its changes."""
    from klientel.web.records.models import Change, Company
    from klientel.web.records.values import name_of

    model = type(record).__name__
    states = [{f.attname: getattr(record, f.attname) for f in record._meta.concrete_fields}]
    if history:
        log = Change.objects.filter(model=name_of(type(record)), object_id=record.pk)
        for pair in log.values_list("before", "after"):
            states += [{**states[0], **state} for state in pair if state]
    ids = {s.get("company_id") for s in states} - {None}
    numbers = dict(Company.objects.filter(pk__in=ids).values_list("pk", "number"))
    return {i for state in states for i in _of_state(model, state, numbers) if all(i)}


def _of_state(model: str, state: Mapping[str, Any], numbers: Mapping[int, str]) -> Iterator[Identity]:
    yield model, "number", str(state.get("number") or "")
    if model in ("Company", "Rep"):
        yield model, "name", str(state.get("name") or "")
        return
    email = str(state.get("email") or "")
    if "@" in email:
        yield "Person", "email", email
    for at in (numbers.get(state.get("company_id") or 0), state.get("company_name")):
        yield model, "name", str(at or ""), _full(state)


def _full(state: Mapping[str, Any]) -> str:
    return f"{state.get('first_name') or ''} {state.get('name') or ''}".strip()


def remember(erasure: Erasure, known: Iterable[tuple[Any, set[Identity]]], token: str) -> None:
    """Keep the digests of what records were known by that are anonymised now."""
    from klientel.web.privacy.models import Erased

    made = {
        digest(identity): Erased(digest=digest(identity), number=record.number, token=token, erasure=erasure)
        for record, found in known
        for identity in sorted(found)
        if not identity[-1].startswith("erased-")
    }
    there = set(Erased.objects.filter(digest__in=list(made)).values_list("digest", flat=True))
    Erased.objects.bulk_create([row for key, row in made.items() if key not in there], batch_size=500)


def clean(con: duckdb.DuckDBPyConnection, staged: Mapping[str, Staged], gone: Gone) -> dict[str, Staged]:
    """Facts on their way with tokens where they name somebody who was erased; as they are if nobody is named."""
    found = dict(staged)
    for name, rows in staged.items() if gone else ():
        changed = []
        for column in sorted(_OF_FACTS.keys() & set(rows.columns)):
            model, number = _OF_FACTS[column]
            texts = con.execute(
                f"SELECT DISTINCT {column} FROM {rows.relation} WHERE {column} IS NOT NULL"
            ).fetchall()
            meant = {str(t): m[0 if number else 1] for (t,) in texts if (m := gone.named(model, str(t)))}
            meant = {old: new for old, new in meant.items() if old != new}
            if not meant:
                continue
            words = f"gone_{name}_{column}"
            con.execute(f"CREATE OR REPLACE TEMP TABLE {words} (old VARCHAR, new VARCHAR)")
            con.executemany(f"INSERT INTO {words} VALUES (?, ?)", [list(pair) for pair in meant.items()])
            cell = identifier(column)
            changed.append(
                f"coalesce((SELECT g.new FROM {words} g WHERE g.old = s.{cell}), s.{cell}) AS {cell}"
            )
        if changed:
            view = f"{rows.relation}_without"
            con.execute(
                f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT * REPLACE ({', '.join(changed)}) FROM {rows.relation} s"
            )
            found[name] = replace(rows, relation=view)
    return found


def again(home: Home, gone: Gone, now: datetime) -> int:
    """Erase in a restored workspace whom a newer one says were erased; how many records. Its digests come along."""
    from klientel.web.imports.writing import writing
    from klientel.web.privacy import erasing
    from klientel.web.privacy.models import Erased, Erasure

    found = list(_back(gone))
    if found:
        erasing.erase(home, found, now, why="restore")
    with writing(home, "erase", now):
        there = set(Erased.objects.values_list("digest", flat=True))
        missing = [(d, *who) for d, who in gone.known.items() if d not in there]
        if missing:
            state = {"at": now, "why": "restore", "token": "", "model": "", "state": Erasure.State.DONE}
            protocol = Erasure.objects.filter(why="restore").last() or Erasure.objects.create(**state)
            Erased.objects.bulk_create(
                [Erased(digest=d, number=n, token=t, erasure=protocol) for d, n, t in missing], batch_size=500
            )
    return len(found)


def _back(gone: Gone) -> Iterator[Any]:
    """Records of persons who were erased elsewhere and are there in clear."""
    from klientel.web.records import models

    numbers = dict(models.Company.objects.values_list("pk", "number"))
    for name in _PEOPLE.values():
        model = getattr(models, name)
        for record in (
            model.objects.exclude(name__startswith="erased-").order_by("pk").iterator(chunk_size=2000)
        ):
            state = {f.attname: getattr(record, f.attname) for f in record._meta.concrete_fields}
            own = [i for i in _of_state(name, state, numbers) if all(i)]
            if any(gone.find(*i) for i in own):
                yield record


def told(number: int) -> Sentence:
    """What is said of rows that were left out."""
    return say("{n} rows are of persons who were erased; they were left out.", n=number)
