"""Portfolios on the cast: members by rule and by hand on any day, joiners, leavers, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal as D
from typing import Any

import pytest

import cast
import klientel
from klientel.errors import BadParameter, NotAllowed
from klientel.web import portfolios

AT = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def anna(home: Any) -> Any:
    from klientel.web.records.models import Company, Rep

    rep = Rep.objects.create(number="anna", name="Anna")
    for row in cast.CUSTOMERS:
        Company.objects.create(number=row["customer_id"], name=row["name"])
    return rep


def _book(as_of: date, **changed: dict[str, Any]) -> Any:
    """The cast as of a day; changed: customer number -> attributes that are different."""
    import pyarrow as pa

    rows = [{**row, **changed.get(row["customer_id"], {})} for row in cast.CUSTOMERS]
    return klientel.open_book({**cast.frames(), "customer": pa.Table.from_pylist(rows)}, as_of=as_of)


def _company(number: str) -> Any:
    from klientel.web.records.models import Company

    return Company.objects.get(number=number)


def test_members_are_those_who_work_with_the_company(anna: Any) -> None:
    food = portfolios.create(None, "Food", anna, {"industry_code": ["food"]}, AT)
    found = portfolios.members(_book(cast.AS_OF), food)
    # K06 left, K10 sent everything back, K11 is a lead.
    assert [m.number for m in found] == ["K03", "K04", "K05"]
    assert {(m.how, m.status, m.status_reason) for m in found} == {("rule", "active", "order")}
    steel = portfolios.create(None, "Steel", anna, {"industry_code": ["steel"]}, AT)
    # K12 is a partner; K09's only order lies more than its window back.
    assert "K12" not in [m.number for m in portfolios.members(_book(cast.AS_OF), steel)]


def test_members_of_an_old_day_are_those_of_then(anna: Any) -> None:
    food = portfolios.create(None, "Food", anna, {"industry_code": ["food"]}, AT)
    assert [m.number for m in portfolios.members(_book(date(2022, 7, 1)), food)] == ["K06"]


def test_a_rule_needs_all_of_its_attributes(anna: Any) -> None:
    both = portfolios.create(None, "B", anna, {"industry_code": ["food"], "owner_rep_id": ["ben"]}, AT)
    assert [m.number for m in portfolios.members(_book(cast.AS_OF), both)] == ["K04", "K05"]
    absent = portfolios.create(None, "C", anna, {"industry_code": ["food"], "size_class": ["L"]}, AT)
    assert portfolios.members(_book(cast.AS_OF), absent) == []


def test_by_hand_adds_and_keeps_out_for_a_time(anna: Any) -> None:
    food = portfolios.create(None, "Food", anna, {"industry_code": ["food"]}, AT)
    portfolios.put_in(None, food, _company("K01"), AT, since=date(2024, 6, 1), reason="key account")
    portfolios.put_in(None, food, _company("K11"), AT)  # a lead stays outside
    portfolios.put_in(
        None, food, _company("K04"), AT, excluded=True, since=date(2024, 1, 1), until=date(2025, 1, 1)
    )
    found = {m.number: m.how for m in portfolios.members(_book(cast.AS_OF), food)}
    assert found == {"K01": "hand", "K03": "rule", "K05": "rule"}
    assert "K04" in {m.number for m in portfolios.members(_book(date(2025, 1, 2)), food)}
    assert "K01" not in {m.number for m in portfolios.members(_book(date(2024, 6, 1)), food)}
    assert "K01" in {m.number for m in portfolios.members(_book(date(2024, 6, 2)), food)}


def test_joiners_and_leavers_with_their_reasons(anna: Any) -> None:
    all_ = portfolios.create(
        None, "Both", anna, {"owner_rep_id": ["anna"], "industry_code": ["food", "steel"]}, AT
    )
    k5, k2 = _company("K05"), _company("K02")
    portfolios.put_in(None, all_, k5, AT, since=date(2024, 6, 1), reason="asked for her")
    gone = portfolios.put_in(None, all_, k2, AT, excluded=True, since=date(2024, 8, 1), reason="goes to Ben")
    assert gone.excluded
    before = _book(
        date(2024, 1, 1),
        K01={"owner_rep_id": "ben"},
        K04={"owner_rep_id": "anna"},
        K03={"industry_code": "x"},
    )
    found = portfolios.moves(before, _book(cast.AS_OF), all_)
    told = {(m.number, m.joined): (m.reason, str(m.told)) for m in found}
    assert told == {
        ("K01", True): ("owner_changed", "Owner: ben → anna"),
        ("K03", True): ("attribute_changed", "Industry: x → food"),
        ("K05", True): ("by_hand", "by hand: asked for her"),
        ("K08", True): (
            "came_back",
            "reactivated: ordered again after a pause longer than the activity window",
        ),
        ("K02", False): ("by_hand", "by hand: goes to Ben"),
        ("K06", False): ("lapsed", "former: no order within the activity window"),
        ("K04", False): ("owner_changed", "Owner: anna → ben"),
    }
    assert [m.joined for m in found] == sorted((m.joined for m in found), reverse=True)


def test_who_lapsed_and_who_became_active(anna: Any) -> None:
    every = portfolios.create(None, "Anna", anna, {"owner_rep_id": ["anna", "ben"]}, AT)
    found = portfolios.moves(_book(date(2022, 7, 1)), _book(cast.AS_OF), every)
    told = {m.number: (m.joined, m.reason) for m in found}
    assert told["K06"] == (False, "lapsed")
    assert told["K02"] == told["K07"] == (True, "became_active")
    # Whoever is in on one day and not on the other is told of, nobody else.
    inside = [{m.number for m in portfolios.members(_book(d), every)} for d in (date(2022, 7, 1), cast.AS_OF)]
    assert {m.number for m in found if m.joined} == inside[1] - inside[0]
    assert {m.number for m in found if not m.joined} == inside[0] - inside[1]


def test_nobody_moves_between_a_day_and_itself(anna: Any) -> None:
    every = portfolios.create(None, "Anna", anna, {"owner_rep_id": ["anna"]}, AT)
    assert portfolios.moves(_book(cast.AS_OF), _book(cast.AS_OF), every) == []


def test_the_book_of_a_portfolio(anna: Any) -> None:
    food = portfolios.create(None, "Food", anna, {"industry_code": ["food"]}, AT)
    book = portfolios.book_of(_book(cast.AS_OF), food)
    assert klientel.analyse(book, "abc").figures["total_value"] == D("1800.00")
    assert book.facts.rows == 6
    empty = portfolios.create(None, "Nobody", None, None, AT)
    assert portfolios.book_of(_book(cast.AS_OF), empty).facts.rows == 0


@pytest.mark.parametrize(
    ("rule", "cure"),
    [
        ({"industri_code": ["food"]}, "did you mean industry_code"),
        ({"industry_code": []}, "at least one value"),
        ({"employees": ["many"]}, "cannot be a value of employees"),
        ({"status": ["lead"]}, "no attribute status"),
        ({"email": ["x"]}, "no attribute email"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(anna: Any, rule: dict[str, Any], cure: str) -> None:
    with pytest.raises(BadParameter, match=cure):
        portfolios.create(None, "P", anna, rule, AT)


def test_nobody_gives_himself_a_rule(anna: Any) -> None:
    from klientel.web.accounts.models import Grant, User
    from klientel.web.rights import access

    user = User.objects.create(username="anna")
    anna.user = user
    anna.save()
    for action in ("read", "write"):
        Grant.objects.create(user=user, action=action, scope="own")
    with pytest.raises(NotAllowed):
        portfolios.create(user, "All", anna, {"industry_code": ["food"]}, AT)
    own = portfolios.create(user, "Mine", anna, None, AT)
    with pytest.raises(NotAllowed):
        portfolios.change_rule(user, own, {"industry_code": ["food"]}, AT)
    with pytest.raises(NotAllowed):
        portfolios.put_in(user, own, _company("K01"), AT)  # nobody's yet
    assert access(user).numbers("read") == set()


def test_ending_a_membership_is_told_as_the_reason(anna: Any) -> None:
    hand = portfolios.create(None, "Hand", anna, None, AT)
    row = portfolios.put_in(None, hand, _company("K01"), AT, since=date(2024, 1, 1))
    portfolios.take_out(None, row, date(2024, 12, 1), AT, reason="moved to key accounts")
    (move,) = portfolios.moves(_book(date(2024, 12, 1)), _book(cast.AS_OF), hand)
    assert (move.joined, move.reason, str(move.told)) == (False, "by_hand", "by hand: moved to key accounts")
    with pytest.raises(BadParameter, match="ends after"):
        portfolios.put_in(None, hand, _company("K01"), AT, since=date(2024, 1, 2), until=date(2024, 1, 2))


def test_the_last_membership_that_ended_tells_why_somebody_left(anna: Any) -> None:
    from klientel.web.portfolios import _hands

    hand = portfolios.create(None, "Hand", anna, None, AT)
    for since, until in ((2020, 2021), (2022, 2023)):
        days = {"since": date(since, 1, 1), "until": date(until, 1, 1)}
        portfolios.put_in(None, hand, _company("K01"), AT, **days, reason="x")
    rows = list(hand.members.order_by("valid_from"))
    for row, why in zip(rows, ("first", "last"), strict=True):
        type(row).objects.filter(pk=row.pk).update(reason_left=why)
    assert _hands(hand, date(2024, 1, 1)) == {"K01": ("", "last")}
    assert _hands(hand, date(2021, 6, 1)) == {"K01": ("", "first")}


def test_portfolios_of_a_customer_are_those_that_the_database_says(anna: Any) -> None:
    """One customer looked at in memory meets a rule exactly where the condition on all customers does."""
    from klientel.web.records import custom
    from klientel.web.records.models import Company, Portfolio
    from klientel.web.rights.members import fits, rule_condition

    custom.define(Company, "vip", "VIP", "flag", at=AT)
    Company.objects.filter(number="K01").update(
        custom={"vip": True}, owner=anna, acquired_on=date(2024, 1, 1), employees=5
    )
    Company.objects.filter(number="K02").update(custom={"vip": False}, country="DE")
    rules: list[Any] = [
        {"vip": ["true"]}, {"vip": ["false"]}, {"vip": ["True"]}, {"owner_rep_id": ["anna"]}, {"country": ["DE", "FR"]},
        {"employees": [5]}, {"employees": ["x"]}, {"acquired_on": ["2024-01-01"]}, {"nothing": ["1"]}, {},
        {"country": ["DE"], "vip": ["false"]}, {"country": ["DE"], "vip": ["true"]},
    ]  # fmt: skip
    for rule in rules:
        condition = rule_condition(rule)
        wanted = set() if condition is None else set(Company.objects.filter(condition))
        assert {c for c in Company.objects.all() if fits(c, rule)} == wanted, rule
    vip = portfolios.create(None, "VIP", anna, {"vip": ["true"]}, AT)
    hand = portfolios.create(None, "Hand", anna, None, AT)
    for since, excluded in ((date(2020, 1, 1), False), (date(2022, 1, 1), True)):
        portfolios.put_in(None, hand, _company("K01"), AT, since=since, excluded=excluded)
    assert portfolios.reaching(_company("K01"), date(2021, 1, 1)) == [hand, vip]
    assert portfolios.reaching(_company("K01"), date(2023, 1, 1)) == [vip]  # what begins later counts
    for name in (" VIP ", "  "):
        with pytest.raises(BadParameter):
            portfolios.create(None, name, anna, None, AT)
    assert Portfolio.objects.count() == 2
