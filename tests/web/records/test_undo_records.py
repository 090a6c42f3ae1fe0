"""Undo: creations go, updates come back, what was changed since stays; in whatever order imports are undone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)


class Ledger:
    """A workspace with imports by number, in words short enough for tests."""

    def __init__(self) -> None:
        from klientel.web.imports.models import Import
        from klientel.web.records import changes, models

        self.models, self.changes, self.imports = models, changes, Import

    def run(self, n: int) -> Any:
        return self.imports.objects.get_or_create(pk=n, defaults={"at": AT, "state": "done"})[0]

    def bring(self, n: int, rows: dict[str, dict[str, Any]]) -> None:
        """Import companies by number: create the new ones, update the others."""
        known = dict(self.models.Company.objects.values_list("number", "pk"))
        new = [{"number": k, **v} for k, v in rows.items() if k not in known]
        self.changes.bulk_create(self.models.Company, new, self.run(n), AT)
        old = [(known[k], v) for k, v in rows.items() if k in known]
        self.changes.bulk_update(self.models.Company, old, self.run(n), AT)

    def edit(self, number: str, **values: Any) -> None:
        found = self.models.Company.objects.filter(number=number).first()
        if found:
            self.changes.update(found, values, at=AT)

    def undo(self, n: int) -> Any:
        return self.changes.undo(self.run(n), AT)

    def state(self) -> dict[str, tuple[str, str]]:
        return {c.number: (c.name, c.city) for c in self.models.Company.objects.all()}


@pytest.fixture
def ledger(home: Any) -> Ledger:
    return Ledger()


def test_creations_go_and_updates_come_back(ledger: Ledger) -> None:
    ledger.bring(1, {"K1": {"name": "A", "city": "Ulm"}})
    before = ledger.state()
    ledger.bring(2, {"K1": {"name": "B"}, "K2": {"name": "New"}})
    done = ledger.undo(2)
    assert ledger.state() == before
    assert (done.removed, done.restored, done.conflicts) == ({"Company": 1}, {"Company": 1}, [])


def test_what_a_person_edited_since_stays_and_is_listed(ledger: Ledger) -> None:
    ledger.bring(1, {"K1": {"name": "A"}, "K2": {"name": "A"}})
    ledger.edit("K1", city="Köln")
    done = ledger.undo(1)
    assert ledger.state() == {"K1": ("A", "Köln")}
    (conflict,) = done.conflicts
    assert (conflict.number, conflict.why) == ("K1", "changed")
    assert conflict.sentence == "Company A stays: changed since, by the owner of the workspace."


def test_the_later_undo_does_not_bring_back_what_an_undone_import_made(ledger: Ledger) -> None:
    ledger.bring(1, {"K1": {"name": "A"}})
    ledger.bring(2, {"K1": {"name": "B"}})
    assert [c.by for c in ledger.undo(1).conflicts] == ["Import 2"]
    assert ledger.state() == {"K1": ("B", "")}
    ledger.undo(2)
    assert ledger.state() == {}


def test_values_of_an_undone_import_do_not_come_back_either(ledger: Ledger) -> None:
    ledger.bring(1, {"K1": {"name": "A"}})
    ledger.bring(2, {"K1": {"name": "B"}})
    ledger.bring(3, {"K1": {"name": "C"}})
    ledger.undo(2)
    ledger.undo(3)
    assert ledger.state() == {"K1": ("A", "")}


def test_a_record_in_use_stays_until_nothing_uses_it(ledger: Ledger) -> None:
    m, changes = ledger.models, ledger.changes
    (anna,) = changes.bulk_create(m.Rep, [{"number": "anna", "name": "Anna"}], ledger.run(1), AT)
    ledger.bring(2, {"K1": {"name": "A", "owner": anna}})
    (conflict,) = ledger.undo(1).conflicts
    assert conflict.sentence == "Sales person Anna stays: used by Company."
    assert m.Rep.objects.count() == 1
    ledger.undo(2)
    assert not m.Rep.objects.exists()
    assert not m.Company.objects.exists()


def test_a_note_written_since_keeps_the_company_and_its_owner(ledger: Ledger) -> None:
    m, changes = ledger.models, ledger.changes
    (anna,) = changes.bulk_create(m.Rep, [{"number": "anna"}], ledger.run(1), AT)
    ledger.bring(1, {"K1": {"name": "A", "owner": anna}, "K2": {"name": "B", "owner": anna}})
    changes.create(m.Note, {"company": m.Company.objects.get(number="K1"), "text": "Likes tea"}, at=AT)
    ledger.undo(1)
    assert ledger.state() == {"K1": ("A", "")}
    assert m.Rep.objects.count() == 1


def test_records_that_refer_to_one_another_go_together(ledger: Ledger) -> None:
    m, changes = ledger.models, ledger.changes
    ledger.bring(1, {"P": {"name": "Parent"}})
    parent = m.Company.objects.get()
    ledger.bring(1, {"C": {"name": "Child", "parent": parent}})
    child = m.Company.objects.get(number="C")
    changes.bulk_create(m.Contact, [{"number": "1", "company": child}], ledger.run(1), AT)
    assert ledger.undo(1).conflicts == []
    assert not m.Company.objects.exists()
    assert not m.Contact.objects.exists()


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("bring"),
            st.integers(1, 4),
            st.dictionaries(
                st.sampled_from(["K1", "K2", "K3"]),
                st.fixed_dictionaries(
                    {}, optional={"name": st.sampled_from("ABC"), "city": st.sampled_from("XYZ")}
                ),
                min_size=1,
            ),
        ),
        st.tuples(st.just("undo"), st.integers(1, 4), st.none()),
    ),
    max_size=10,
)


def clear() -> None:
    from klientel.web.imports.models import Import
    from klientel.web.records import models

    models.Change.objects.all().delete()
    models.Company.objects.all().delete()
    Import.objects.all().delete()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, order=st.permutations([1, 2, 3, 4]))
def test_undoing_everything_in_any_order_gives_the_state_before(
    ledger: Ledger, steps: list[Any], order: list[int]
) -> None:
    clear()
    base = {"K1": {"name": "Base", "city": "Bonn"}}
    for number, values in base.items():
        ledger.changes.create(ledger.models.Company, {"number": number, **values}, at=AT)
    before = ledger.state()
    undone: set[int] = set()
    for what, n, rows in steps:
        if n in undone:
            continue
        if what == "bring":
            ledger.bring(n, rows)
        else:
            ledger.undo(n)
            undone.add(n)
    for n in order:
        if n not in undone:
            ledger.undo(n)
    assert ledger.state() == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, edited=st.sampled_from(["K1", "K2", "K3"]))
def test_an_edit_survives_every_undo(ledger: Ledger, steps: list[Any], edited: str) -> None:
    clear()
    for what, n, rows in steps:
        if what == "bring" and ledger.run(n).state == "done":
            ledger.bring(n, rows)
    ledger.edit(edited, city="Edited")
    row = ledger.state().get(edited)
    for n in (2, 4, 1, 3):
        ledger.undo(n)
    assert ledger.state() == ({edited: row} if row else {})
