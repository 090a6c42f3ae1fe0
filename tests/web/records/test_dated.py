"""Attributes as they were: a result for an old date never changes when newer edits arrive."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klientel.errors import BadParameter


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


START = date(2024, 1, 1)


@pytest.fixture
def kept(home: Any) -> Any:
    from klientel.web.records import changes, dated, models

    class Kept:
        c, d, m = changes, dated, models

    return Kept


def run(number: int) -> Any:
    from klientel.web.imports.models import Import

    return Import.objects.create(pk=number, at=at(START), state="done")


def test_an_attribute_is_seen_as_it_was(kept: Any) -> None:
    anna = kept.c.create(kept.m.Rep, {"number": "anna"}, at=at(START))
    ben = kept.c.create(kept.m.Rep, {"number": "ben"}, at=at(START))
    firm = kept.c.create(kept.m.Company, {"number": "K1", "owner": anna, "segment": "A"}, at=at(START))
    assert kept.d.on_day(date(2024, 6, 1)) == {}
    kept.c.update(firm, {"owner": ben}, at=at(date(2024, 3, 1)), reason="Anna left")
    kept.c.update(firm, {"owner": None}, at=at(date(2024, 5, 1)))
    assert kept.d.on_day(date(2024, 3, 1)) == {"owner_rep_id": {firm.pk: "anna"}}
    assert kept.d.on_day(date(2024, 3, 2)) == {"owner_rep_id": {firm.pk: "ben"}}
    assert kept.d.on_day(date(2024, 6, 1), ["owner_rep_id"]) == {"owner_rep_id": {firm.pk: ""}}
    assert kept.d.on_day(date(2024, 6, 1), ["segment"]) == {}
    assert kept.d.history(firm, "owner_rep_id") == [
        (None, "anna", ""),
        (date(2024, 3, 1), "ben", "Anna left"),
        (date(2024, 5, 1), "", ""),
    ]


def test_two_edits_of_one_day_count_once(kept: Any) -> None:
    firm = kept.c.create(kept.m.Company, {"segment": "A"}, at=at(START))
    for value in "BC":
        kept.c.update(firm, {"segment": value}, at=at(date(2024, 3, 1)))
    assert kept.d.history(firm, "segment") == [(None, "A", ""), (date(2024, 3, 1), "C", "")]


def test_imports_write_history_too_but_fill_gaps_from_the_beginning(kept: Any) -> None:
    a, b = kept.c.bulk_create(
        kept.m.Company, [{"number": "A", "segment": "x"}, {"number": "B"}], run(1), at(START)
    )
    later = date(2024, 4, 1)
    kept.c.bulk_update(kept.m.Company, [(a, {"segment": "y"}), (b, {"segment": "y"})], run(2), at(later))
    assert kept.d.on_day(date(2024, 2, 1)) == {"segment": {a: "x"}}
    assert kept.d.on_day(date(2024, 5, 1)) == {"segment": {a: "y"}}


def test_undoing_an_import_takes_back_its_history(kept: Any) -> None:
    (a,) = kept.c.bulk_create(kept.m.Company, [{"number": "A", "segment": "x"}], run(1), at(START))
    second = run(2)
    kept.c.bulk_update(kept.m.Company, [(a, {"segment": "y"})], second, at(date(2024, 4, 1)))
    kept.c.undo(second, at(date(2024, 4, 2)))
    assert not kept.m.DatedValue.objects.exists()
    assert kept.m.Company.objects.get().segment == "x"


def test_history_stays_with_a_company_that_stays(kept: Any) -> None:
    (a,) = kept.c.bulk_create(kept.m.Company, [{"number": "A", "segment": "x"}], run(1), at(START))
    second, third = run(2), run(3)
    kept.c.bulk_update(kept.m.Company, [(a, {"segment": "y"})], second, at(date(2024, 4, 1)))
    kept.c.bulk_update(kept.m.Company, [(a, {"segment": "z"})], third, at(date(2024, 5, 1)))
    firm = kept.m.Company.objects.get()
    kept.c.undo(second, at(date(2024, 6, 2)))
    assert [v for _, v, _ in kept.d.history(firm, "segment")] == ["x", "y", "z"]
    kept.c.undo(third, at(date(2024, 6, 3)))
    assert kept.d.history(firm, "segment") == []
    firm.refresh_from_db()
    assert firm.segment == "x"


def test_custom_fields_have_a_history_unless_they_are_personal(kept: Any) -> None:
    for name, personal in (("size", False), ("hobby", True)):
        kept.c.create(
            kept.m.CustomField,
            {"model": "Company", "name": name, "title": name, "kind": "text", "personal": personal},
            at=at(START),
        )
    firm = kept.c.create(kept.m.Company, {"custom": {"size": "S", "hobby": "golf"}}, at=at(START))
    kept.d.set(firm, "size", "L", date(2024, 2, 1), at=at(date(2024, 3, 1)))
    kept.c.update(firm, {"custom": {"size": "L", "hobby": "chess"}}, at=at(date(2024, 4, 1)))
    assert kept.d.on_day(date(2024, 2, 1)) == {"size": {firm.pk: "S"}}
    assert kept.d.on_day(date(2024, 2, 2)) == {"size": {firm.pk: "L"}}
    firm.refresh_from_db()
    assert firm.custom == {"size": "L", "hobby": "chess"}


def test_the_past_can_be_corrected_without_touching_today(kept: Any) -> None:
    firm = kept.c.create(kept.m.Company, {"segment": "A"}, at=at(START))
    kept.c.update(firm, {"segment": "C"}, at=at(date(2024, 6, 1)))
    kept.d.set(firm, "segment", "B", date(2024, 3, 1), at=at(date(2024, 7, 1)), reason="forgotten")
    firm.refresh_from_db()
    assert firm.segment == "C"
    assert [v for _, v, _ in kept.d.history(firm, "segment")] == ["A", "B", "C"]


def test_a_day_to_come_and_an_unknown_attribute_are_refused(kept: Any) -> None:
    firm = kept.c.create(kept.m.Company, {"segment": "A"}, at=at(START))
    with pytest.raises(BadParameter, match="still to come"):
        kept.d.set(firm, "segment", "B", date(2024, 1, 2), at=at(START))
    with pytest.raises(BadParameter, match="did you mean segment"):
        kept.d.set(firm, "segmnt", "B", START, at=at(START))
    with pytest.raises(BadParameter, match="Companies have no attribute street"):
        kept.d.set(firm, "street", "B", START, at=at(START))


edits = st.lists(
    st.tuples(
        st.integers(1, 30),
        st.sampled_from(["segment", "region", "employees", "manual_status"]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=edits, second=edits)
def test_what_was_answered_for_an_old_day_is_answered_again(kept: Any, first: Any, second: Any) -> None:
    """Each day is asked when it is over; edits of later days change no answer. The model: a dict per day."""
    kept.m.DatedValue.objects.all().delete()
    kept.m.Company.objects.all().delete()
    firm = kept.c.create(kept.m.Company, {"segment": "0", "employees": 5}, at=at(START))
    truth: dict[date, dict[str, str]] = {}

    def seen(day: date) -> dict[str, str]:
        return {name: values[firm.pk] for name, values in kept.d.on_day(day).items()}

    def now() -> dict[str, str]:
        firm.refresh_from_db()
        return {n: str(getattr(firm, n) if getattr(firm, n) is not None else "") for n in
                ("segment", "region", "employees", "manual_status")}  # fmt: skip

    for offset, attribute, value in sorted([*first, *second], key=lambda e: e[0]):
        day = START + timedelta(days=offset)
        truth.setdefault(day, now())  # as it was before the first edit of the day: what as_of = day sees
        given_value = value or None if attribute == "employees" else str(value or "")
        kept.c.update(firm, {attribute: given_value}, at=at(day))
        for asked, was in truth.items():
            answered = {**now(), **seen(asked)}
            assert answered == was, (asked, day)
