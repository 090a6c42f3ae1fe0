"""Whose customers each of the cast reaches, and why."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from cast_of_rights import ALL, DAY

from klientel.web.rights import access, explain

ANNA = {"K01", "K02", "K03", "K06", "K08"}
BEN = {"K04", "K05", "K07", "K09", "K10", "K11"}


def test_each_reaches_what_was_granted(people: Any) -> None:
    def numbers(name: str, action: str) -> set[str] | None:
        found = access(people.users[name], DAY).numbers(action)
        return None if found is None else set(found)

    assert numbers("anna", "read") == numbers("anna", "personal") == ANNA
    assert numbers("ben", "read") == BEN
    assert numbers("ben", "export") == numbers("ben", "margin") == set()
    assert numbers("cem", "read") == set()
    assert numbers("lena", "read") == ANNA | BEN
    assert numbers("lena", "margin") == set()  # she sells to nobody herself
    assert numbers("dora", "read") == ANNA | BEN
    assert numbers("dora", "personal") == numbers("dora", "write") == set()
    assert numbers("nils", "read") == numbers("rita", "read") == set()
    assert all(numbers("ada", action) is None for action in ALL)


@pytest.mark.parametrize("name", ["new", "gone"])
def test_without_a_grant_or_a_job_there_is_nothing(people: Any, name: str) -> None:
    found = access(people.users[name], DAY)
    assert not any(found.may(action) for action in ALL)
    assert all(found.numbers(action) == set() for action in ALL)


def test_the_owner_of_the_folder_reaches_everything(people: Any) -> None:
    assert access(None).unlimited
    assert access(people.users["ada"]).unlimited
    assert not access(people.users["dora"]).unlimited


def test_a_visitor_without_a_name_reaches_nothing(people: Any) -> None:
    from django.contrib.auth.models import AnonymousUser

    assert not any(access(AnonymousUser()).may(action) for action in ALL)


def test_no_action_goes_further_than_reading(own_people: Any) -> None:
    from klientel.web.accounts.models import Grant

    Grant.objects.filter(user=own_people.users["anna"], action="export").update(scope="all")
    assert access(own_people.users["anna"]).numbers("export") == ANNA
    Grant.objects.filter(user=own_people.users["anna"], action="read").delete()
    assert not any(access(own_people.users["anna"]).may(action) for action in ALL)


def test_teams_in_a_circle_end(own_people: Any) -> None:
    from klientel.web.accounts.models import Team

    Team.objects.filter(name="Company").update(parent=Team.objects.get(name="South"))
    own_people.users["dora"].refresh_from_db()
    assert access(own_people.users["dora"]).numbers("read") == ANNA | BEN


def test_whoever_reports_to_a_person_is_below(own_people: Any) -> None:
    from klientel.web.accounts.models import Grant
    from klientel.web.records.models import Rep

    Rep.objects.filter(number="ben").update(reports_to=own_people.reps["nils"])
    Rep.objects.filter(number="anna").update(reports_to=own_people.reps["ben"])
    Rep.objects.filter(number="nils").update(reports_to=own_people.reps["anna"])  # a circle
    Grant.objects.filter(user=own_people.users["nils"], action="read").update(scope="subtree")
    found = access(own_people.users["nils"])
    assert found.numbers("read") == ANNA | BEN
    assert found.numbers("write") == set()


def test_sales_people_without_a_user_belong_to_the_team_of_their_record(own_people: Any) -> None:
    from klientel.web.records.models import Company, Rep

    loner = Rep.objects.create(number="otto", name="Otto", team="North")
    Company.objects.create(number="K99", name="Otto's", owner=loner)
    assert access(own_people.users["nils"]).numbers("read") == {"K99"}
    assert "K99" not in (access(own_people.users["lena"]).numbers("read") or ())


def test_a_portfolio_gives_its_sales_person_the_customers(own_people: Any) -> None:
    from klientel.web.records.models import Company, Membership, Portfolio

    steel = Portfolio.objects.create(
        name="Steel", owner=own_people.reps["cem"], rule={"industry_code": ["steel"]}
    )
    cem = own_people.users["cem"]
    assert access(cem, DAY).numbers("read") == {"K01", "K02", "K08", "K09", "K12"}
    k1, k3 = Company.objects.get(number="K01"), Company.objects.get(number="K03")
    Membership.objects.create(portfolio=steel, company=k1, excluded=True)
    Membership.objects.create(
        portfolio=steel, company=k3, valid_from=date(2025, 1, 1), valid_to=date(2025, 2, 1)
    )
    assert access(cem, date(2025, 1, 31)).numbers("read") == {"K02", "K03", "K08", "K09", "K12"}
    for day in (date(2024, 12, 31), date(2025, 2, 1)):
        assert access(cem, day).numbers("read") == {"K02", "K08", "K09", "K12"}
    assert access(own_people.users["anna"], DAY).numbers("read") == ANNA  # owners keep theirs


@pytest.mark.parametrize(
    "rule",
    [
        {"no_such": ["x"]},
        {"industry_code": []},
        {"industry_code": "steel"},
        {"custom__x": ["1"]},
        {"employees": ["many"]},
        {"email": ["K01@example.com"]},
        {"industry_code": ["steel"], "no_such": ["x"]},
    ],
)
def test_a_rule_that_cannot_be_meant_takes_nobody(own_people: Any, rule: dict[str, Any]) -> None:
    from klientel.web.records.models import Portfolio

    Portfolio.objects.create(name="Odd", owner=own_people.reps["cem"], rule=rule)
    assert access(own_people.users["cem"], DAY).numbers("read") == set()


def test_a_rule_on_a_custom_field(own_people: Any) -> None:
    from klientel.web.records.models import Company, CustomField, Portfolio

    CustomField.objects.create(model="Company", name="odd__name", title="Odd", kind="text")
    Company.objects.filter(number="K01").update(custom={"odd__name": "yes"})
    Company.objects.filter(number="K02").update(custom={"odd__name": 5})
    Company.objects.filter(number="K03").update(custom={"odd__name": "no"})
    Portfolio.objects.create(name="Odd", owner=own_people.reps["cem"], rule={"odd__name": ["yes", 5]})
    assert access(own_people.users["cem"], DAY).numbers("read") == {"K01", "K02"}


def test_results_are_shared_by_equal_sights_only(people: Any) -> None:
    keys = {name: access(user, DAY).key for name, user in people.users.items()}
    assert keys["anna"] != keys["ben"] != keys["dora"] != keys["lena"] != keys["anna"]
    assert keys["ada"] == access(None).key
    assert keys["ada"] not in {key for name, key in keys.items() if name != "ada"}
    assert keys["rita"] == keys["new"] == keys["gone"] != keys["cem"]  # Cem sees himself


def test_margins_out_of_sight_make_another_key(own_people: Any) -> None:
    from klientel.web.accounts.models import Grant

    before = access(own_people.users["anna"]).key
    Grant.objects.filter(user=own_people.users["anna"], action="margin").delete()
    assert access(own_people.users["anna"]).key != before


def test_effective_access_says_why(people: Any) -> None:
    lena = explain(people.users["lena"], DAY)
    actions = {a.name: a for a in lena.actions}
    assert (actions["read"].scope, actions["read"].customers) == ("team", 11)
    assert (actions["margin"].scope, actions["margin"].customers) == ("own", 0)
    assert {p.number: str(p.why) for p in lena.people} == {
        "lena": "the user's own sales person",
        "anna": "in the team South",
        "ben": "in the team South",
        "cem": "in the team South",
    }
    dora = explain(people.users["dora"], DAY)
    assert {p.number: str(p.why) for p in dora.people}["nils"] == "in the team North below"
    assert {a.scope for a in explain(people.users["gone"]).actions} == {"none"}
    assert {str(a.why) for a in explain(people.users["ada"]).actions} == {"administrator"}
    assert {a.customers for a in explain(None).actions} == {12}
