"""Role x kind x action over the API: whoever may not see something gets it through no channel.

The records are made from the models, each text with a mark of its own and each number once, so that a leak shows as
a mark in an answer. What a person should see is written down here, not asked of the code.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from klientel.web.rights.reach import ACTIONS

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
OWNERS = ("anna", "ben")
SHARED = ("campaigns", "products", "product-groups", "surveys")
BOTH = frozenset(OWNERS)
NONE: frozenset[str] = frozenset()
# person -> action -> whose customers; the team of the sales people is one
PEOPLE: dict[str, dict[str, str]] = {
    "anna": dict.fromkeys(ACTIONS, "own"),
    "ben": {"read": "own", "write": "own"},
    "cem": dict.fromkeys(ACTIONS, "own"),
    "lena": {"read": "team", "write": "own", "export": "team", "personal": "own"},
    "dora": {"read": "all", "export": "all", "margin": "all"},
    "petra": {"read": "all", "personal": "all", "write": "all"},
    "nobody": {},
}


def reach(person: str, action: str) -> frozenset[str]:
    """Whose customers a person reaches, read from the table above."""
    scope = PEOPLE[person].get(action)
    if scope in ("all", "team"):
        return BOTH
    return frozenset({person}) & BOTH if scope == "own" else NONE


@dataclass
class World:
    """The records of each owner by kind, and the marks that stand in them."""

    people: dict[str, Any]
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    marks: dict[tuple[str, str, str], Any] = field(default_factory=dict)  # kind, owner, column -> value


def _value(kind: Any, column: str, model_field: Any, owner: str, numbers: Any, made: dict[str, Any]) -> Any:
    """A value for a column that stands nowhere else; None where there is none that fits."""
    from django.db import models

    from klientel.web.records.fields import Exact
    from klientel.web.records.kinds import CHOICES

    match model_field:
        case models.ForeignKey():
            return made.get(model_field.related_model.__name__)
        case Exact():
            n = next(numbers)
            return Decimal(n) / 100000 if column in ("probability", "share") else Decimal(n)
        case models.DateTimeField():
            return None
        case models.DateField():
            return date(2027, 1, 1) if column in ("expires_on", "active_to") else date(2025, 1, 1)
        case models.BooleanField():
            return True
        case models.IntegerField():
            return next(numbers)
        case models.JSONField():
            return None
    if column in CHOICES.get(kind.model, {}) or (model_field.max_length or 1000) < 20:
        return None
    return f"{kind.name} {column} of {owner}"


@pytest.fixture
def world(program: Any) -> World:
    """One record of every kind for Anna and for Ben, every column filled."""
    from klientel.web.api.kinds import KINDS
    from klientel.web.api.schemas import open_columns
    from klientel.web.records import changes
    from klientel.web.records import models as m

    for name in (*OWNERS, "cem", "lena"):
        changes.create(m.Rep, {"number": name, "team": "South"}, None, "edit", NOW)
    found = World({})
    for name, grants in PEOPLE.items():
        options = {"rep": name, "team": "South"} if name in (*OWNERS, "cem", "lena") else {}
        found.people[name] = program(name, role=None, grants=grants, **options)
    found.people["boss"] = program()
    numbers = itertools.count(70_001)
    for owner in OWNERS:
        made: dict[str, Any] = {"Rep": m.Rep.objects.get(number=owner)}
        for kind in sorted(KINDS.values(), key=lambda k: k.name not in ("companies", "contacts", "reps")):
            values = {}
            for column, model_field in open_columns(kind).items():
                value = _value(kind, column, model_field, owner, numbers, made)
                if value is not None and not (
                    kind.name in ("companies", "reps") and column.startswith("parent")
                ):
                    values[column] = value
                    found.marks[kind.name, owner, column] = value
            if kind.name == "reps":
                values.pop("number")
                record = made["Rep"]
                changes.update(record, {k: v for k, v in values.items() if k != "team"}, None, "edit", NOW)
            else:
                values.pop("lead_id", None)
                if kind.name != "companies" and "company_id" in values:
                    values["company_id"] = made["Company"].pk
                record = changes.create(
                    kind.model, {k: getattr(v, "pk", v) for k, v in values.items()}, None, "edit", NOW
                )
            made[kind.model.__name__] = record
            found.records.setdefault(kind.name, {})[owner] = record
    return found


def _wanted(world: World, kind: str, person: str) -> set[int]:
    """Ids of the records of a kind that a person sees."""
    records = world.records[kind]
    if kind in SHARED:
        return {r.pk for r in records.values()} if PEOPLE[person].get("read") else set()
    return {record.pk for owner, record in records.items() if owner in reach(person, "read")}


def _ids(answer: Any) -> set[int]:
    assert answer.status_code == 200, answer.content
    return {row["id"] for row in answer.json()["items"]}


def _foreign_marks(world: World, person: str) -> list[str]:
    """Texts of records that the person does not see."""
    return [
        str(value) for (kind, owner, _), value in world.marks.items()
        if isinstance(value, str) and " of " in value and kind not in SHARED and owner not in reach(person, "read")
    ]  # fmt: skip


@pytest.mark.slow
def test_records_are_seen_by_whom_may_see_them_in_every_channel(world: World) -> None:
    """Lists, counts, cursors, by id, by filter, by search, deleted ones, timelines, the feed."""
    from klientel.web.api.kinds import KINDS

    for person, kind in itertools.product(PEOPLE, KINDS):
        who, records = world.people[person], world.records[kind]
        own = _wanted(world, kind, person)
        every = {r.pk for r in records.values()}
        seen = _ids(who.get(f"/{kind}?limit=500"))
        assert seen & every == own, (person, kind)
        ids = "&".join(f"id={pk}" for pk in every)
        counted = who.get(f"/{kind}?{ids}&count=true&limit=1").json()
        assert counted["total"] == len(own), (person, kind)
        paged = {r["id"] for r in counted["items"]}
        while counted["next"]:
            counted = who.get(f"/{kind}?{ids}&count=true&limit=1&cursor={counted['next']}").json()
            paged |= {r["id"] for r in counted["items"]}
        assert paged == own, (person, kind)
        for record in records.values():
            there = 200 if record.pk in own else 404
            assert who.get(f"/{kind}/{record.pk}").status_code == there, (person, kind)
        assert _ids(who.get(f"/{kind}?{ids}&created_at__gte=2020-01-01T00:00&sort=-number")) == own, (
            person,
            kind,
        )
        if not own:
            for owner in OWNERS:
                for column in ("name", "number", "text", "title"):
                    if (kind, owner, column) in world.marks:
                        mark = str(world.marks[kind, owner, column]).replace(" ", "%20")
                        assert _ids(who.get(f"/{kind}?search={mark}")) == set(), (person, kind)
    for person in PEOPLE:
        who = world.people[person]
        text = who.get("/changes?limit=500").content.decode() + who.get("/portfolios").content.decode()
        assert [mark for mark in _foreign_marks(world, person) if mark in text] == [], person
        for kind in ("companies", "leads"):
            for owner, record in world.records[kind].items():
                there = 200 if owner in reach(person, "read") else 404
                assert who.get(f"/{kind}/{record.pk}/timeline").status_code == there, (person, owner)


def _hidden(kind: str) -> list[tuple[str, str]]:
    """(column, right) of the columns of a kind that are personal or costs."""
    from klientel.web.api.kinds import KINDS
    from klientel.web.rights.columns import hidden_fields

    found = hidden_fields(KINDS[kind].model)
    return [*((c, "personal") for c in found.personal), *((c, "margin") for c in found.margin)]


def _sees_value(kind: str, owner: str, person: str, right: str) -> bool:
    if kind in SHARED:
        if person == "boss":
            return True
        return right != "margin" or (
            bool(PEOPLE[person].get("margin")) and PEOPLE[person].get("margin") == PEOPLE[person].get("read")
        )
    return owner in reach(person, right)


@pytest.mark.slow
def test_hidden_values_come_through_no_channel(world: World) -> None:
    """Personal data and costs: null in lists and by id, empty for filters, search and sorting, absent in the feed."""
    from klientel.web.api.kinds import KINDS
    from klientel.web.api.schemas import filter_columns

    tried = 0
    for person, kind in itertools.product(PEOPLE, KINDS):
        who = world.people[person]
        for column, right in _hidden(kind):
            for owner, record in world.records[kind].items():
                if record.pk not in _wanted(world, kind, person) or (kind, owner, column) not in world.marks:
                    continue
                value = world.marks[kind, owner, column]
                shown = _sees_value(kind, owner, person, right)
                told = who.get(f"/{kind}/{record.pk}").json()[column]
                assert (told is not None) is shown, (person, kind, column, owner)
                if column not in filter_columns(KINDS[kind]):
                    continue
                tried += 1
                asked = getattr(value, "pk", value)
                exact = quote(str(asked))
                filters = [f"{column}={exact}", f"{column}__empty=false"]
                if isinstance(value, str):
                    filters.append(f"{column}__contains={quote(value[:9])}")
                if isinstance(value, Decimal):
                    filters.append(f"{column}__gte=1")
                for condition in filters:
                    found = record.pk in _ids(who.get(f"/{kind}?id={record.pk}&{condition}"))
                    assert found is shown, (person, kind, column, condition)
                    total = who.get(f"/{kind}?id={record.pk}&{condition}&count=true").json()["total"]
                    assert (total == 1) is shown, (person, kind, column, condition)
    assert tried > 50
    for person in PEOPLE:
        text = world.people[person].get("/changes?limit=500").content.decode()
        for kind in KINDS:
            for column, right in _hidden(kind):
                for owner in OWNERS:
                    mark = world.marks.get((kind, owner, column))
                    if isinstance(mark, str | Decimal) and not _sees_value(kind, owner, person, right):
                        assert str(mark) not in text, (person, kind, column, owner)


@pytest.mark.slow
def test_sorting_by_a_hidden_column_tells_nothing(world: World) -> None:
    """Hidden values sort as empty ones: by id, up and down alike, on every page."""
    from klientel.web.api.kinds import KINDS
    from klientel.web.api.schemas import filter_columns

    tried = 0
    for person, kind in itertools.product(PEOPLE, KINDS):
        who = world.people[person]
        own = sorted(_wanted(world, kind, person))
        ids = "&".join(f"id={pk}" for pk in own)
        for column, right in _hidden(kind):
            hidden = [r.pk for o, r in world.records[kind].items() if not _sees_value(kind, o, person, right)]
            if len(set(hidden) & set(own)) < 2 or column not in filter_columns(KINDS[kind]):
                continue
            tried += 1
            for sort in (column, f"-{column}"):
                first = who.get(f"/{kind}?{ids}&sort={sort}&limit=1").json()
                second = who.get(f"/{kind}?{ids}&sort={sort}&limit=1&cursor={first['next']}").json()
                assert [r["id"] for r in (*first["items"], *second["items"])] == own, (person, kind, sort)
    assert tried > 5


@pytest.mark.slow
def test_changes_take_the_right_to_write(world: World) -> None:
    """403 for what is seen and may not be changed, 404 for what is not seen; nothing is changed then."""
    from klientel.web.api.kinds import KINDS
    from klientel.web.records.models import Change

    for person, kind in itertools.product(PEOPLE, KINDS):
        who, records = world.people[person], world.records[kind]
        for owner, record in records.items():
            before = Change.objects.count()
            seen = record.pk in _wanted(world, kind, person)
            free = PEOPLE[person].get("write") == "all" if kind in SHARED else owner in reach(person, "write")
            if seen and free:
                continue
            wanted = 403 if seen else 404
            answers = [
                who.patch(f"/{kind}/{record.pk}", {"number": "stolen"}), who.delete(f"/{kind}/{record.pk}"),
                who.post(f"/{kind}/{record.pk}/bring-back"),
            ]  # fmt: skip
            if kind == "deals":
                answers += [who.post(f"/{kind}/{record.pk}/move", {"stage": "x"}),
                            who.post(f"/{kind}/{record.pk}/close", {"outcome": "won"})]  # fmt: skip
            if kind == "leads":
                answers.append(who.post(f"/{kind}/{record.pk}/convert", {}))
            if kind in ("companies", "contacts"):
                others = [r.pk for r in records.values() if r.pk != record.pk]
                answers.append(who.post(f"/{kind}/{record.pk}/merge", {"others": others, "dry_run": True}))
            assert {a.status_code for a in answers} == {wanted}, (person, kind, owner)
            assert Change.objects.count() == before, (person, kind)


def test_nothing_is_hung_on_what_is_not_seen(world: World) -> None:
    """A new task, call or contact at a foreign company is refused as if that were not there."""
    for person in PEOPLE:
        who = world.people[person]
        for owner, firm in world.records["companies"].items():
            if owner in reach(person, "write"):
                continue
            for kind, body in (
                ("tasks", {"title": "x"}), ("contacts", {"name": "x"}), ("deals", {"name": "x"}),
                ("interactions", {"type": "call"}),
            ):  # fmt: skip
                asked = who.post(f"/{kind}", {**body, "company_id": firm.pk})
                assert asked.status_code in (400, 403), (person, owner, kind)
                assert firm.name not in asked.content.decode()


def test_deleted_records_are_for_whom_may_bring_them_back(world: World) -> None:
    """The list of the deleted is narrowed as every other, and by the right to write."""
    boss = world.people["boss"]
    for record in world.records["tasks"].values():
        boss.delete(f"/tasks/{record.pk}")
    for person in PEOPLE:
        wanted = {r.pk for o, r in world.records["tasks"].items() if o in reach(person, "write")}
        assert _ids(world.people[person].get("/tasks?deleted=true")) == wanted, person


def test_acts_of_others_are_not_undone(world: World) -> None:
    """Who may not see what an act did finds no such act; who may not change it is refused."""
    boss = world.people["boss"]
    firm = world.records["companies"]["ben"].pk
    act = boss.patch(f"/companies/{firm}", {"city": "Elsewhere"}).json()["act"]
    told = {
        p: world.people[p].post(f"/acts/{act}/undo").status_code for p in PEOPLE if p not in ("ben", "petra")
    }
    assert told == {"anna": 404, "cem": 404, "lena": 403, "dora": 403, "nobody": 403}
    assert world.people["ben"].post(f"/acts/{act}/undo").status_code == 200


@pytest.mark.slow
def test_analyses_and_their_files_hold_ones_own_customers(world: World, tmp_path: Any, served: Any) -> None:
    """JSON, pages, CSV, Parquet, Arrow and charts: no foreign customer, no cost, no file without the right."""
    import csv

    from klientel.web.imports import importing

    numbers = {o: world.records["companies"][o].number for o in OWNERS}
    place = tmp_path / "lines.csv"
    with place.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Order No", "Customer No", "Date", "Net amount", "Direct cost"])
        for n, owner in enumerate(OWNERS * 6):
            writer.writerow([f"O{n}", numbers[owner], f"2026-0{1 + n % 5}-10", 1000 + n, 400 + n])
    importing.run(served, [place], progress=lambda *_: None, now=NOW)
    for person in PEOPLE:
        who = world.people[person]
        foreign = [numbers[o].encode() for o in OWNERS if o not in reach(person, "read")]
        for path in ("abc", "abc/tables/customers", "abc/charts/pareto", "movement", "rfm"):
            asked = who.get(f"/analyses/{path}?as_of=2026-07-01")
            assert asked.status_code in (200, 400) if PEOPLE[person] else asked.status_code == 403, (
                person,
                path,
            )
            assert [f for f in foreign if f in asked.content] == [], (person, path)
        for form in ("csv", "parquet", "arrow", "xlsx"):
            asked = who.get(f"/analyses/abc/tables/customers?as_of=2026-07-01&format={form}")
            may = bool(PEOPLE[person].get("export"))
            assert (asked.status_code == 403) is not may, (person, form)
            away = [numbers[o].encode() for o in OWNERS if o not in reach(person, "export")]
            assert [f for f in away if f in asked.content] == [], (person, form)
        margins = who.get("/analyses/abc?as_of=2026-07-01&value=margin")
        if margins.status_code == 200 and not reach(person, "margin"):
            assert all(row[2] in (0, None) for row in margins.json()["tables"]["customers"]["rows"]), person
        assert [f for f in foreign if f in margins.content] == [], person
