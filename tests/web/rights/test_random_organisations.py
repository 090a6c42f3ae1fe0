"""Random organisations: the rights agree with a plain reading of the rules, and totals never leak."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import klientel
from klientel.web.rights import access, demand, narrow, visible

DAY = date(2025, 1, 1)
ACTIONS = ("read", "write", "export", "margin", "personal")
SCOPES = ("own", "team", "subtree", "all")
FIRMS = 14


@dataclass
class Organisation:
    """Teams (parent of each, None or any other, circles too), people, sales people and their customers."""

    parents: list[int | None]
    teams: list[int | None]  # of each person
    sells: list[bool]  # whether the person is a sales person
    chiefs: list[int | None]  # whom the sales person reports to
    grants: list[dict[str, str]]
    states: list[str]  # "", "gone", "admin"
    owners: list[int | None]  # person of each customer
    steel: list[bool]  # whether the rule of the portfolio takes the customer
    portfolio: int | None  # whose portfolio of steel
    users: list[Any] = field(default_factory=list)


@st.composite
def organisations(draw: st.DrawFn) -> Organisation:
    teams = draw(st.integers(1, 5))
    people = draw(st.integers(1, 7))
    some_team = st.none() | st.integers(0, teams - 1)
    someone = st.none() | st.integers(0, people - 1)
    grants = st.dictionaries(st.sampled_from(ACTIONS), st.sampled_from(SCOPES), max_size=5)
    mostly = st.sampled_from(["", "", "", "", "", "gone", "admin"])

    def each(kind: Any, n: int) -> list[Any]:
        return draw(st.lists(kind, min_size=n, max_size=n))

    return Organisation(
        parents=each(some_team, teams),
        teams=each(some_team, people),
        sells=each(st.sampled_from([True, True, True, False]), people),
        chiefs=each(someone, people),
        grants=[
            {"read": draw(st.sampled_from(SCOPES)), **g} if draw(st.booleans()) else g
            for g in each(grants, people)
        ],
        states=each(mostly, people),
        owners=each(someone, FIRMS),
        steel=each(st.booleans(), FIRMS),
        portfolio=draw(someone),
    )


def _build(made: Organisation) -> None:
    from klientel.web.accounts.models import Grant, Team, User
    from klientel.web.records.models import Company, Portfolio, Rep

    teams = [Team.objects.create(name=f"T{i}") for i in range(len(made.parents))]
    for team, parent in zip(teams, made.parents, strict=True):
        if parent is not None and teams[parent] != team:
            Team.objects.filter(pk=team.pk).update(parent=teams[parent])
    reps: dict[int, Any] = {}
    for i, team in enumerate(made.teams):
        state = made.states[i]
        user = User.objects.create(
            username=f"u{i}", team=teams[team] if team is not None else None,
            is_active=state != "gone", is_superuser=state == "admin",
        )  # fmt: skip
        made.users.append(User.objects.get(pk=user.pk))
        for action, scope in made.grants[i].items():
            Grant.objects.create(user=user, action=action, scope=scope)
        if made.sells[i]:
            reps[i] = Rep.objects.create(number=f"r{i}", name=f"R{i}", user=user)
    for i, chief in enumerate(made.chiefs):
        if i in reps and chief in reps and chief != i:
            Rep.objects.filter(pk=reps[i].pk).update(reports_to=reps[chief])
    for i, owner in enumerate(made.owners):
        kind = "steel" if made.steel[i] else "food"
        Company.objects.create(
            number=f"K{i:02d}", name=f"Firm {i}", owner=reps.get(owner), industry_code=kind
        )
    if made.portfolio in reps:
        Portfolio.objects.create(name="Steel", owner=reps[made.portfolio], rule={"industry_code": ["steel"]})


def _reached(made: Organisation, person: int, action: str) -> set[str]:
    """The customers of an action, read off the rules one by one."""
    everybody = {f"K{i:02d}" for i in range(FIRMS)}
    if made.states[person] == "gone":
        return set()
    if made.states[person] == "admin":
        return everybody
    grants = made.grants[person]
    if "read" not in grants or action not in grants:
        return set()
    scope = min(grants["read"], grants[action], key=SCOPES.index)
    if scope == "all":
        return everybody
    sellers = {person}
    team = made.teams[person]
    if scope in ("team", "subtree") and team is not None:
        teams = {team}
        while scope == "subtree":
            more = {t for t, p in enumerate(made.parents) if p in teams and p != t} - teams
            if not more:
                break
            teams |= more
        sellers |= {i for i, t in enumerate(made.teams) if t in teams}
    if scope == "subtree" and made.sells[person]:
        below = {person}
        while (
            more := {
                i
                for i, c in enumerate(made.chiefs)
                if c in below and made.sells[i] and c != i and made.sells[c or 0]
            }
            - below
        ):
            below |= more
        sellers |= below
    sellers = {i for i in sellers if made.sells[i]}
    found = {f"K{i:02d}" for i, o in enumerate(made.owners) if o in sellers}
    if made.portfolio in sellers:
        found |= {f"K{i:02d}" for i in range(FIRMS) if made.steel[i]}
    return found


@pytest.fixture(scope="module")
def whole() -> Any:
    """A Book of the customers, each with revenue that no sum of others equals, half of it margin."""
    import pyarrow as pa

    lines = [
        {"order_id": str(i), "customer_id": f"K{i:02d}", "order_date": date(2024, 1 + i % 12, 5),
         "net_amount": D(2**i), "direct_cost": D(2**i) / 2, "product_id": "P", "qty": D(1)}
        for i in range(FIRMS)
    ]  # fmt: skip
    return klientel.open_book({"order_line": pa.Table.from_pylist(lines)}, as_of=DAY)


class _Back(Exception):
    """Takes a whole organisation out of the database again."""


def _in(made: Organisation, check: Any) -> None:
    from django.db import transaction

    try:
        with transaction.atomic():
            _build(made)
            check()
            raise _Back
    except _Back:
        pass


_QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@given(made=organisations())
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=_QUIET)
def test_everybody_reaches_what_the_rules_say(home: Any, made: Organisation) -> None:
    from klientel.web.records.models import Company

    def check() -> None:
        everybody = {f"K{i:02d}" for i in range(FIRMS)}
        keys: dict[str, Any] = {}
        for person, user in enumerate(made.users):
            found = access(user, DAY)
            sights = []
            for action in ACTIONS:
                wanted = _reached(made, person, action)
                numbers = found.numbers(action)
                assert (everybody if numbers is None else set(numbers)) == wanted, (person, action)
                listed = visible(Company.objects.all(), found, action).values_list("number", flat=True)
                assert set(listed) == wanted
                if action != "write":
                    sights.append((found.everything(action), frozenset(wanted), found.rep_numbers(action)))
                assert wanted <= _reached(made, person, "read")
            sight = tuple(sights)
            assert keys.setdefault(found.key, sight) == sight  # a result is never shared by two sights
            for firm in Company.objects.all()[:3]:
                assert _allowed(user, firm) is (firm.number in _reached(made, person, "write"))

    _in(made, check)


def _allowed(user: Any, record: Any) -> bool:
    from klientel.errors import NotAllowed

    try:
        demand(user, "write", record)
    except NotAllowed:
        return False
    return True


@given(made=organisations())
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=_QUIET)
def test_totals_never_leak(home: Any, whole: Any, made: Organisation) -> None:
    """Whoever's revenue a Book tells, told exactly: 2 to the power of each customer's number."""

    def worth(numbers: set[str]) -> D:
        return sum((D(2 ** int(n[1:])) for n in numbers), D(0))

    def check() -> None:
        for person, user in enumerate(made.users[:4]):
            for action in ("read", "export"):
                book = narrow(whole, user, action)
                seen = _reached(made, person, action)
                lines = book.tables["lines"]
                row = lines.agg(amount=lines.amount.sum(), n=lines.count()).to_pyarrow().to_pylist()[0]
                assert (row["amount"] or D(0), row["n"]) == (worth(seen), len(seen))
                assert book.facts.rows == len(seen)
                costed = _reached(made, person, "margin") & seen
                if "margin" in lines.columns:
                    margin = lines.agg(m=lines.margin.sum()).to_pyarrow()["m"][0].as_py()
                    assert (margin or D(0)) == worth(costed) / 2
                else:
                    assert not costed

    _in(made, check)


@given(made=organisations())
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=_QUIET)
def test_what_disjoint_people_see_adds_up_to_the_whole(home: Any, whole: Any, made: Organisation) -> None:
    def check() -> None:
        from klientel.web.accounts.models import Grant
        from klientel.web.records.models import Company, Portfolio

        Portfolio.objects.all().delete()
        Grant.objects.all().delete()
        total, count = D(0), 0
        for user in made.users:
            Grant.objects.create(user=user, action="read", scope="own")
            user.is_superuser, user.is_active = False, True
            user.save()
            result = klientel.analyse(narrow(whole, user), "abc", window="all")
            total += result.figures["signed_total"]
            count += result.figures["customers"]
        owned = list(Company.objects.exclude(owner=None).values_list("number", flat=True))
        assert count == len(owned)
        assert total == sum((D(2 ** int(n[1:])) for n in owned), D(0))

    _in(made, check)
