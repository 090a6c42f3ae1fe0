"""Signing in and out: both languages, no way out to other hosts, nothing told about who exists."""

from __future__ import annotations

from typing import Any

import pytest

PASSWORD = "a rather long phrase"


@pytest.fixture
def anna(sign_in: Any) -> Any:
    from klientel.web.accounts.models import User

    sign_in("anna", role="sales", email="anna@example.org")
    user = User.objects.get(username="anna")
    user.set_password(PASSWORD)
    user.save()
    return user


def enter(client: Any, name: str = "anna", password: str = PASSWORD, **more: str) -> Any:
    return client.post("/sign-in", {"name": name, "password": password, **more})


@pytest.mark.parametrize("name", ["anna", "Anna", "ANNA@example.org", " anna "])
def test_name_or_address_open_the_door(sign_in: Any, anna: Any, name: str) -> None:
    client = sign_in(None)
    answer = enter(client, name, next="/imports?x=1")
    assert (answer.status_code, answer["Location"]) == (302, "/imports?x=1")
    assert client.get("/").status_code == 200
    assert client.post("/sign-out").status_code == 302
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example",
     "http:evil.example", "\\\\evil.example", "evil.example", "///evil.example"],
)  # fmt: skip
def test_nobody_is_led_to_another_host(sign_in: Any, anna: Any, target: str) -> None:
    assert enter(sign_in(None), next=target)["Location"] == "/"


def test_unknown_wrong_and_inactive_sound_the_same(sign_in: Any, anna: Any) -> None:
    told = []
    told.append(enter(sign_in(None), "nobody"))
    told.append(enter(sign_in(None), "anna", "not this one"))
    anna.is_active = False
    anna.save()
    told.append(enter(sign_in(None)))
    texts = {a.content.decode().split('role="alert"')[1].split("</p>")[0] for a in told}
    assert {a.status_code for a in told} == {403}
    assert len(texts) == 1


def test_every_refusal_takes_one_check_of_a_password(
    sign_in: Any, anna: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As much work for a name that does not exist, a wrong password, nobody's password and an inactive user."""
    from django.contrib.auth.hashers import ScryptPasswordHasher

    sign_in("invited", role="sales")  # has no password yet
    gone = sign_in("gone", role="sales").user
    gone.set_password(PASSWORD)
    gone.is_active = False
    gone.save()
    calls: list[int] = []
    encode = ScryptPasswordHasher.encode

    def counted(self: Any, *args: Any, **options: Any) -> Any:
        calls.append(1)
        return encode(self, *args, **options)

    monkeypatch.setattr(ScryptPasswordHasher, "encode", counted)
    counts = []
    for name in ("nobody", "anna", "invited", "gone", "anna@example.org"):
        calls.clear()
        enter(sign_in(None), name, "not this one")
        counts.append(len(calls))
    assert counts == [1] * 5


@pytest.mark.parametrize(("language", "word"), [("en", "Sign in"), ("de", "Anmelden")])
def test_strangers_choose_their_language(sign_in: Any, language: str, word: str) -> None:
    client = sign_in(None)
    assert client.post("/language", {"language": language, "next": "/sign-in"})["Location"] == "/sign-in"
    assert f"<h1>{word}</h1>" in client.get("/sign-in").content.decode()
    assert client.post("/language", {"language": "xx"}).cookies == {}


def test_an_open_page_goes_to_the_door_and_comes_back(sign_in: Any) -> None:
    headers = {"hx-request": "true", "hx-current-url": "http://localhost/companies?q=a"}
    answer = sign_in(None).get("/sign-in", headers=headers)
    assert answer.headers["HX-Redirect"] == "/sign-in?next=%2Fcompanies%3Fq%3Da"


def test_signing_in_needs_the_token_of_the_form(sign_in: Any, anna: Any) -> None:
    from django.test import Client

    assert enter(Client(enforce_csrf_checks=True, headers={"host": "localhost"})).status_code == 403
