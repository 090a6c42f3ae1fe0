"""Merging duplicates and taking it back: everything moves, everything returns, edits in between stay."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klientel.errors import BadParameter


def at(month: int) -> datetime:
    return datetime(2024, month, 1, 12, tzinfo=UTC)


@pytest.fixture
def w(home: Any) -> Any:
    from klientel.web.records import changes, dated, merging, models, services

    class World:
        c, d, g, m, s = changes, dated, merging, models, services

    return World


@pytest.fixture
def firms(w: Any) -> tuple[Any, Any]:
    a = w.s.add(w.m.Company, {"number": "A", "name": "Müller GmbH", "city": "Ulm", "custom": {}}, at=at(1))
    b = w.s.add(
        w.m.Company, {"number": "B", "name": "Mueller GmbH", "city": "Bonn", "segment": "x"}, at=at(1)
    )
    return a, b


def whole(w: Any) -> dict[str, list[Any]]:
    """All that the records hold, but for when they were last written."""
    kinds = [
        w.m.Company,
        w.m.Contact,
        w.m.Interaction,
        w.m.Opportunity,
        w.m.Note,
        w.m.Succession,
        w.m.DatedValue,
    ]
    found = {}
    for kind in kinds:
        names = [f.attname for f in kind._meta.concrete_fields if f.name != "updated_at"]
        found[kind.__name__] = list(kind.objects.order_by("pk").values(*names))
    return found


def furnish(w: Any, firm: Any) -> None:
    person = w.s.add(w.m.Contact, {"company": firm, "name": f"Eva of {firm.number}"}, at=at(1))
    w.s.add(w.m.Interaction, {"contact": person, "type": "call", "ts": date(2023, 5, 1)}, at=at(1))
    w.s.add(w.m.Opportunity, {"company": firm, "name": "Pumps", "stage": "Offer"}, at=at(1))
    w.s.add(w.m.Company, {"name": f"Daughter of {firm.number}", "parent": firm}, at=at(1))


def test_the_preview_says_what_the_merger_does(w: Any, firms: Any) -> None:
    a, b = firms
    furnish(w, b)
    found = w.g.preview(a, [b])
    taken = {t.column: (t.value, t.source, t.others) for t in found.values}
    assert taken["city"] == ("Ulm", a.pk, ("Bonn",))
    assert taken["segment"] == ("x", b.pk, ())
    assert found.moves == {"Contact": 1, "Interaction": 1, "Opportunity": 1, "Company": 1}
    assert found.doubts == []
    chosen = {t.column: t.value for t in w.g.preview(a, [b], choose={"city": b.pk}).values}
    assert chosen["city"] == "Bonn"
    before = whole(w)
    w.g.preview(a, [b])
    assert whole(w) == before


def test_a_merger_moves_everything_and_keeps_the_survivor(w: Any, firms: Any) -> None:
    a, b = firms
    furnish(w, b)
    w.g.merge(a, [b], choose={"name": b.pk}, at=at(2))
    assert (a.name, a.city, a.segment) == ("Mueller GmbH", "Ulm", "x")
    for kind in (w.m.Contact, w.m.Interaction, w.m.Opportunity):
        assert kind.present.get().company == a
    assert w.m.Company.present.get(name="Daughter of B").parent == a
    assert w.m.Interaction.present.get().ts == date(2023, 5, 1)
    b.refresh_from_db()
    assert (b.merged_into, b.deleted_at) == (a, at(2))
    (follows,) = w.m.Succession.objects.values_list("from_id", "to_id", "valid_from", "share", "kind")
    assert follows == ("B", "A", None, 1, "duplicate")
    assert w.g.survivors(w.m.Company, [a.pk, b.pk]) == {b.pk: a.pk}


def test_taking_a_merger_back_restores_exactly(w: Any, firms: Any) -> None:
    a, b = firms
    furnish(w, a)
    furnish(w, b)
    before = whole(w)
    w.g.merge(a, [b], choose={"city": b.pk}, at=at(2))
    assert whole(w) != before
    b.refresh_from_db()
    back = w.g.unmerge(b, at=at(3))
    assert back.conflicts == []
    assert whole(w) == before
    b.refresh_from_db()
    with pytest.raises(BadParameter, match="was not merged"):
        w.g.unmerge(b, at=at(3))
    w.g.merge(b, [a], at=at(4))  # and the other way round


def test_edits_in_between_stay_and_are_listed(w: Any, firms: Any) -> None:
    a, b = firms
    furnish(w, b)
    w.g.merge(a, [b], choose={"city": b.pk}, at=at(2))
    w.s.edit(a, {"city": "Kiel", "phone": "0731 123456"}, at=at(3))
    new = w.s.add(
        w.m.Note, {"company": a, "text": "x", "purpose": "y", "expires_on": date(2025, 1, 1)}, at=at(3)
    )
    call = w.m.Interaction.present.get()
    w.s.edit(call, {"outcome": "agreed"}, at=at(3))
    b.refresh_from_db()
    back = w.g.unmerge(b, at=at(4))
    (conflict,) = back.conflicts
    assert (
        str(conflict.sentence)
        == "Company Müller GmbH keeps City: changed since, by the owner of the workspace."
    )
    a.refresh_from_db()
    b.refresh_from_db()
    call.refresh_from_db()
    new.refresh_from_db()
    assert (a.city, a.phone, a.segment, b.city, b.deleted_at) == ("Kiel", "0731 123456", "", "Bonn", None)
    assert (call.company, call.outcome) == (b, "agreed")
    assert new.company == a
    assert not w.m.Succession.objects.exists()


def test_history_of_attributes_survives_merging_and_taking_back(w: Any, firms: Any) -> None:
    a, b = firms
    w.g.merge(a, [b], at=at(2))
    assert w.d.on_day(date(2024, 1, 15)) == {"segment": {a.pk: ""}}
    w.s.edit(a, {"segment": "z"}, at=at(3))
    b.refresh_from_db()
    w.g.unmerge(b, at=at(4))
    a.refresh_from_db()
    assert a.segment == "z"
    assert [v for _, v, _ in w.d.history(a, "segment")] == ["", "z"]


def test_lines_follow_the_merger(w: Any, firms: Any) -> None:
    import ibis

    from klientel import hierarchy

    a, b = firms
    c = w.s.add(w.m.Company, {"number": "C", "name": "Müller"}, at=at(1))
    w.g.merge(b, [c], at=at(2))
    w.g.merge(a, [b], at=at(2))
    steps = list(w.m.Succession.objects.values("from_id", "to_id", "share"))
    rows = [{**s, "share": s["share"], "valid_from": None} for s in steps]
    lines = ibis.memtable([{"customer_id": x, "amount": 1} for x in "ABC"])
    table = ibis.memtable(
        rows, schema={"from_id": "string", "to_id": "string", "share": "decimal(18,4)", "valid_from": "date"}
    )
    found = hierarchy.succeed(lines, table, None).to_pyarrow().to_pylist()
    assert {r["customer_id"] for r in found} == {"A"}
    assert w.g.survivors(w.m.Company, [c.pk]) == {c.pk: a.pk}


def test_groups_stay_acyclic(w: Any, firms: Any) -> None:
    a, b = firms
    w.s.edit(a, {"parent": b}, at=at(1))
    child = w.s.add(w.m.Company, {"name": "C", "parent": a}, at=at(1))
    w.s.edit(b, {"parent": None}, at=at(1))
    w.g.merge(a, [b], at=at(2))
    assert a.parent is None
    d = w.s.add(w.m.Company, {"name": "D", "parent": child}, at=at(2))
    w.g.merge(d, [a], at=at(3))
    child.refresh_from_db()
    assert (d.parent, child.parent) == (None, d)


def test_doubts_are_told(w: Any, firms: Any) -> None:
    a, _ = firms
    c = w.s.add(w.m.Company, {"name": "Müller AG", "vat_id": "DE123456789", "parent": a}, at=at(1))
    w.s.edit(a, {"vat_id": "DE999999999"}, at=at(1))
    told = " ".join(str(d) for d in w.g.preview(a, [c]).doubts)
    for words in ("different legal forms (GmbH, AG)", "different VAT numbers", "parent and daughter"):
        assert words in told


def test_what_cannot_be_merged(w: Any, firms: Any) -> None:
    from klientel.web.records.changes import Outdated, version

    a, b = firms
    person = w.s.add(w.m.Contact, {"company": a, "name": "Eva"}, at=at(1))
    for survivor, others in ((a, []), (a, [person]), (a, [a])):
        with pytest.raises(BadParameter):
            w.g.merge(survivor, others, at=at(2))
    with pytest.raises(BadParameter, match="cannot be taken"):
        w.g.merge(a, [b], choose={"number": b.pk}, at=at(2))
    seen = version(b)
    w.s.edit(b, {"city": "Kiel"}, at=at(1))
    with pytest.raises(Outdated):
        w.g.merge(a, [b], based_on={b.pk: seen}, at=at(2))
    w.g.merge(a, [b], at=at(2))
    with pytest.raises(BadParameter, match="is gone"):
        w.g.merge(a, [b], at=at(2))
    with pytest.raises(BadParameter, match="take the merger back instead"):
        w.s.bring_back(b, at=at(2))


def test_contacts_are_merged_alike(w: Any, firms: Any) -> None:
    a, _ = firms
    one = w.s.add(w.m.Contact, {"company": a, "name": "Eva Kurz"}, at=at(1))
    other = w.s.add(w.m.Contact, {"company": a, "name": "E. Kurz", "email": "eva@kurz.de"}, at=at(1))
    call = w.s.add(w.m.Interaction, {"contact": other, "type": "call"}, at=at(1))
    before = whole(w)
    w.g.merge(one, [other], at=at(2))
    call.refresh_from_db()
    assert (one.email, call.contact, w.m.Contact.present.count()) == ("eva@kurz.de", one, 1)
    assert not w.m.Succession.objects.exists()
    other.refresh_from_db()
    w.g.unmerge(other, at=at(3))
    assert whole(w) == before


columns = st.sampled_from(["name", "city", "segment", "phone", "employees"])
values = st.sampled_from(["", "1", "2"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.dictionaries(columns, values), min_size=3, max_size=3),
    parents=st.lists(st.integers(-1, 2), min_size=3, max_size=3),
    chosen=st.dictionaries(columns, st.integers(0, 2)),
)
def test_any_merger_can_be_taken_back(w: Any, rows: Any, parents: Any, chosen: Any) -> None:
    w.m.DatedValue.objects.all().delete()
    w.m.Succession.objects.all().delete()
    w.m.Company.objects.all().delete()
    made = []
    for row, parent in zip(rows, parents, strict=True):
        given_row = {k: (v or None if k == "employees" else v) for k, v in row.items()}
        above = made[parent] if 0 <= parent < len(made) else None
        made.append(w.c.create(w.m.Company, {**given_row, "parent": above}, at=at(1)))
    before = whole(w)
    w.g.merge(made[0], made[1:], choose={c: made[i].pk for c, i in chosen.items()}, at=at(2))
    assert w.m.Company.present.count() == 1
    made[1].refresh_from_db()
    assert w.g.unmerge(made[1], at=at(3)).conflicts == []
    assert whole(w) == before


def test_a_later_import_gives_what_is_of_a_duplicate_to_the_survivor(
    w: Any, firms: Any, home: Any, tmp_path: Any
) -> None:
    from klientel.web.imports import importing

    a, b = firms
    w.g.merge(a, [b], at=at(2))
    file = tmp_path / "contacts.csv"
    file.write_text(
        "Contact number;Customer number;Last name;First name;E-mail\n"
        "7;B;Kurz;Eva;eva@kurz.de\n8;A;Lang;Ute;ute@lang.de\n"
    )
    importing.run(home, [file], now=at(3), progress=lambda *_: None)
    assert {c.number: c.company for c in w.m.Contact.present.all()} == {"7": a, "8": a}
    b.refresh_from_db()
    assert b.merged_into == a


def test_whoever_may_change_both_may_merge_and_take_back(w: Any, firms: Any) -> None:
    from klientel.errors import NotAllowed
    from klientel.web.accounts.models import Grant, User

    anna, cem = User.objects.create(username="anna"), User.objects.create(username="cem")
    for user in (anna, cem):
        for action in ("read", "write"):
            Grant.objects.create(user=user, action=action, scope="own")
    rep = w.c.create(w.m.Rep, {"name": "Anna", "user_id": anna.pk}, at=at(1))
    for firm in firms:
        w.c.update(firm, {"owner": rep}, at=at(1))
    a, b = firms
    with pytest.raises(NotAllowed):
        w.g.merge(a, [b], actor=cem, at=at(2))
    w.g.merge(a, [b], actor=anna, at=at(2))
    b.refresh_from_db()
    with pytest.raises(NotAllowed):
        w.g.unmerge(b, actor=cem, at=at(3))
    assert w.g.unmerge(b, actor=anna, at=at(3)).conflicts == []
    b.refresh_from_db()
    assert b.deleted_at is None
