"""Links that let in once: the first administrator, the invited, whom the command line signs in; forgotten passwords."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

PASSWORD = "a rather long phrase"


def link_of(lines: list[str], word: str) -> str:
    (found,) = [
        m.group(1) for line in lines if (m := re.search(rf"http://localhost:8000(/{word}/\S+)", line))
    ]
    return found


@pytest.fixture
def greeted(served: Any) -> list[str]:
    from klientel.web.serving import greeting

    return greeting("http://localhost:8000")


def test_the_first_administrator_comes_in_once(sign_in: Any, greeted: list[str]) -> None:
    from klientel.web.accounts.models import Link, User

    path = link_of(greeted, "welcome")
    secret = path.rsplit("/", 1)[1]
    assert secret not in str(list(Link.objects.values()))  # a hash only
    client = sign_in(None)
    assert "Welcome" in client.get(path).content.decode()
    given = {"name": "ada", "email": "ada@example.org", "language": "de"}
    weak = client.post(path, {**given, "password": "short", "again": "short"})
    assert weak.status_code == 400
    other = client.post(path, {**given, "password": PASSWORD, "again": PASSWORD + "!"})
    assert other.status_code == 400
    assert not User.objects.exists()
    assert client.post(path, {**given, "password": PASSWORD, "again": PASSWORD}).status_code == 302
    ada = User.objects.get()
    assert (ada.is_superuser, ada.language, ada.email) == (True, "de", "ada@example.org")
    assert "Mein Portfolio heute" in client.get("/").content.decode()
    again = sign_in(None).post(path, {**given, "name": "eve", "password": PASSWORD, "again": PASSWORD})
    assert again.status_code == 410
    assert User.objects.count() == 1


def test_the_next_start_makes_a_new_link_and_ends_the_old_one(sign_in: Any, greeted: list[str]) -> None:
    from klientel.web.serving import greeting

    old, new = link_of(greeted, "welcome"), link_of(greeting("http://localhost:8000"), "welcome")
    assert sign_in(None).get(old).status_code == 410
    assert sign_in(None).get(new).status_code == 200
    sign_in("boss")
    assert sign_in(None).get(new).status_code == 410  # there is an administrator now
    assert len(greeting("http://localhost:8000")) == 1


def test_a_link_is_over_after_its_time(sign_in: Any, greeted: list[str], monkeypatch: Any) -> None:
    from klientel.web.pages import shell

    path = link_of(greeted, "welcome")
    later = datetime.now(UTC) + timedelta(hours=24, minutes=1)
    monkeypatch.setattr(shell, "now", lambda: later)
    assert sign_in(None).get(path).status_code == 410


def test_serve_signs_somebody_in_once(sign_in: Any) -> None:
    from klientel.errors import BadParameter
    from klientel.web.accounts import services
    from klientel.web.serving import greeting

    sign_in("anna", role="sales")
    path = link_of(greeting("http://localhost:8000", "anna"), "enter")
    client = sign_in(None)
    page = client.get(path)
    assert "data-at-once" in page.content.decode()  # opening alone uses nothing up
    assert client.get("/").status_code == 302
    assert client.post(path)["Location"] == "/"
    assert client.get("/").status_code == 200
    assert sign_in(None).post(path).status_code == 410
    with pytest.raises(BadParameter):
        greeting("http://localhost:8000", "nobody")
    path = link_of(greeting("http://localhost:8000", "anna"), "enter")
    services.edit_user(None, services.find_user("anna"), datetime.now(UTC), active=False)
    assert sign_in(None).post(path).status_code == 410
    with pytest.raises(BadParameter):
        greeting("http://localhost:8000", "anna")


def test_an_invitation_sets_a_password_once(sign_in: Any) -> None:
    from klientel.web.accounts import services

    sign_in("anna", role="sales")
    anna = services.find_user("anna")
    path = f"/invitation/{services.invitation(None, anna)}"
    client = sign_in(None)
    assert "anna" in client.get(path).content.decode()
    assert client.post(path, {"password": "anna1", "again": "anna1"}).status_code == 400
    assert client.post(path, {"password": PASSWORD, "again": PASSWORD})["Location"] == "/"
    assert client.get("/").status_code == 200
    assert sign_in(None).get(path).status_code == 410
    assert sign_in(None).post(path, {"password": "another long phrase", "again": ""}).status_code == 410
    assert sign_in(None).get("/invitation/nonsense").status_code == 410
    assert sign_in(None).get("/invitation/MQ.%00").status_code == 400


def test_who_signs_out_for_an_invitation_comes_back_to_it(sign_in: Any) -> None:
    from klientel.web.accounts import services

    sign_in("anna", role="sales")
    path = f"/invitation/{services.invitation(None, services.find_user('anna'))}"
    ben = sign_in("ben", role="sales")
    assert f'name="next" value="{path}"' in ben.get(path).content.decode()
    assert ben.post("/sign-out", {"next": path})["Location"] == path
    assert "anna" in ben.get(path).content.decode()
    assert sign_in("ben").post("/sign-out", {"next": "/people"})["Location"] == "/sign-in?next=%2Fpeople"
    assert sign_in("ben").post("/sign-out")["Location"] == "/sign-in"


def test_a_new_password_does_not_go_round_the_second_factor(sign_in: Any) -> None:
    from klientel.web.accounts import factors, services

    sign_in("anna", role="sales")
    anna, at = services.find_user("anna"), datetime.now(UTC)
    secret = factors.new_secret()
    factors.add_app(anna, secret, factors.code_at(secret, int(at.timestamp()) // 30), at)
    path = f"/invitation/{services.invitation(None, anna)}"
    client = sign_in(None)
    answer = client.post(path, {"password": PASSWORD, "again": PASSWORD})
    assert answer["Location"] == "/sign-in/code"
    assert client.get("/").status_code == 302


def test_without_mail_the_page_says_whom_to_ask(sign_in: Any, monkeypatch: Any) -> None:
    monkeypatch.delenv("KLIENTEL_MAIL_HOST", raising=False)
    client = sign_in(None)
    assert "Ask an administrator" in client.get("/sign-in/forgotten").content.decode()
    assert client.post("/sign-in/forgotten", {"name": "anna"}).status_code == 200


def test_a_letter_goes_to_whoever_is_known_and_the_page_does_not_tell(sign_in: Any, monkeypatch: Any) -> None:
    from django.core import mail
    from django.test import override_settings

    from klientel.web.accounts import letters

    sign_in("anna", role="sales", email="anna@example.org", language="de")
    monkeypatch.setenv("KLIENTEL_MAIL_HOST", "mail.example.org")
    threads: list[Any] = []
    send = letters.send
    monkeypatch.setattr(letters, "send", lambda *a: threads.append(send(*a)))
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        mail.outbox = []
        told = [
            sign_in(None).post("/sign-in/forgotten", {"name": name}).content.decode()
            for name in ("nobody", "anna@example.org")
        ]
        for thread in threads:
            thread.join()
    assert [re.sub(r'value="[^"]*"|Token": "[^"]*"', "", text) for text in told[:1]] == [
        re.sub(r'value="[^"]*"|Token": "[^"]*"', "", text) for text in told[1:]
    ]
    (letter,) = mail.outbox
    assert letter.to == ["anna@example.org"]
    assert letter.subject == "Ein neues Passwort für Klientel"
    path = re.search(r"http://localhost(/invitation/\S+)", letter.body)
    assert path is not None
    assert sign_in(None).get(path.group(1)).status_code == 200
    for _ in range(4):
        last = sign_in(None).post("/sign-in/forgotten", {"name": "anna@example.org"})
    assert last.status_code == 429


def test_a_link_in_a_letter_leads_to_our_host(served: Any, monkeypatch: Any) -> None:
    from django.test import RequestFactory, override_settings

    from klientel.web.pages.people.links import absolute

    monkeypatch.setenv("KLIENTEL_HOSTS", "klientel.example.org")
    with override_settings(SECURE=True, ALLOWED_HOSTS=["localhost", "klientel.example.org"]):
        asked = RequestFactory().get("/", headers={"host": "localhost"})
        assert absolute(asked, "/invitation/x") == "https://klientel.example.org/invitation/x"


@pytest.mark.parametrize(
    ("known", "host", "settings", "address"),
    [
        ("192.0.2.7", "192.0.2.7:8000", {}, "http://192.0.2.7:8000"),
        ("[fd00::7]", "[fd00::7]:8000", {}, "http://[fd00::7]:8000"),
        ("klientel.lan", "localhost:8000", {}, "http://klientel.lan:8000"),
        ("klientel.lan", "localhost:8000", {"KLIENTEL_PROXIES": "1"}, "http://klientel.lan"),
        ("klientel.lan,other.lan", "other.lan:8000", {}, "http://other.lan:8000"),
        ("", "localhost:8000", {}, "http://localhost:8000"),
    ],
)
def test_a_link_keeps_the_port(
    served: Any, monkeypatch: Any, known: str, host: str, settings: dict[str, str], address: str
) -> None:
    from django.test import RequestFactory, override_settings

    from klientel.web.pages.people.links import absolute

    monkeypatch.delenv("KLIENTEL_PROXIES", raising=False)
    for name, value in {"KLIENTEL_HOSTS": known, **settings}.items():
        monkeypatch.setenv(name, value)
    with override_settings(ALLOWED_HOSTS=["localhost", *known.split(",")]):
        asked = RequestFactory().get("/", SERVER_PORT="8000", headers={"host": host})
        assert absolute(asked, "/invitation/x") == f"{address}/invitation/x"
