"""Who a person is: the records that are about it, and the words that name it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from klientel.errors import BadParameter, nearest
from klientel.words import Sentence, mark, say

KINDS: dict[str, str] = {
    "contact": "Contact",
    "lead": "Lead",
    "customer": "Company",  # a sole trader is a person
    "rep": "Rep",
}
TITLES = {
    "Contact": mark("Contact"),
    "Lead": mark("Lead"),
    "Company": mark("Customer"),
    "Rep": mark("Sales person"),
}
_SHORTEST = 4  # signs of a word that may be looked for everywhere
_FORMS = r"\s*(e\.?\s?k(fr|fm|\.)?\.?|einzelunternehmen|inh\.?|inhaber(in)?|sole trader)\s*$"


@dataclass(frozen=True)
class Words:
    """The words that name a person.

    sure: name it wherever they stand (full names, addresses, numbers); near: name it only in what is about it or
    its company (the surname alone).
    """

    sure: frozenset[str]
    near: frozenset[str] = frozenset()

    @cached_property
    def everywhere(self) -> re.Pattern[str] | None:
        """Finds the sure words."""
        return _pattern(self.sure)

    @cached_property
    def close(self) -> re.Pattern[str] | None:
        """Finds the sure words and the near ones."""
        return _pattern(self.sure | self.near)

    def __or__(self, other: Words) -> Words:
        """Both together."""
        return Words(self.sure | other.sure, self.near | other.near)


@dataclass
class Person:
    """A person: the record that was asked for and the others that are about the same one (same e-mail, merged)."""

    records: list[Any]
    words: Words
    companies: frozenset[int] = field(default_factory=frozenset)

    @property
    def record(self) -> Any:
        """The record that was asked for."""
        return self.records[0]

    def ids(self, model: str) -> list[int]:
        """The ids of the person's records of a model."""
        return [r.pk for r in self.records if type(r).__name__ == model]


def find(kind: str, number: str) -> Any:
    """The record of a person: kind is a key of `KINDS`, number the record's number or e-mail address.

    Raises BadParameter if there is none, with the nearest number.
    """
    from klientel.web.records import models

    if kind not in KINDS:
        raise BadParameter(
            say("{kind} is no kind of person; there are: {names}.", kind=kind, names=list(KINDS))
        )
    model = getattr(models, KINDS[kind])
    found = model.objects.filter(number=number).first()
    if found is None and hasattr(model, "email"):
        same = list(model.objects.filter(email__iexact=number)[:2])
        if len(same) > 1:
            raise BadParameter(
                say("Several records have the address {number}; give a number.", number=number)
            )
        found = same[0] if same else None
    if found is None:
        near = nearest(number, list(model.objects.values_list("number", flat=True)[:5000]))
        hint: Sentence | str = say(" Did you mean {near}?", near=near) if near else ""
        raise BadParameter(
            say("There is no {what} {number}.{hint}", what=TITLES[KINDS[kind]], number=number, hint=hint)
        )
    return found


def person(record: Any) -> Person:
    """The person behind a record, with the other records about it: same e-mail address, merged, converted."""
    from klientel.web.records import models

    records = [record]
    for other in _same(record, models):
        if (type(other), other.pk) not in {(type(r), r.pk) for r in records}:
            records.append(other)
    words = Words(frozenset())
    companies: set[int] = set()
    for one in records:
        words |= words_of(one)
        if isinstance(one, models.Company):
            companies.add(one.pk)
        elif getattr(one, "company_id", None):
            companies.add(one.company_id)
    # What is the company's own (its switchboard, its site) names nobody.
    own = models.Company.objects.filter(pk__in=companies).exclude(
        pk__in=[r.pk for r in records if isinstance(r, models.Company)]
    )
    shared = {v.strip() for pair in own.values_list("phone", "website", "name") for v in pair if v}
    return Person(records, Words(words.sure - shared, words.near - shared), frozenset(companies))


def _same(record: Any, models: Any) -> list[Any]:
    found: list[Any] = []
    merged = getattr(record, "merged_into_id", None)
    if merged is not None and not isinstance(record, models.Company):
        found.append(type(record).objects.get(pk=merged))
    if hasattr(record, "merged") and not isinstance(record, models.Company):
        found += list(record.merged.all())
    email = (getattr(record, "email", "") or "").strip()
    if email and not isinstance(record, models.Company):
        found += [
            *models.Contact.objects.filter(email__iexact=email),
            *models.Lead.objects.filter(email__iexact=email),
        ]
    return found


def words_of(record: Any) -> Words:
    """The words that name whom a record is about, as it stands now and as it stood before its changes."""
    from klientel.web.records.models import Change
    from klientel.web.records.values import name_of

    states = [{f.attname: getattr(record, f.attname) for f in record._meta.concrete_fields}]
    log = Change.objects.filter(model=name_of(type(record)), object_id=record.pk)
    for before, after in log.values_list("before", "after"):
        states += [s for s in (before, after) if s]
    sure: set[str] = set()
    near: set[str] = set()
    for state in states:
        found = _company_words(state) if type(record).__name__ == "Company" else _words(state)
        sure |= found.sure
        near |= found.near
    return Words(frozenset(sure), frozenset(near - sure))


def _words(state: dict[str, Any]) -> Words:
    sure = _reachable(state)
    near = set()
    first, last = _text(state, "first_name"), _text(state, "name")
    if first and last:
        sure |= {f"{first} {last}", f"{last}, {first}", f"{last} {first}"}
        near.add(last)
    elif " " in last:
        sure.add(last)
        near.add(last.split(",")[0] if "," in last else last.split()[-1])
    elif last:
        near.add(last)
    return Words(frozenset(sure), frozenset(n for n in near if len(n) >= 2))


def _company_words(state: dict[str, Any]) -> Words:
    sure = _reachable(state)
    for name in (_text(state, "name"), _text(state, "contact_name")):
        bare = re.sub(_FORMS, "", name, flags=re.IGNORECASE).strip(" ,")
        sure |= {n for n in (name, bare) if len(n) >= _SHORTEST}
    for column in ("vat_id", "street"):
        if len(_text(state, column)) >= _SHORTEST:
            sure.add(_text(state, column))
    return Words(frozenset(sure))


def _reachable(state: dict[str, Any]) -> set[str]:
    found = {_text(state, c) for c in ("email", "phone", "website")}
    number = _text(state, "number")
    if "@" in number or " " in number:  # a name or an address that stands for a number
        found.add(number)
    return {w for w in found if len(w) >= _SHORTEST}


def _text(state: dict[str, Any], column: str) -> str:
    return str(state.get(column) or "").strip()


def _pattern(words: frozenset[str]) -> re.Pattern[str] | None:
    if not words:
        return None
    longest = sorted(words, key=lambda w: (-len(w), w))
    parts = [r"\s+".join(re.escape(p) for p in w.split()) for w in longest]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)
