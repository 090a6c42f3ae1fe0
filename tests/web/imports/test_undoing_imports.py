"""Undo: creations and updates taken back in any order, what was changed since left alone, nothing resurrected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import portfolio as p
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klientel.errors import BadParameter

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
CUSTOMERS = "customer_id,name,city"


def test_undo_takes_back_creations_and_updates(home, tmp_path):
    p.bring(home, p.orders(tmp_path / "a.csv", [p.line(1), p.line(2)]))
    p.bring(home, p.orders(tmp_path / "c.csv", [("C1", "Acme", "Bonn")], CUSTOMERS))
    before = p.content(home)
    p.bring(home, p.orders(tmp_path / "b.csv", [p.line(2, amount="7"), p.line(3, customer="C2")]))
    p.bring(home, p.orders(tmp_path / "d.csv", [("C1", "Acme AG", "Köln"), ("C9", "Neu", "")], CUSTOMERS))
    undone = p.take_back(home, 4)
    assert undone.conflicts == []
    undone = p.take_back(home, 3)
    assert (undone.removed["lines"], undone.restored["lines"]) == (1, 1)
    assert p.content(home) == before
    p.take_back(home, 2)
    p.take_back(home, 1)
    assert not any(p.content(home).values())


def test_what_a_later_import_changed_stays_and_is_listed(home, tmp_path):
    p.bring(home, p.orders(tmp_path / "a.csv", [p.line(1), p.line(2)]))
    p.bring(home, p.orders(tmp_path / "b.csv", [p.line(2, amount="7")]))
    undone = p.take_back(home, 1)
    assert (undone.removed["lines"], undone.lines_left) == (1, 1)
    assert any("1 lines stay" in str(c) for c in undone.conflicts)
    assert any("used by Lines" in str(c) for c in undone.conflicts)  # their customer stays as well
    assert len(p.content(home)["lines"]) == 1
    again = p.take_back(home, 2)
    assert again.conflicts == []
    assert p.content(home)["customer"] == []  # nothing that the undone import made comes back
    assert p.content(home).get("lines", []) == []


def test_what_a_person_changed_stays(home, tmp_path):
    from klientel.web.records import changes
    from klientel.web.records.models import Company

    p.bring(home, p.orders(tmp_path / "c.csv", [("1", "Acme", "Bonn"), ("2", "Beta", "Köln")], CUSTOMERS))
    changes.update(Company.objects.get(number="1"), {"city": "Hamburg"}, at=NOW)
    undone = p.take_back(home, 1)
    assert [str(c) for c in undone.conflicts] == [
        "Company Acme stays: changed since, by the owner of the workspace."
    ]
    assert list(Company.objects.values_list("number", flat=True)) == ["1"]


def test_a_look_at_an_undo_sees_nothing_of_a_writer_at_work(home, tmp_path):
    from klientel.engine import connect
    from klientel.web.imports import lines, preview
    from klientel.web.imports.models import Import

    p.bring(home, p.orders(tmp_path / "a.csv", [p.line(1), p.line(2, customer="C2")]))
    p.bring(home, p.orders(tmp_path / "b.csv", [p.line(3, customer="C2")]))
    run = Import.objects.get(pk=1)
    before = preview.undo(home, run)
    facts = lines.table(home, "lines")
    lines.undo(connect(None).connection.con, home, facts, facts.version(), 2, [])  # not pinned yet
    assert preview.undo(home, run) == before
    assert any("Company" in str(c) for c in before.conflicts)


def test_an_import_is_undone_once(home, tmp_path):
    p.bring(home, p.orders(tmp_path / "a.csv", [p.line(1)]))
    p.take_back(home, 1)
    with pytest.raises(BadParameter, match="undone already"):
        p.take_back(home, 1)
    with pytest.raises(BadParameter, match="no import 9"):
        p.take_back(home, 9)


def test_what_was_undone_can_be_imported_again(home, tmp_path):
    file = p.orders(tmp_path / "a.csv", [p.line(1), p.line(2, customer="C2")])
    p.bring(home, file)
    before = p.content(home)
    p.take_back(home, 1)
    assert p.counts(p.bring(home, file)) == (2, 0, 0)
    assert p.content(home) == before


LINES = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from(["C1", "C2", "C3"]), st.integers(1, 4)),
    min_size=1, max_size=5, unique_by=lambda row: row[0],
)  # fmt: skip
PEOPLE = st.lists(
    st.tuples(st.sampled_from(["C1", "C2", "C3", "C4"]), st.sampled_from(["Bonn", "Köln", "Ulm"])),
    min_size=1, max_size=3, unique_by=lambda row: row[0],
)  # fmt: skip
STEPS = st.lists(
    st.one_of(LINES.map(lambda r: ("lines", r)), PEOPLE.map(lambda r: ("people", r))), min_size=1, max_size=4
)


def write(folder: Path, number: int, step: tuple[str, list[Any]]) -> Path:
    kind, rows = step
    if kind == "lines":
        lines = [p.line(o, customer=c, amount=str(a)) for o, c, a in rows]
        return p.orders(folder / f"{number}.csv", lines)
    return p.orders(folder / f"{number}.csv", [(c, f"Firma {c}", city) for c, city in rows], CUSTOMERS)


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_imports_and_undos_in_any_order_end_where_they_began(blank, tmp_path_factory, data):
    home, folder = fresh(blank, tmp_path_factory)
    p.bring(home, write(folder, 0, data.draw(st.one_of(LINES.map(lambda r: ("lines", r))))))
    before = p.content(home)
    steps = data.draw(STEPS)
    for number, step in enumerate(steps, 1):
        p.bring(home, write(folder, number, step))
    order = data.draw(st.permutations(range(2, len(steps) + 2)))
    for number in order:
        p.take_back(home, number)
    assert p.content(home) == before


@settings(max_examples=6, deadline=None)
@given(STEPS)
def test_the_newest_import_undone_is_the_state_before_it(blank, tmp_path_factory, steps):
    home, folder = fresh(blank, tmp_path_factory)
    states = [p.content(home)]
    for number, step in enumerate(steps, 1):
        p.bring(home, write(folder, number, step))
        states.append(p.content(home))
    for number in range(len(steps), 0, -1):
        p.take_back(home, number)
        now = p.content(home)
        expected = states[number - 1]
        assert {k: v for k, v in now.items() if v} == {k: v for k, v in expected.items() if v}


@settings(max_examples=6, deadline=None)
@given(PEOPLE, PEOPLE, st.sampled_from(["C1", "C2", "C3"]))
def test_an_edit_between_is_kept_whatever_is_undone(blank, tmp_path_factory, first, second, edited):
    from klientel.web.records import changes
    from klientel.web.records.models import Company

    home, folder = fresh(blank, tmp_path_factory)
    p.bring(
        home, write(folder, 1, ("people", [*first, *((c, "Bonn") for c in {edited} - {c for c, _ in first})]))
    )
    changes.update(
        Company.objects.get(number=edited), {"street": "Allee 1", "city": "Jena"}, at=NOW + timedelta(hours=1)
    )
    after_edit = p.content(home)
    p.bring(home, write(folder, 2, ("people", second)))
    assert Company.objects.get(number=edited).city == "Jena"
    p.take_back(home, 2)
    assert p.content(home) == after_edit
    p.take_back(home, 1)
    kept = Company.objects.get()
    assert (kept.number, kept.street, kept.city) == (edited, "Allee 1", "Jena")


def fresh(blank: Path, factory: Any) -> tuple[Any, Path]:
    import shutil

    from django.db import connections

    from klientel.web import home as homes

    folder = factory.mktemp("undo")
    connections.close_all()
    shutil.copytree(blank, folder / "workspace")
    p.database("blank")
    return homes.find(folder / "workspace"), folder
