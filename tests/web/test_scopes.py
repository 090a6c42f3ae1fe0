"""Parts of the customers: the same answer as on the records of the part, kept apart, never wider than the rights."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

NOW = datetime.fromisoformat("2025-06-01T10:00:00+00:00")
TODAY = date(2025, 6, 1)


@pytest.fixture
def firm(home: Any, tmp_path: Any) -> Any:
    """Nine customers of two sales people in two industries."""
    from klientel.web.imports import importing

    lines = ["order_id,customer_id,order_date,net_amount"]
    lines += [f"A{i},C{i % 9},2024-{i % 12 + 1:02}-05,{i * 7 % 90 + 1}.50" for i in range(1, 160)]
    people = ["customer_id,name,industry,owner_rep_id"]
    people += [f"C{i},Firma {i},{'Bau' if i % 3 else 'Handel'},{'R1' if i < 4 else 'R2'}" for i in range(9)]
    reps = ["rep_id,name,team_id", "R1,Rau,Nord", "R2,Rot,Süd"]
    for name, rows in (("orders", lines), ("customers", people), ("reps", reps)):
        (tmp_path / f"{name}.csv").write_text("\n".join(rows), encoding="utf-8")
    files = [tmp_path / f"{name}.csv" for name in ("orders", "customers", "reps")]
    importing.run(home, files, options=importing.Options(today=TODAY), progress=lambda *_: None, now=NOW)
    return home


def value(firm: Any, text: str, actor: Any = None) -> tuple[int, float]:
    """Customers and value of the part."""
    from klientel.analyses import find
    from klientel.web import results, scopes

    part = scopes.find(text, actor)
    found = results.answer(firm, find("abc"), actor=actor, part=part, window="all", today=TODAY)
    return found.figures["customers"], float(found.figures["total_value"])


def test_parts_add_up(firm: Any) -> None:
    whole = value(firm, "")
    for pair in (("rep:R1", "rep:R2"), ("segment:industry_code=Bau", "segment:industry_code=Handel")):
        one, other = (value(firm, text) for text in pair)
        assert one[0] + other[0] == whole[0] == 9
        assert one[1] + other[1] == pytest.approx(whole[1])
        assert 0 < one[1] < whole[1]
    assert value(firm, "customer:C3")[0] == 1


def test_a_portfolio_and_a_team_are_parts(firm: Any) -> None:
    from klientel.web import portfolios
    from klientel.web.accounts.models import Team
    from klientel.web.records import changes
    from klientel.web.records.models import Rep

    rep = Rep.objects.get(number="R1")
    made = portfolios.create(None, "Bau", rep, {"industry_code": ["Bau"]}, NOW)
    assert value(firm, f"portfolio:{made.pk}") == value(firm, "segment:industry_code=Bau")
    changes.update(rep, {"team": "Nord"}, at=NOW)
    north = Team.objects.create(name="Nord")
    assert value(firm, f"team:{north.pk}") == value(firm, "rep:R1")


def test_the_recipe_names_the_part(firm: Any) -> None:
    import klientel
    from klientel.analyses import find
    from klientel.web import results, scopes

    part = scopes.find("segment:industry_code=Bau", None)
    found = results.answer(firm, find("abc"), part=part, today=TODAY)
    assert ".narrow(industry_code='Bau')" in found.reproduce["python"]
    names: dict[str, Any] = {"klientel": klientel}
    *before, last = found.reproduce["python"].splitlines()
    exec("\n".join(before), names)
    assert eval(last, names).figures == found.figures


def test_an_edit_moves_a_customer_to_another_part(firm: Any) -> None:
    from klientel.web.records import changes
    from klientel.web.records.models import Company, Rep

    before = value(firm, "rep:R1")
    changes.update(Company.objects.get(number="C0"), {"owner_id": Rep.objects.get(number="R2").pk}, at=NOW)
    assert value(firm, "rep:R1")[0] == before[0] - 1


def test_rights_come_first(firm: Any) -> None:
    from klientel.errors import BadParameter
    from klientel.web import portfolios, scopes
    from klientel.web.accounts import services
    from klientel.web.records.models import Rep

    anna = services.add_user(None, "anna", NOW, role="sales", rep="R1")
    assert value(firm, "", anna) == value(firm, "rep:R1")
    assert value(firm, "segment:industry_code=Bau", anna)[0] == 2
    rep = Rep.objects.get(number="R2")
    made = portfolios.create(None, "Of R2", rep, {"industry_code": ["Handel"]}, NOW)
    there = ("rep:R2", "customer:C7", f"portfolio:{made.pk}")
    assert all(scopes.find(text, None) for text in there)  # they are there, only not for Anna
    for hidden in (
        *there,
        "portfolio:999",
        "team:999",
        "team:²",
        f"team:{'9' * 40}",
        "rep:",
        "nothing",
        "rep:'; --",
    ):
        with pytest.raises(BadParameter):
            scopes.find(hidden, anna)
    with pytest.raises(BadParameter):
        value(firm, "segment:email=a@b.de", anna)
    assert [text for text, _ in scopes.choices(anna)["rep"]] == ["rep:R1"]
