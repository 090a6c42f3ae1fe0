"""Users, teams and the log: for administrators, with the effect of every change at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

AT = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def boss(sign_in: Any) -> Any:
    return sign_in("boss")


@pytest.fixture
def anna(sign_in: Any, boss: Any) -> Any:
    from klientel.web.records import changes
    from klientel.web.records.models import Company, Rep

    rep = changes.create(Rep, {"number": "R1", "first_name": "Anna", "name": "Berg"}, None, "edit", AT)
    changes.create(Company, {"number": "K1", "name": "Firm", "owner_id": rep.pk}, None, "edit", AT)
    client = sign_in("anna", role="sales", rep="R1", team="South")
    return client.user


def addresses(anna: Any) -> list[tuple[str, str]]:
    own = f"/people/{anna.pk}"
    return [
        ("get", "/people"), ("get", "/people/add"), ("post", "/people/add"), ("get", "/people/teams"),
        ("get", "/people/log"), ("get", own), ("post", "/people/second-factor"), ("post", "/people/teams/add"),
        ("post", f"/people/teams/{anna.team_id}"), ("post", f"/people/teams/{anna.team_id}/remove"),
        *(("post", f"{own}/{part}") for part in
          ("rights", "person", "active", "invitation", "sessions", "factors", "tokens/1")),
    ]  # fmt: skip


def test_all_of_it_is_for_administrators(sign_in: Any, anna: Any) -> None:
    from klientel.web.accounts.models import User
    from klientel.web.records.models import Change

    dora = sign_in("dora", role="director")
    before = (Change.objects.count(), list(User.objects.exclude(username="dora").values()))
    for method, path in addresses(anna):
        answer = getattr(dora, method)(path)
        assert answer.status_code == 403, path
        assert getattr(sign_in(None), method)(path).status_code == 302, path
    assert before == (Change.objects.count(), list(User.objects.exclude(username="dora").values()))


def test_a_user_is_added_and_invited(boss: Any, sign_in: Any, anna: Any) -> None:
    from klientel.web.accounts.models import Event, User

    given = {"name": "ben", "first_name": "Ben", "last_name": "Roth", "email": "ben@example.org", "role": "leader",
             "team": "North", "language": "de", "rep": ""}  # fmt: skip
    answer = boss.post("/people/add", given)
    ben = User.objects.get(username="ben")
    assert (ben.team.name, ben.language, ben.get_full_name()) == ("North", "de", "Ben Roth")
    assert dict(ben.grants.values_list("action", "scope"))["write"] == "team"
    link = re.search(r'value="http://localhost(/invitation/[^"]+)"', answer.content.decode())
    assert link is not None
    password = "a rather long phrase"
    assert sign_in(None).post(link.group(1), {"password": password, "again": password}).status_code == 302
    assert Event.objects.filter(kind="invited", user=ben, actor=boss.user).exists()
    for wrong in (
        {"name": "BEN"},
        {"name": "a b"},
        {"name": ""},
        {"name": "new"},
        {"role": "king", "name": "x"},
    ):
        refused = boss.post("/people/add", {**given, **wrong})
        assert refused.status_code == 400, wrong
        assert 'value="Roth"' in refused.content.decode()  # what was typed stays
    assert User.objects.count() == 3


def test_rights_are_a_table_and_take_effect_at_once(boss: Any, sign_in: Any, anna: Any) -> None:
    from klientel.web.records.models import Change
    from klientel.web.rights import access

    page = boss.get(f"/people/{anna.pk}").content.decode()
    assert re.search(r'name="grant-read" value="own" checked', page)
    assert "customers: 1" in page
    assert "Anna Berg" in page
    answer = boss.post(
        f"/people/{anna.pk}/rights", {"grant-read": "all", "grant-write": "own", "grant-export": "none"}
    )
    assert answer.status_code == 302
    found = access(anna)
    assert (found.everything("read"), found.everything("write"), found.may("export")) == (True, False, False)
    assert Change.objects.filter(model="accounts.Grant", actor=boss.user).count() == 2
    boss.post(f"/people/{anna.pk}/rights", {"role": "reader"})
    assert dict(anna.grants.values_list("action", "scope")) == {"read": "all"}
    wrong = boss.post(f"/people/{anna.pk}/rights", {"grant-read": "universe"})
    assert wrong.status_code == 400
    assert dict(anna.grants.values_list("action", "scope")) == {"read": "all"}


def test_the_last_administrator_stays(boss: Any) -> None:
    pk = boss.user.pk
    answer = boss.post(f"/people/{pk}/rights", {"role": "reader"})
    assert answer.status_code == 400
    assert "last administrator" in answer.content.decode()
    boss.post(f"/people/{pk}/active", {"active": "no"})
    assert boss.get("/people").status_code == 200


def test_locking_out_ends_sessions_at_once(boss: Any, sign_in: Any, anna: Any) -> None:
    client = sign_in("anna")
    assert client.get("/account").status_code == 200
    boss.post(f"/people/{anna.pk}/active", {"active": "no"})
    assert client.get("/account").status_code == 302
    assert "anna" not in boss.get("/people").content.decode().split("<tbody>")[1]
    assert "anna" in boss.get("/people?state=inactive").content.decode().split("<tbody>")[1]
    boss.post(f"/people/{anna.pk}/active", {"active": "yes"})
    anna.refresh_from_db()
    assert anna.is_active


def test_sessions_tokens_and_factors_of_others_end(boss: Any, sign_in: Any, anna: Any) -> None:
    from klientel.web.accounts import factors, tokens
    from klientel.web.accounts.models import Event

    at = datetime.now(UTC)
    secret = factors.new_secret()
    factors.add_app(anna, secret, factors.code_at(secret, int(at.timestamp()) // 30), at)
    token, text = tokens.make(anna, "Report", ["read"], at)
    client = sign_in("anna")
    page = boss.get(f"/people/{anna.pk}").content.decode()
    assert "Authenticator app" in page
    assert "Report" in page
    boss.post(f"/people/{anna.pk}/tokens/{token.pk}")
    assert tokens.holder(text, at) is None
    boss.post(f"/people/{anna.pk}/sessions")
    assert client.get("/account").status_code == 302
    boss.post(f"/people/{anna.pk}/factors")
    assert not factors.has(anna)
    log = boss.get(f"/people/log?user={anna.pk}").content.decode()
    for told in ("second factor reset", "API token revoked", "all sessions ended"):
        assert told in log
    assert Event.objects.filter(kind="factors reset", user=anna, actor=boss.user).exists()


def test_team_and_sales_person_of_a_user(boss: Any, anna: Any) -> None:
    from klientel.web.accounts.models import Team
    from klientel.web.records.models import Rep

    given = {"first_name": "Anna", "last_name": "", "email": "", "language": "en", "team": "West", "rep": ""}
    assert boss.post(f"/people/{anna.pk}/person", given).status_code == 302
    anna.refresh_from_db()
    assert anna.team.name == "West"
    assert Rep.objects.get(number="R1").user is None
    bad = boss.post(f"/people/{anna.pk}/person", {**given, "team": "East", "rep": "R9"})
    assert bad.status_code == 400
    assert not Team.objects.filter(name="East").exists()  # all or nothing


def test_teams_are_a_tree_without_circles(boss: Any, anna: Any) -> None:
    from klientel.web.accounts.models import Team

    south = anna.team
    boss.post("/people/teams/add", {"name": "Sales", "parent": ""})
    sales = Team.objects.get(name="Sales")
    boss.post(f"/people/teams/{south.pk}", {"name": "Far South", "parent": sales.pk})
    south.refresh_from_db()
    assert (south.name, south.parent) == ("Far South", sales)
    page = boss.get("/people/teams").content.decode()
    assert page.index('class="depth-0">Sales') < page.index('class="depth-1">Far South')
    assert boss.post(f"/people/teams/{sales.pk}", {"name": "Sales", "parent": south.pk}).status_code == 400
    assert boss.post("/people/teams/add", {"name": "Sales", "parent": ""}).status_code == 400
    assert boss.post(f"/people/teams/{south.pk}/remove").status_code == 400
    boss.post("/people/teams/add", {"name": "Empty", "parent": south.pk})
    empty = Team.objects.get(name="Empty")
    boss.post(f"/people/teams/{empty.pk}/remove")
    assert not Team.objects.filter(pk=empty.pk).exists()


def test_the_log_is_sorted_filtered_and_paged(boss: Any, anna: Any) -> None:
    from datetime import timedelta

    from klientel.web.accounts import events

    now = datetime.now(UTC)
    for i in range(60):
        events.note("sign-in failed", now + timedelta(seconds=i), user=anna, address=f"10.0.0.{i}")
    first = boss.get("/people/log?sort=trouble").content.decode()
    assert first.count("sign-in failed") == 50
    assert "10.0.0.59" in first
    older = re.search(r'href="(\?[^"]*before=[^"]*)"', first)
    assert older is not None
    second = boss.get("/people/log" + older.group(1).replace("&amp;", "&")).content.decode()
    assert second.count("sign-in failed") == 10
    rights = boss.get("/people/log?sort=rights").content.decode()
    assert "user made" in rights
    assert "nobody&#x27;s customers → own customers" in rights
    from klientel.web.accounts import services

    services.edit_user(None, anna, now + timedelta(hours=1), grants={"margin": "none"})
    assert "own customers → nobody&#x27;s customers" in boss.get(f"/people/{anna.pk}").content.decode()
    assert boss.get("/people/log?before=nonsense&user=x&sort=y").status_code == 200


def test_a_factor_can_be_asked_of_everybody(boss: Any, sign_in: Any, anna: Any) -> None:
    boss.post("/people/second-factor", {"needed": "yes"})
    assert sign_in("anna").get("/")["Location"] == "/account/factors"
    assert boss.get("/people")["Location"] == "/account/factors"  # of the administrator, too


def test_lists_take_few_queries(boss: Any, anna: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from klientel.web.accounts import services

    def count(path: str) -> int:
        boss.get(path)
        with CaptureQueriesContext(connection) as found:
            assert boss.get(path).status_code == 200
        return len(found)

    paths = ("/people", "/people/teams", "/people/log", f"/people/{anna.pk}")
    before = [count(path) for path in paths]
    for i in range(12):
        user = services.add_user(None, f"user{i}", AT, role="leader", team=f"Team {i}")
        services.find_team(None, f"Team {i}", AT, parent="South")
        services.edit_user(None, user, AT, grants={"read": "subtree"})
    after = [count(path) for path in paths]
    assert after[:2] == before[:2]
    assert after[3] == before[3]
    assert after[2] <= before[2] + 2  # what happened at one moment, where a page ends in the middle of it
    assert max(before) <= 48, before


@pytest.mark.parametrize("language", ["en", "de"])
def test_pages_speak_and_hold_no_style(sign_in: Any, anna: Any, language: str) -> None:
    client = sign_in(f"chief-{language}", language=language)
    for path in ("/people", "/people/add", "/people/teams", "/people/log", f"/people/{anna.pk}", "/account",
                 "/account/factors", "/account/factors/app", "/confirm"):  # fmt: skip
        text = client.get(path).content.decode()
        assert " style=" not in text, path
        assert "<script>" not in text, path
        assert text.count("<h1>") == 1, path
        assert f'<html lang="{language}"' in text
    assert ("Personen und Rechte" if language == "de" else "People and rights") in client.get(
        "/people"
    ).content.decode()


def test_a_name_with_markup_is_text(boss: Any, anna: Any) -> None:
    nasty = '"><img src=x onerror=alert(1)>'
    given = {
        "first_name": nasty,
        "last_name": nasty,
        "email": "",
        "language": "en",
        "team": nasty,
        "rep": "R1",
    }
    assert boss.post(f"/people/{anna.pk}/person", given).status_code == 302
    for path in ("/people", "/people/teams", "/people/log", f"/people/{anna.pk}"):
        assert "<img" not in boss.get(path).content.decode(), path


DELICATE = (
    ("get", "/people/add"),
    ("post", "/people/add"),
    ("post", "/people/second-factor"),
    ("post", "/people/teams/{team}"),
    *(
        ("post", f"/people/{{pk}}/{part}")
        for part in ("rights", "person", "active", "invitation", "factors", "identity")
    ),
    *(("post", f"/account/factors/{part}") for part in ("codes", "passkey", "question", "app", "{factor}")),
    ("get", "/account/factors/app"),
    ("post", "/account/tokens"),
)


def test_all_that_is_delicate_is_in_the_list(served: Any) -> None:
    from django.urls import get_resolver, resolve
    from test_every_address import walk

    marked = {name for name, _, _, view in walk(get_resolver()) if getattr(view, "delicate", False)}
    asked = {resolve(path.format(pk=1, factor=1, team=1)).view_name for _, path in DELICATE}
    assert marked == asked


@pytest.mark.parametrize(("method", "path"), DELICATE)
def test_what_is_delicate_asks_who_it_is(
    boss: Any, anna: Any, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    """A session left open for a while changes nothing that is delicate; a fresh one reaches the view."""
    from django.apps import apps

    from klientel.web.accounts import factors
    from klientel.web.pages import shell

    at = datetime.now(UTC)
    secret = factors.new_secret()
    factors.add_app(boss.user, secret, factors.code_at(secret, int(at.timestamp()) // 30), at)
    path = path.format(pk=anna.pk, factor=boss.user.factors.get().pk, team=anna.team_id)
    given = {"name": "eve", "role": "administrator", "grant-read": "all", "email": "eve@example.org", "active": "no",
             "needed": "yes", "scope": "read", "days": "30", "back": "/people/teams"}  # fmt: skip

    def state() -> list[Any]:
        models = [*apps.get_app_config("accounts").get_models()]
        return [list(m.objects.order_by("pk").values()) for m in models if m.__name__ != "Session"]

    before = state()
    with monkeypatch.context() as later:
        later.setattr(shell, "now", lambda: at + timedelta(minutes=16))
        answer = getattr(boss, method)(path, given if method == "post" else {})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/confirm?next=")
    assert state() == before
    answer = getattr(boss, method)(path, given if method == "post" else {})
    assert not answer.get("Location", "").startswith("/confirm")


def test_ids_that_are_none_are_taken_for_none(boss: Any, anna: Any) -> None:
    endless = "9" * 5000
    assert boss.get(f"/people/log?user={endless}").status_code == 200
    assert boss.post(f"/people/{anna.pk}/sessions", {"session": endless}).status_code == 302
    assert boss.post("/account/sessions", {"session": endless}).status_code == 302
    assert boss.post("/people/teams/add", {"name": "New", "parent": endless}).status_code == 302
    assert boss.get("/account").status_code == 200


def test_sales_people_who_are_gone_are_nobodys(boss: Any, anna: Any) -> None:
    from klientel.web.records import services
    from klientel.web.records.models import Rep

    at = datetime.now(UTC)
    gone = services.add(Rep, {"number": "R2", "name": "Weg"}, at=at)
    Rep.objects.filter(pk=gone.pk).update(deleted_at=at)
    assert "Weg" not in boss.get(f"/people/{anna.pk}").content.decode()
    assert boss.post(f"/people/{anna.pk}/person", {"rep": "R2", "language": "en"}).status_code == 400
    gone.refresh_from_db()
    assert gone.user_id is None
