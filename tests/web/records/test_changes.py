"""Every write leaves a trace, exact to the last place; values that do not fit are refused in words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal as D
from typing import Any

import pytest

from klientel.errors import BadParameter

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2024, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def m(home: Any) -> Any:
    from klientel.web.records import models

    return models


@pytest.fixture
def changes(home: Any) -> Any:
    from klientel.web.records import changes

    return changes


def run(number: int = 1) -> Any:
    from klientel.web.imports.models import Import

    return Import.objects.create(pk=number, at=AT, state="done")


def test_a_creation_is_logged_with_its_values(m: Any, changes: Any) -> None:
    made = changes.create(
        m.Company,
        {"number": "K1", "name": "Müller", "annual_revenue": D("1234.5"), "acquired_on": date(2020, 1, 2)},
        at=AT,
    )
    change = m.Change.objects.get()
    assert (change.model, change.object_id, change.before, change.why, change.at) == (
        "Company",
        made.pk,
        None,
        "edit",
        AT,
    )
    assert change.after == {
        "number": "K1",
        "name": "Müller",
        "annual_revenue": "1234.5000",
        "acquired_on": "2020-01-02",
    }
    assert made.created_at == AT


def test_an_update_logs_what_changed_and_nothing_else(m: Any, changes: Any) -> None:
    rep = changes.create(m.Rep, {"number": "anna", "name": "Anna"}, at=AT)
    firm = changes.create(m.Company, {"number": "K1", "name": "A"}, at=AT)
    assert changes.update(firm, {"name": "A"}, at=LATER) is None
    change = changes.update(firm, {"name": "B", "owner": rep, "segment": ""}, None, "edit", LATER)
    assert change.before == {"name": "A", "owner_id": None}
    assert change.after == {"name": "B", "owner_id": rep.pk}
    firm.refresh_from_db()
    assert (firm.name, firm.owner, firm.updated_at) == ("B", rep, LATER)


def test_a_deleted_record_hides_and_can_come_back(m: Any, changes: Any) -> None:
    firm = changes.create(m.Company, {"name": "A"}, at=AT)
    changes.delete(firm, at=LATER)
    assert not m.Company.present.exists()
    assert m.Company.objects.exists()
    assert changes.delete(firm, at=LATER) is None
    changes.restore(firm, at=LATER)
    assert m.Company.present.get() == firm
    assert [c.why for c in m.Change.objects.order_by("id")] == ["edit", "delete", "restore"]


def test_what_is_deleted_for_good_can_be_made_again(m: Any, changes: Any) -> None:
    rate = changes.create(
        m.Rate,
        {"date": "2024-01-31", "from_currency": "usd", "to_currency": "EUR", "rate": "0.9211111111"},
        at=AT,
    )
    pk = rate.pk
    gone = changes.delete(rate, at=LATER)
    assert not m.Rate.objects.exists()
    again = changes.recreate(gone, at=LATER)
    found = m.Rate.objects.get()
    assert found.pk == again.pk == pk
    assert (found.date, found.from_currency, found.rate) == (date(2024, 1, 31), "USD", D("0.9211111111"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"naem": "A"}, "Company has no naem; did you mean name?"),
        (
            {"annual_revenue": "1.234,56"},
            "Annual revenue of the customer of Company: '1.234,56' is not a number",
        ),
        ({"annual_revenue": D(10) ** 14}, "is too large"),
        ({"acquired_on": "01.03.2024"}, "is not a date; write 2024-03-01"),
        ({"name": "x" * 501}, "is longer than 500 characters"),
        ({"name": 1.5}, "is not a text"),
        ({"employees": "many"}, "is not a whole number"),
        ({"employees": 2.5}, "is not a whole number"),
        ({"owner": "anna"}, "is no record"),
        ({"custom": {"x": object()}}, "cannot be kept"),
    ],
)
def test_values_that_do_not_fit_are_refused(m: Any, changes: Any, values: Any, words: str) -> None:
    with pytest.raises(BadParameter, match=r"(?i)company") as told:
        changes.create(m.Company, {"name": "A", **values}, at=AT)
    assert words in str(told.value)
    assert not m.Company.objects.exists()
    assert not m.Change.objects.exists()


def test_shares_and_currencies_are_checked(m: Any, changes: Any) -> None:
    with pytest.raises(BadParameter, match="fraction between 0 and 1"):
        changes.create(m.Opportunity, {"probability": 40}, at=AT)
    with pytest.raises(BadParameter, match="is not a currency"):
        changes.create(m.Opportunity, {"currency": "Euros"}, at=AT)
    assert changes.create(m.Opportunity, {"currency": "€", "probability": 0.4}, at=AT).currency == "EUR"


def test_a_number_is_given_once(m: Any, changes: Any) -> None:
    changes.create(m.Company, {"number": "K1"}, at=AT)
    with pytest.raises(BadParameter, match="There is a Company with the number K1 already"):
        changes.create(m.Company, {"number": "K1"}, at=AT)
    with pytest.raises(BadParameter, match="a number is there already"):
        changes.bulk_create(m.Company, [{"number": "K2"}, {"number": "K1"}], run(), AT)
    assert m.Company.objects.count() == 1
    assert m.Change.objects.count() == 1


def test_a_stale_edit_is_refused(m: Any, changes: Any) -> None:
    firm = changes.create(m.Company, {"name": "A"}, at=AT)
    seen = changes.version(firm)
    changes.update(firm, {"name": "B"}, at=LATER)
    with pytest.raises(changes.Outdated, match="B was changed on 2024-03-02 by the owner of the workspace"):
        changes.update(firm, {"name": "C"}, at=LATER, based_on=seen)
    firm.refresh_from_db()
    assert firm.name == "B"
    changes.update(firm, {"name": "C"}, at=LATER, based_on=changes.version(firm))
    assert m.Company.objects.get().name == "C"


def test_bulk_writes_the_same_log_as_one_by_one(m: Any, changes: Any) -> None:
    values = [
        {"number": "K1", "name": "A", "annual_revenue": D("99999999999999.9999"), "custom": {"n": D("1.10")}},
        {"number": "K2", "acquired_on": date(2024, 2, 29), "employees": 7},
    ]
    one = [changes.create(m.Company, v, at=AT) for v in values]
    alone = [(c.before, c.after) for c in m.Change.objects.order_by("id")]
    m.Change.objects.all().delete()
    for firm in one:
        firm.delete()
    the_import = run()
    ids = changes.bulk_create(m.Company, values, the_import, AT)
    log = list(m.Change.objects.order_by("id"))
    bulk = [(c.before, {k: v for k, v in c.after.items() if k != "imported_by_id"}) for c in log]
    assert bulk == alone
    assert [c.object_id for c in log] == ids
    assert {c.import_run_id for c in log} == {1}
    kept = m.Company.objects.get(number="K1")
    assert (kept.annual_revenue, kept.imported_by, kept.created_at) == (
        D("99999999999999.9999"),
        the_import,
        AT,
    )
    assert kept.custom == {"n": "1.10"}
    assert m.Company.objects.get(number="K2").acquired_on == date(2024, 2, 29)


def test_ids_are_never_given_again(m: Any, changes: Any) -> None:
    first = changes.bulk_create(m.Company, [{"number": "K1"}, {"number": "K2"}], run(), AT)
    changes.undo(run_of(1), LATER)
    second = changes.bulk_create(m.Company, [{"number": "K1"}], run(2), AT)
    assert not set(first) & set(second)
    assert changes.create(m.Company, {"number": "K9"}, at=AT).pk not in {*first, *second}


def run_of(number: int) -> Any:
    from klientel.web.imports.models import Import

    return Import.objects.get(pk=number)


def test_bulk_update_touches_only_what_differs(m: Any, changes: Any) -> None:
    a, b, c = changes.bulk_create(m.Company, [{"number": n, "name": n} for n in "ABC"], run(), AT)
    changed = changes.bulk_update(
        m.Company,
        [(a, {"name": "A", "city": ""}), (b, {"name": "B2"}), (c, {"city": "Köln", "annual_revenue": 5})],
        run(2),
        LATER,
    )
    assert sorted(changed) == [b, c]
    log = {x.object_id: (x.before, x.after) for x in m.Change.objects.filter(import_run=2)}
    assert log == {
        b: ({"name": "B"}, {"name": "B2"}),
        c: ({"city": "", "annual_revenue": None}, {"city": "Köln", "annual_revenue": "5.0000"}),
    }
    assert m.Company.objects.get(pk=c).annual_revenue == D(5)


def test_bulk_needs_few_queries(m: Any, changes: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    changes.bulk_create(m.Company, [{"number": "warm"}], run(), AT)
    with CaptureQueriesContext(connection) as few:
        ids = changes.bulk_create(m.Company, [{"number": f"K{i}"} for i in range(2000)], run(2), AT)
        changes.bulk_update(m.Company, [(i, {"city": "Ulm"}) for i in ids], run(3), AT)
        changes.undo(run_of(3), AT)
        changes.undo(run_of(2), AT)
    assert len(few) < 120
    assert m.Company.objects.count() == 1


def test_a_number_that_another_has_is_refused_in_words(m: Any, changes: Any) -> None:
    from klientel.web.records import services

    changes.create(m.Company, {"number": "K1", "name": "Müller"}, at=AT)
    second = changes.create(m.Company, {"number": "K2", "name": "Huber"}, at=AT)
    with pytest.raises(BadParameter, match="K1"):
        services.edit(second, {"number": "K1"}, at=LATER)
    second.refresh_from_db()
    assert second.number == "K2"


def test_what_cannot_be_taken_back_because_another_has_the_name_by_now_says_so(m: Any, changes: Any) -> None:
    from klientel.web.records import acts

    first = changes.create(m.Company, {"number": "K1", "name": "Müller"}, at=AT)
    changes.update(first, {"number": "K9"}, at=AT, act="renumbered")
    changes.create(m.Company, {"number": "K1", "name": "Huber"}, at=LATER)
    with pytest.raises(BadParameter, match="taken by another"):
        acts.take_back("renumbered", at=LATER)
    first.refresh_from_db()
    assert first.number == "K9"
