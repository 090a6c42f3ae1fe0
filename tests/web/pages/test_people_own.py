"""One's own account: name, password, sessions, second factors, tokens."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

PASSWORD = "a rather long phrase"
OTHER = "another rather long one"


@pytest.fixture(autouse=True)
def quick(served: Any) -> Any:
    from django.test import override_settings

    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def anna(sign_in: Any) -> Any:
    from klientel.web.accounts.models import User

    sign_in("anna", role="sales", email="anna@example.org")
    user = User.objects.get(username="anna")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def enter(sign_in: Any) -> Any:
    def entered(name: str = "anna", password: str = PASSWORD) -> Any:
        client = sign_in(None)
        client.answer = client.post("/sign-in", {"name": name, "password": password, "next": "/account"})
        return client

    return entered


def now_code(secret: str, later: int = 0) -> str:
    from klientel.web.accounts import factors

    return factors.code_at(secret, int(datetime.now(UTC).timestamp()) // 30 + later)


def add_app(client: Any) -> str:
    page = client.get("/account/factors/app").content.decode()
    found = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', page)
    assert found is not None
    secret = found.group(1).replace(" ", "")
    answer = client.post("/account/factors/app", {"code": now_code(secret)})
    assert answer.status_code == 200
    client.codes = re.findall(r"<li><code>([a-z0-9-]+)</code>", answer.content.decode())
    return secret


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B (SHA-1), cut to six digits; RFC 4226, appendix D."""
    from base64 import b32encode

    from klientel.web.accounts.factors import code_at

    secret = b32encode(b"12345678901234567890").decode()
    told = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924",
            2000000000: "279037", 20000000000: "353130"}  # fmt: skip
    assert {second: code_at(secret, second // 30) for second in told} == told
    assert [code_at(secret, i) for i in range(3)] == ["755224", "287082", "359152"]


def test_name_address_and_language_are_changed(sign_in: Any, anna: Any, enter: Any) -> None:
    client = enter()
    given = {"first_name": " Anna  Maria", "last_name": "Berg", "email": "a@example.org", "language": "de"}
    assert client.post("/account/person", given)["Location"] == "/account#profile"
    anna.refresh_from_db()
    assert (anna.get_full_name(), anna.email) == ("Anna Maria Berg", "a@example.org")
    assert "Ihr Konto" in client.get("/account").content.decode()
    sign_in("ben", role="sales", email="ben@example.org")
    for email in ("BEN@example.org", "no address"):
        answer = client.post("/account/person", {**given, "email": email})
        assert answer.status_code == 400
        assert 'aria-invalid="true"' in answer.content.decode()
    from klientel.web.records.models import Change

    assert Change.objects.filter(model="accounts.User", object_id=anna.pk, actor=anna).exists()


def test_a_new_password_ends_the_other_sessions(anna: Any, enter: Any) -> None:
    client, elsewhere = enter(), enter()
    given = {"old": PASSWORD, "password": OTHER, "again": OTHER}
    for wrong in ({"old": "wrong"}, {"again": "different"}, {"password": "anna", "again": "anna"}):
        assert client.post("/account/password", {**given, **wrong}).status_code == 400
    assert client.post("/account/password", given).status_code == 302
    assert client.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
    assert enter().answer.status_code == 403
    assert enter(password=OTHER).answer.status_code == 302
    from klientel.web.records.models import Change

    (change,) = Change.objects.filter(why="password")
    assert (change.actor, change.before, change.after) == (anna, {}, {})


def test_sessions_are_listed_and_ended(anna: Any, enter: Any, sign_in: Any) -> None:
    from klientel.web.accounts.models import Session

    agent = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"
    client = enter()
    other = sign_in(None)
    other.post(
        "/sign-in",
        {"name": "anna", "password": PASSWORD},
        headers={"user-agent": agent},
        REMOTE_ADDR="192.0.2.7",
    )
    third = enter()
    text = client.get("/account").content.decode()
    assert "Firefox, Windows" in text
    assert "192.0.2.7" in text
    assert text.count("this one") == 1
    pk = Session.objects.get(address="192.0.2.7").pk
    stranger = sign_in("ben", role="sales")
    stranger.post("/account/sessions", {"session": pk})  # not one's own
    assert other.get("/account").status_code == 200
    client.post("/account/sessions", {"session": pk})
    assert other.get("/account").status_code == 302
    assert third.get("/account").status_code == 200
    client.post("/account/sessions")
    assert third.get("/account").status_code == 302
    assert client.get("/account").status_code == 200
    client.post("/sign-out")
    assert not Session.objects.filter(user=anna).exists()


def test_an_app_is_asked_for_once_it_is_there(anna: Any, enter: Any) -> None:
    client = enter()
    page = client.get("/account/factors/app").content.decode()
    assert " style=" not in page
    assert client.post("/account/factors/app", {"code": "000000"}).status_code == 400
    secret = add_app(client)
    assert len(client.codes) == 10
    fresh = enter()
    assert fresh.answer["Location"] == "/sign-in/code"
    assert fresh.get("/account").status_code == 302  # not in yet
    assert fresh.post("/sign-in/code", {"code": "123"}).status_code == 403
    late = now_code(secret, 1)
    assert fresh.post("/sign-in/code", {"code": f"{late[:3]} {late[3:]}"})["Location"] == "/account"
    assert fresh.get("/account").status_code == 200
    again = enter()
    assert again.post("/sign-in/code", {"code": late}).status_code == 403  # used up, everywhere
    assert again.post("/sign-in/code", {"code": client.codes[3].upper()}).status_code == 403
    assert again.post("/sign-in/code", {"code": client.codes[3]}).status_code == 302
    assert enter().post("/sign-in/code", {"code": client.codes[3]}).status_code == 403


def test_codes_cannot_be_guessed(anna: Any, enter: Any) -> None:
    add_app(enter())
    statuses = [enter().post("/sign-in/code", {"code": f"{i:06d}"}).status_code for i in range(7)]
    assert statuses[:5] == [403] * 5
    page = enter().post("/sign-in/code", {"code": "777777"})
    assert "Too many attempts" in page.content.decode()


def test_nothing_of_a_factor_is_kept_in_clear(anna: Any, enter: Any) -> None:
    from klientel.web.accounts.models import Factor
    from klientel.web.accounts.sealing import digest

    client = enter()
    secret = add_app(client)
    kept = str(list(Factor.objects.values()))
    assert secret not in kept
    for code in client.codes:
        assert code not in kept
        assert digest(code.replace("-", "")) not in kept


def test_another_secret_of_the_workspace_opens_nothing(anna: Any, enter: Any) -> None:
    from django.test import override_settings

    from klientel.errors import BadParameter
    from klientel.web.accounts.sealing import opened, sealed

    text = sealed("KEY")
    assert opened(text) == "KEY"
    with override_settings(SECRET_KEY="another"), pytest.raises(BadParameter):
        opened(text)


def test_the_last_factor_takes_the_codes_with_it(anna: Any, enter: Any) -> None:
    from klientel.web.accounts.models import Factor

    client = enter()
    add_app(client)
    old = client.codes
    new = client.post("/account/factors/codes")
    assert not set(old) & set(re.findall(r"<li><code>([a-z0-9-]+)</code>", new.content.decode()))
    assert enter().post("/sign-in/code", {"code": old[0]}).status_code == 403
    client.post(f"/account/factors/{Factor.objects.get(kind='app').pk}")
    assert not Factor.objects.exists()
    assert enter().answer["Location"] == "/account"


def test_a_required_factor_comes_before_everything(anna: Any, enter: Any, sign_in: Any) -> None:
    from klientel.web.accounts import rules

    rules.need_second_factor(None, True, datetime.now(UTC))
    client = enter()
    for path in ("/", "/account", "/people"):
        assert client.get(path)["Location"] == "/account/factors"
    assert client.post("/account/tokens", {"name": "x", "scope": "read"})["Location"] == "/account/factors"
    assert "wants a second factor" in client.get("/account/factors").content.decode()
    htmx = client.get("/", headers={"hx-request": "true"})
    assert htmx.headers["HX-Redirect"] == "/account/factors"
    add_app(client)
    assert client.get("/").status_code == 200
    from klientel.web.accounts.models import Factor

    client.post(f"/account/factors/{Factor.objects.get(kind='app').pk}")
    assert client.get("/")["Location"] == "/account/factors"


def test_what_is_delicate_asks_again_after_a_while(anna: Any, enter: Any, monkeypatch: Any) -> None:
    from klientel.web.pages import shell

    client = enter()
    later = datetime.now(UTC) + timedelta(minutes=16)
    monkeypatch.setattr(shell, "now", lambda: later)
    answer = client.get("/account/factors/app")
    assert answer["Location"] == "/confirm?next=%2Faccount%2Ffactors%2Fapp"
    assert client.post("/account/tokens", {"name": "x", "scope": "read"})["Location"].startswith("/confirm")
    changed = client.post("/account/person", {"email": "x@example.org"})
    assert changed["Location"].startswith("/confirm")
    assert client.post("/confirm", {"password": "wrong"}).status_code == 403
    assert client.post("/confirm", {"password": PASSWORD, "next": "//evil.example"})["Location"] == "/"
    assert client.get("/account/factors/app").status_code == 200


def test_tokens_are_shown_once_and_do_no_more_than_they_say(sign_in: Any, anna: Any, enter: Any) -> None:
    from klientel.web.accounts import services, tokens
    from klientel.web.accounts.models import ApiToken, Event
    from klientel.web.rights import access

    at = datetime.now(UTC)
    client = enter()
    given = {"name": "Report", "scope": ["read", "export"], "days": "30"}
    text = re.search(r'value="(klt_[^"]+)"', client.post("/account/tokens", given).content.decode())
    assert text is not None
    secret = text.group(1)
    page = client.get("/account").content.decode()
    assert secret not in page
    assert secret[:10] in page
    assert secret not in str(list(ApiToken.objects.values()))
    held = tokens.holder(secret, at, address="192.0.2.9")
    assert held is not None
    user, token = held
    found = access(user)
    assert [a for a in ("read", "write", "export", "margin", "personal") if found.may(a)] == [
        "read",
        "export",
    ]
    assert tokens.narrowed(token).reaches == found.reaches
    assert access(anna).may("write")
    used = Event.objects.get(kind="token used")
    assert (used.user, used.address, used.detail) == (anna, "192.0.2.9", "Report")
    tokens.holder(secret, at + timedelta(minutes=2))
    assert Event.objects.filter(kind="token used").count() == 1  # not at every call
    assert tokens.holder(secret, at + timedelta(days=31)) is None
    assert tokens.holder(secret[:-1] + "x", at) is None
    assert tokens.holder("", at) is None
    services.edit_user(None, anna, at, grants={"export": "none"})
    again = tokens.holder(secret, at)
    assert again is not None
    assert not access(again[0]).may("export")  # what the user may no longer do, the token may not
    sign_in("ben", role="sales").post(f"/account/tokens/{token.pk}")
    assert tokens.holder(secret, at) is not None
    client.post(f"/account/tokens/{token.pk}")
    assert tokens.holder(secret, at) is None


@pytest.mark.parametrize("days", ["30 days", "", None, "0", "-1", "4000", "9" * 5000])
def test_a_token_without_a_clear_end_is_refused(enter: Any, anna: Any, days: str | None) -> None:
    from klientel.web.accounts.models import ApiToken

    given = {"name": "Report", "scope": ["read"], **({} if days is None else {"days": days})}
    assert enter().post("/account/tokens", given).status_code == 400
    assert not ApiToken.objects.exists()


def test_a_token_holds_for_ever_where_that_is_said(enter: Any, anna: Any) -> None:
    from klientel.web.accounts.models import ApiToken

    client = enter()
    page = client.get("/account").content.decode()
    value = re.search(r'<option value="([^"]*)">until it is revoked', page)
    assert value is not None
    client.post("/account/tokens", {"name": "Report", "scope": ["read"], "days": value.group(1)})
    assert ApiToken.objects.get().expires_at is None


def test_a_token_takes_no_right_that_the_person_lacks(sign_in: Any) -> None:
    from klientel.errors import BadParameter, NotAllowed
    from klientel.web.accounts import services, tokens

    at = datetime.now(UTC)
    reader = sign_in("rita", role="reader").user
    for scopes in (["read", "write"], ["write"], []):
        with pytest.raises(BadParameter):
            tokens.make(reader, "x", scopes, at)
    boss = sign_in("boss").user
    _, text = tokens.make(boss, "x", ["read", "write", "export", "margin", "personal"], at)
    held = tokens.holder(text, at)
    assert held is not None
    with pytest.raises(NotAllowed):  # no token administrates, nor changes the password of its person
        services.add_user(held[0], "mallory", at)
    with pytest.raises(NotAllowed):
        services.set_password(held[0], boss, OTHER, at)
    services.edit_user(None, reader, at, active=False)
    assert tokens.holder(tokens.make(boss, "y", ["read"], at)[1], at) is not None


def test_an_inactive_user_is_out_at_once(sign_in: Any, anna: Any, enter: Any) -> None:
    from klientel.web.accounts import services, tokens

    at = datetime.now(UTC)
    client = enter()
    _, text = tokens.make(anna, "x", ["read"], at)
    services.edit_user(None, anna, at, active=False)
    assert client.get("/account").status_code == 302
    assert tokens.holder(text, at) is None


def test_the_account_takes_few_queries(anna: Any, enter: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = enter()
    enter(), enter()
    client.get("/account")
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get("/account").status_code == 200
    assert len(found) <= 14, [q["sql"] for q in found]
