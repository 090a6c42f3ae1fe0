"""Pairs of which somebody said that they are two stay away, through mergers and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from klientel.errors import BadParameter

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def made(home: Any) -> dict[str, Any]:
    """Three companies that look like one, and two contacts that do."""
    from klientel.web.records import services
    from klientel.web.records.models import Company, Contact

    firms = {
        n: services.add(Company, {"number": n, "name": "Kettler GmbH", "city": "Ulm"}, at=AT) for n in "ABC"
    }
    people = {
        n: services.add(
            Contact, {"number": n, "name": "Eva Lang", "company": firms["A"], "email": "e@lang.de"}, at=AT
        )
        for n in ("P", "Q")
    }
    return firms | people


def pairs(kind: str = "companies") -> set[tuple[int, int]]:
    from klientel.web.records import duplicates

    return {(x.first, x.second) for x in getattr(duplicates, kind)()}


def ids(made: dict[str, Any], *names: str) -> tuple[int, ...]:
    return tuple(sorted(made[n].pk for n in names))


def test_a_dismissed_pair_is_not_shown_until_it_is_taken_back(made):
    from klientel.web.records import duplicates
    from klientel.web.records.models import Change, Company

    ab, ac, bc = (ids(made, *names) for names in ("AB", "AC", "BC"))
    assert pairs() == {ab, ac, bc}
    duplicates.dismiss((made["B"], made["A"]), at=AT)
    duplicates.dismiss((made["A"], made["B"]), at=AT)
    assert pairs() == {ac, bc}
    assert [x.second for x in duplicates.like(made["A"])] == [made["C"].pk]
    assert duplicates.dismissed(Company) == [ab]
    log = Change.objects.filter(model="NotDuplicate")
    assert [c.why for c in log] == ["dismiss"]
    assert log[0].after == {"kind": "Company", "first": ab[0], "second": ab[1]}
    duplicates.undismiss((made["A"], made["B"]), at=AT)
    duplicates.undismiss((made["A"], made["B"]), at=AT)
    assert pairs() == {ab, ac, bc}
    assert [c.why for c in log.order_by("pk")] == ["dismiss", "undismiss"]


def test_contacts_too(made):
    from klientel.web.records import duplicates

    assert pairs("contacts") == {ids(made, "P", "Q")}
    duplicates.dismiss((made["P"], made["Q"]), at=AT)
    assert pairs("contacts") == set()
    assert len(pairs()) == 3


def test_what_a_record_was_merged_into_stands_for_it(made):
    from klientel.web.records import duplicates, merging
    from klientel.web.records.models import Company

    duplicates.dismiss((made["A"], made["B"]), at=AT)
    merging.merge(made["C"], [made["A"]], at=AT)
    assert pairs() == set()
    assert duplicates.dismissed(Company) == [ids(made, "B", "C")]
    made["A"].refresh_from_db()
    merging.unmerge(made["A"], at=AT)
    assert pairs() == {ids(made, "A", "C"), ids(made, "B", "C")}
    merging.merge(made["C"], [made["A"]], at=AT)
    duplicates.undismiss((made["B"], made["C"]), at=AT)
    assert pairs() == {ids(made, "B", "C")}


def test_those_merged_all_the_same_are_no_pair(made):
    from klientel.web.records import duplicates, merging
    from klientel.web.records.models import Company

    duplicates.dismiss((made["A"], made["B"]), at=AT)
    merging.merge(made["A"], [made["B"]], at=AT)
    assert duplicates.dismissed(Company) == []
    made["B"].refresh_from_db()
    merging.unmerge(made["B"], at=AT)
    assert duplicates.dismissed(Company) == [ids(made, "A", "B")]


def test_a_pair_is_two_of_a_kind(made):
    from klientel.web.records import duplicates

    for pair in [
        (made["A"], made["A"]),
        (made["A"], made["P"]),
        (made["A"],),
        (made["A"], made["B"], made["C"]),
    ]:
        with pytest.raises(BadParameter, match="two companies, or two contacts"):
            duplicates.dismiss(pair, at=AT)
