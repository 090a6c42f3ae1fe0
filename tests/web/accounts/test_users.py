"""Users, teams and grants: made by administrators, logged, without default passwords."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click
import pytest
from click.testing import CliRunner

from klientel.errors import BadParameter, NotAllowed

AT = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def services(home: Any) -> Any:
    from klientel.web.accounts import services

    return services


def test_a_new_user_may_do_nothing_and_has_no_password(services: Any) -> None:
    from klientel.web.rights import ACTIONS, access

    user = services.add_user(None, "eva", AT)
    assert not user.has_usable_password()
    assert not any(access(user).may(action) for action in ACTIONS)


def test_a_role_replaces_grants_and_single_grants_come_on_top(services: Any) -> None:
    user = services.add_user(
        None, "eva", AT, role="leader", grants={"margin": "none", "export": "own"}, team="South"
    )
    assert dict(user.grants.values_list("action", "scope")) == {
        "read": "team", "write": "team", "export": "own", "personal": "team"
    }  # fmt: skip
    services.edit_user(None, user, AT, role="reader")
    assert dict(user.grants.values_list("action", "scope")) == {"read": "all"}


def test_only_administrators_change_users(services: Any) -> None:
    eva = services.add_user(None, "eva", AT, role="director")
    for call in (
        lambda: services.add_user(eva, "x", AT),
        lambda: services.edit_user(eva, eva, AT, role="administrator"),
        lambda: services.edit_user(eva, eva, AT, grants={"read": "all"}),
        lambda: services.find_team(eva, "South", AT),
        lambda: services.invitation(eva, eva),
    ):
        with pytest.raises(NotAllowed):
            call()
    ada = services.add_user(None, "ada", AT, role="administrator")
    assert services.add_user(ada, "x", AT).pk
    with pytest.raises(NotAllowed):
        services.set_password(eva, ada, "a long enough phrase", AT)


def test_the_last_administrator_stays(services: Any) -> None:
    ada = services.add_user(None, "ada", AT, role="administrator")
    for change in ({"active": False}, {"role": "sales"}):
        with pytest.raises(BadParameter, match="last administrator"):
            services.edit_user(None, ada, AT, **change)
        ada.refresh_from_db()
        assert ada.is_superuser
        assert ada.is_active
    services.add_user(None, "two", AT, role="administrator")
    services.edit_user(None, ada, AT, role="sales")


@pytest.mark.parametrize("grants", [{"read": "tam"}, {"fly": "own"}])
def test_wrong_grants_are_told(services: Any, grants: dict[str, str]) -> None:
    with pytest.raises(BadParameter, match="ACTION=SCOPE"):
        services.add_user(None, "eva", AT, grants=grants)
    from klientel.web.accounts.models import User

    assert not User.objects.exists()  # all or nothing


def test_teams_do_not_report_in_circles(services: Any) -> None:
    services.find_team(None, "A", AT, parent="B")
    services.find_team(None, "B", AT, parent="C")
    for name in ("A", "B", "C"):
        with pytest.raises(BadParameter, match="reports to it"):
            services.find_team(None, "C", AT, parent=name)


def test_one_sales_person_is_one_users_own(services: Any) -> None:
    from klientel.web.records.models import Rep

    Rep.objects.create(number="anna", name="Anna")
    Rep.objects.create(number="ben", name="Ben")
    eva = services.add_user(None, "eva", AT, rep="anna")
    services.edit_user(None, eva, AT, rep="ben")
    assert list(Rep.objects.filter(user=eva).values_list("number", flat=True)) == ["ben"]
    with pytest.raises(BadParameter, match="did you mean anna"):
        services.edit_user(None, eva, AT, rep="ana")
    services.edit_user(None, eva, AT, rep="")
    assert not Rep.objects.filter(user=eva).exists()


def test_an_invitation_holds_once(services: Any) -> None:
    eva = services.add_user(None, "eva", AT)
    token = services.invitation(None, eva)
    with pytest.raises(BadParameter, match="too weak"):
        services.accept(token, "short", AT)
    assert services.accept(token, "a long enough phrase", AT) == eva
    eva.refresh_from_db()
    assert eva.check_password("a long enough phrase")
    for bad in (token, "", "x.y", "MQ.abc", token + "x"):
        with pytest.raises(BadParameter, match="does not hold"):
            services.accept(bad, "another long phrase", AT)


def test_no_password_is_in_the_log(services: Any) -> None:
    from klientel.web.records.models import Change

    eva = services.add_user(None, "eva", AT, role="sales")
    services.set_password(None, eva, "a long enough phrase", AT)
    eva.refresh_from_db()
    told = json.dumps(list(Change.objects.values("why", "before", "after")))
    assert eva.password not in told
    assert "phrase" not in told
    assert Change.objects.filter(why="password", model="accounts.User", object_id=eva.pk).count() == 1
    assert Change.objects.filter(why="grant").count() == 5


def _run(*args: str, input: str | None = None) -> Any:
    from klientel.web.accounts.commands import commands

    return CliRunner().invoke(click.Group("klientel", commands=commands("en")), list(args), input=input)


def test_the_command_line_makes_users_and_says_what_they_may(home: Any) -> None:
    from klientel.web.records.models import Company, Rep

    rep = Rep.objects.create(number="anna", name="Anna")
    Company.objects.create(number="K1", name="One", owner=rep)
    place = str(home.folder)
    made = _run("user", "add", place, "anna", "--role", "sales", "--team", "South", "--reports-to", "All",
                "--rep", "anna", input="a long enough phrase\na long enough phrase\n")  # fmt: skip
    assert made.exit_code == 0, made.output
    from klientel.web.accounts.models import User

    assert User.objects.get().check_password("a long enough phrase")
    weak = _run("user", "add", place, "ben", input="123456\n123456\n")
    assert isinstance(weak.exception, BadParameter)
    assert User.objects.count() == 1
    listed = json.loads(_run("users", place, "--format", "json").output)
    assert listed == [
        {"name": "anna", "team": "South", "rep": "anna", "administrator": False, "active": True,
         "grants": dict.fromkeys(("read", "write", "export", "margin", "personal"), "own")}
    ]  # fmt: skip
    (told,) = json.loads(_run("access", place, "--as", "anna", "--format", "json").output)
    assert {a["name"]: (a["scope"], a["customers"]) for a in told["actions"]}["read"] == ("own", 1)
    assert "own customers (1)" in _run("access", place).output
    missing = _run("access", place, "--as", "ana")
    assert "did you mean anna" in str(missing.exception)


def test_a_token_lets_its_holder_in(home: Any) -> None:
    place = str(home.folder)
    made = json.loads(_run("user", "add", place, "eva", "--invite", "--format", "json").output)
    phrase = "a long enough phrase\n"
    assert _run("user", "accept", place, made["token"], input=phrase * 2).exit_code == 0
    assert _run("user", "accept", place, made["token"], input=phrase * 2).exit_code != 0
