"""Companies and contacts that are probably there twice, with the reasons, and any two side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.web.records import blocking, changes, names
from klientel.web.records.labels import labels
from klientel.web.records.likeness import LIKELY, Commonness, Firm, Likeness, alike, compare
from klientel.web.records.merging import survivors
from klientel.web.records.models import Company, Contact, NotDuplicate
from klientel.web.records.rows import ModelClass
from klientel.web.records.values import columns, field_title, name_of
from klientel.words import Sentence, say

_FIRM = (
    "pk",
    "name",
    "legal_form",
    "street",
    "postcode",
    "city",
    "country",
    "phone",
    "website",
    "email",
    "vat_id",
)
_PERSON = ("pk", "company_id", "first_name", "name", "email", "phone")
# Not shown side by side: ours.
_HIDDEN = frozenset({"created_at", "updated_at", "deleted_at", "imported_by_id", "merged_into_id", "source"})


@dataclass(frozen=True)
class Line:
    """One line of a comparison: what it is about, the value of each record, whether they are the same."""

    column: str
    title: str
    values: tuple[Any, ...]

    @property
    def same(self) -> bool:
        """True if all records say the same."""
        return all(value == self.values[0] for value in self.values)


def companies(*, actor: Any = None, among: Iterable[int] | None = None) -> list[Likeness]:
    """Pairs of companies that are probably one, most certain first; those that `actor` may see.

    among: ids of companies, of which at least one must be in a pair (those of an import, for example). 100,000
    companies take some seconds, in memory of some hundred bytes each.
    """
    seen = rights.visible(Company.present.all(), actor).order_by("pk")
    found = alike([Firm(*row) for row in seen.values_list(*_FIRM).iterator(chunk_size=5000)])
    return _among(_undismissed(Company, found), among)


def like(company: Any, *, actor: Any = None) -> list[Likeness]:
    """The companies that a company, also one that is not saved yet, may be there already as."""
    if company.pk is not None:
        rights.demand(actor, "read", company)
    seen = rights.visible(Company.present.exclude(pk=company.pk), actor).order_by("pk")
    mine = Firm(company.pk or 0, *(str(getattr(company, name)) for name in _FIRM[1:]))
    core = mine.parts.core
    word = max(mine.parts.words, key=len, default="")
    firms = [Firm(*row) for row in seen.values_list(*_FIRM).iterator(chunk_size=5000)]
    common = Commonness([*(f.parts.core for f in firms), core])
    near = [f for f in firms if word[:3] in f.parts.core or _proven(mine, f)]
    found = _undismissed(Company, [compare(mine, f, common) for f in near])
    return sorted((x for x in found if x.points >= LIKELY), key=lambda x: (-x.points, x.second))


def _proven(a: Firm, b: Firm) -> bool:
    return any(x and x == y for x, y in ((a.vat, b.vat), (a.domain, b.domain), (a.line, b.line)))


def contacts(*, actor: Any = None, among: Iterable[int] | None = None) -> list[Likeness]:
    """Pairs of contacts that are probably one person: the same address, or the same name at the same company."""
    seen = rights.visible(Contact.present.all(), actor).order_by("pk")
    people = [_Person(*row) for row in seen.values_list(*_PERSON).iterator(chunk_size=5000)]
    keys = [
        [p.email.lower() for p in people],
        [f"{p.company} {' '.join(p.words)}" if p.company and p.words else "" for p in people],
        [f"{p.company} {p.last}" if p.company and p.last else "" for p in people],
        [f"{p.line} {p.last}" if p.line and p.last else "" for p in people],
    ]
    pairs = blocking.pairs(["" for _ in people], keys, [])
    found = [_same_person(people[i], people[j]) for i, j in pairs.tolist()]
    likely = sorted((x for x in found if x.points >= LIKELY), key=lambda x: (-x.points, x.first, x.second))
    return _among(_undismissed(Contact, likely), among)


def dismiss(pair: Sequence[Any], *, actor: Any = None, at: datetime) -> None:
    """Remember that two companies, or two contacts, are two: the pair is not shown again. Twice is once.

    What either is merged into later stands for it in the pair. Raises BadParameter for anything but two different
    records of one of these kinds, NotAllowed unless `actor` may change both.
    """
    model, first, second = _pair(pair, actor)
    if (first, second) not in _dismissed(model):
        values = {"kind": name_of(model), "first": first, "second": second}
        changes.create(NotDuplicate, values, actor, "dismiss", at)


def undismiss(pair: Sequence[Any], *, actor: Any = None, at: datetime) -> None:
    """Forget that two records are two: the pair is shown again as long as it looks like one. See `dismiss`."""
    model, first, second = _pair(pair, actor)
    with transaction.atomic():
        for row in _dismissed(model).get((first, second), ()):
            changes.delete(row, actor, "undismiss", at)


def dismissed(model: ModelClass, *, actor: Any = None) -> list[tuple[int, int]]:
    """The pairs of which somebody said that they are two, as ids of what stands there now; what `actor` may see."""
    seen = rights.visible(NotDuplicate.objects.filter(kind=name_of(model)), actor)
    return sorted(_dismissed(model, set(seen.values_list("pk", flat=True))))


def _pair(pair: Sequence[Any], actor: Any) -> tuple[ModelClass, int, int]:
    model: ModelClass = type(pair[0])
    ids = sorted({record.pk for record in pair})
    if model not in (Company, Contact) or len(pair) != 2 or len(ids) != 2 or type(pair[1]) is not model:
        raise BadParameter(say("A pair is two companies, or two contacts."))
    rights.demand(actor, "write", *pair)
    return model, ids[0], ids[1]


def _dismissed(model: ModelClass, keys: set[int] | None = None) -> dict[tuple[int, int], list[NotDuplicate]]:
    """Pairs that were dismissed, by the ids of what stands there now; those merged into one another are none."""
    rows = [r for r in NotDuplicate.objects.filter(kind=name_of(model)) if keys is None or r.pk in keys]
    heirs = survivors(model, sorted({i for r in rows for i in (r.first, r.second)})) if rows else {}
    found: dict[tuple[int, int], list[NotDuplicate]] = {}
    for row in rows:
        first, second = sorted((heirs.get(row.first, row.first), heirs.get(row.second, row.second)))
        if first != second:
            found.setdefault((first, second), []).append(row)
    return found


def _undismissed(model: ModelClass, found: list[Likeness]) -> list[Likeness]:
    gone = _dismissed(model)
    return [x for x in found if (min(x.first, x.second), max(x.first, x.second)) not in gone]


def side_by_side(records: list[Any], *, actor: Any = None) -> list[Line]:
    """Records beside one another, column by column, without columns that are empty in all.

    What `actor` may not see (personal data, costs) is left out; hidden records that others refer to are told by
    number, as in lists.
    """
    model: ModelClass = type(records[0])
    shown = [rights.shown(record, actor) for record in records]
    lines = []
    for name in columns(model):
        values = tuple(row.get(name) for row in shown)
        if name in _HIDDEN or name == "custom" or all(v in (None, "") for v in values):
            continue
        field = columns(model)[name]
        if field.related_model is not None:
            known = labels(field.related_model, values, actor=actor)
            values = tuple(known.get(v) if v is not None else None for v in values)
        lines.append(Line(name, field_title(model, name), values))
    custom = [row.get("custom") or {} for row in shown]
    keys = sorted({key for own in custom for key in own})
    return [*lines, *(Line(f"custom.{k}", k, tuple(own.get(k) for own in custom)) for k in keys)]


@dataclass(frozen=True)
class _Person:
    id: int
    company: int | None
    first: str
    name: str
    email: str
    phone: str

    @property
    def words(self) -> tuple[str, ...]:
        return names.person(self.first, self.name)

    @property
    def last(self) -> str:
        """The longest word of the last name, so that titles and initials do not matter."""
        own = (
            names.person("", self.name.partition(",")[0]) if "," in self.name else names.person("", self.name)
        )
        whole = (
            own if self.first or "," in self.name else own[-1:] if len(own) == 1 else _last_word(self.name)
        )
        return max(whole, key=len, default="")

    @property
    def line(self) -> str:
        return names.phone(self.phone)


def _last_word(text: str) -> tuple[str, ...]:
    return names.person("", text.split()[-1]) if text.split() else ()


def _same_person(a: _Person, b: _Person) -> Likeness:
    points, reasons = 0, []
    if a.email and a.email.lower() == b.email.lower():
        points += 60
        reasons.append(say("the same e-mail address"))
    if a.line and a.line == b.line:
        points += 20
        reasons.append(say("the same phone number"))
    if a.company is not None and a.company == b.company:
        points += 20
        reasons.append(say("the same company"))
    got, reason = _person_names(a, b)
    return Likeness(a.id, b.id, max(0, min(100, points + got)), (reason, *reasons))


def _person_names(a: _Person, b: _Person) -> tuple[int, Sentence]:
    """Points for the names: the same, an initial for a first name, one letter off, or somebody else."""
    from rapidfuzz import fuzz

    if a.words == b.words:
        return (45 if len(a.words) > 1 else 30), say("the same name")
    one, other = set(a.words), set(b.words)
    rest = sorted(one - other), sorted(other - one)
    if not rest[0] or not rest[1]:
        return 30, say("one name is part of the other")
    if len(rest[0]) == len(rest[1]) == 1:
        x, y = rest[0][0], rest[1][0]
        if one & other and (x[0] == y[0]) and 1 in (len(x), len(y)):
            return 40, say("the same name, one with an initial")
        if one & other and fuzz.ratio(x, y) >= 80:
            return 40, say("names that differ by a letter")
    return -40, say("different names")


def _among(found: list[Likeness], among: Iterable[int] | None) -> list[Likeness]:
    if among is None:
        return found
    wanted = set(among)
    return [x for x in found if x.first in wanted or x.second in wanted]
