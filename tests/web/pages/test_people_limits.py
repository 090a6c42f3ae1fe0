"""Guessing does not get far: locks per name and per address, kept in the database, the same for unknown names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

PASSWORD = "a rather long phrase"
START = datetime(2026, 6, 15, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def go(self, **more: float) -> None:
        self.now += timedelta(**more)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    from klientel.web.pages import shell

    made = Clock()
    monkeypatch.setattr(shell, "now", made)
    return made


@pytest.fixture(autouse=True)
def quick(settings_of_hashing: None) -> None:
    """Passwords are cheap to check here: how often is what is tested."""


@pytest.fixture
def settings_of_hashing(served: Any) -> Any:
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


def enter(client: Any, name: str, password: str = "wrong", address: str = "10.0.0.1") -> Any:
    return client.post("/sign-in", {"name": name, "password": password}, REMOTE_ADDR=address)


@pytest.mark.parametrize("name", ["anna", "nobody"])
def test_after_five_failures_each_lock_is_twice_as_long(
    sign_in: Any, anna: Any, clock: Clock, name: str
) -> None:
    client = sign_in(None)
    statuses = [enter(client, name).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]
    page = enter(client, name)
    assert "Try again in 15 seconds" in page.content.decode()
    for seconds in (15, 30, 60, 120, 240, 480, 900, 900):
        assert enter(client, name).status_code == 429
        clock.go(seconds=seconds - 1)
        assert enter(client, name).status_code == 429
        clock.go(seconds=1)
        assert enter(client, name).status_code == 403
    assert "Try again in 15 minutes" in enter(client, name).content.decode()


def test_name_and_address_of_a_person_are_one(sign_in: Any, anna: Any, clock: Clock) -> None:
    names = ["anna", "anna@example.org", "ANNA", "Anna@Example.org", " anna ", "anna@example.org"]
    assert [enter(sign_in(None), name).status_code for name in names] == [403] * 5 + [429]


def test_letters_to_a_person_are_counted_together(
    sign_in: Any, anna: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from klientel.web.accounts import letters

    monkeypatch.setenv("KLIENTEL_MAIL_HOST", "mail.example.org")
    sent: list[Any] = []
    monkeypatch.setattr(letters, "send", lambda *told: sent.append(told))
    for name in ("anna", "anna@example.org", "ANNA", "anna@example.org", "anna"):
        sign_in(None).post("/sign-in/forgotten", {"name": name})
    assert len(sent) == 3


def test_the_lock_holds_for_the_right_password_and_ends(sign_in: Any, anna: Any, clock: Clock) -> None:
    for i in range(5):
        enter(sign_in(None), "ANNA ", address=f"10.0.1.{i}")
    assert enter(sign_in(None), "anna", PASSWORD).status_code == 429
    clock.go(seconds=16)
    assert enter(sign_in(None), "anna", PASSWORD).status_code == 302
    assert [enter(sign_in(None), "anna").status_code for _ in range(4)] == [
        403
    ] * 4  # forgotten after success


def test_one_address_does_not_try_many_names(sign_in: Any, anna: Any, clock: Clock) -> None:
    client = sign_in(None)
    statuses = [enter(client, f"name{i}").status_code for i in range(31)]
    assert statuses == [403] * 30 + [429]
    assert enter(client, "anna", PASSWORD).status_code == 429
    assert enter(client, "anna", PASSWORD, address="10.9.9.9").status_code == 302
    clock.go(hours=3)
    assert enter(sign_in(None), "anna", PASSWORD).status_code == 302


def test_a_success_does_not_wipe_the_failures_of_the_address(sign_in: Any, anna: Any, clock: Clock) -> None:
    for i in range(29):
        enter(sign_in(None), f"name{i}")
    assert enter(sign_in(None), "anna", PASSWORD).status_code == 302
    assert enter(sign_in(None), "name30").status_code == 403
    assert enter(sign_in(None), "name31").status_code == 429


def test_failures_are_forgotten_with_time(sign_in: Any, anna: Any, clock: Clock) -> None:
    for _ in range(4):
        enter(sign_in(None), "anna")
    clock.go(hours=12)  # half and half again: one is left
    assert [enter(sign_in(None), "anna").status_code for _ in range(5)] == [403] * 4 + [429]


def test_no_name_and_no_address_is_kept_in_clear(sign_in: Any, anna: Any, clock: Clock) -> None:
    from klientel.web.accounts.models import Attempts, Event

    enter(sign_in(None), "my secret password typed into the wrong field")
    assert "secret" not in str(list(Attempts.objects.values())) + str(list(Event.objects.values()))


def test_sign_ins_failures_and_locks_are_in_the_log(sign_in: Any, anna: Any, clock: Clock) -> None:
    from klientel.web.accounts.models import Event

    for _ in range(6):
        enter(sign_in(None), "anna@example.org", address="10.0.0.7")
    clock.go(minutes=1)
    enter(sign_in(None), "anna", PASSWORD, address="10.0.0.7")
    found = list(Event.objects.order_by("pk").values_list("kind", "user__username", "address"))
    who = ("anna", "10.0.0.7")
    assert found == [("sign-in failed", *who)] * 5 + [("locked", *who), ("signed in", *who)]


def test_attempts_at_once_count_all(home: Any) -> None:
    """What is counted before the check cannot be overtaken."""
    from klientel.web.accounts.attempts import Key, take

    keys = [Key("name", "anna"), Key("address", "10.0.0.1")]
    assert [take(keys, START) is None for _ in range(7)] == [True] * 5 + [False] * 2


def test_attempts_at_the_same_time_do_not_pass_together(home: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    from klientel.web.accounts.attempts import Key, take

    def attempt(_: int) -> bool:
        try:
            return take([Key("name", "anna"), Key("address", "10.0.0.1")], START) is None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as threads:
        assert sum(threads.map(attempt, range(12))) == 5


@pytest.mark.parametrize(
    ("proxies", "chain", "told"),
    [
        (None, "6.6.6.6", "192.0.2.1"),
        ("1", "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        ("2", "6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("3", "198.51.100.7", "192.0.2.1"),
        ("1", "2001:db8::7", "2001:db8::7"),
        ("1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("1", "nonsense", ""),
    ],
)
def test_the_address_is_the_one_that_our_own_proxy_saw(
    served: Any, monkeypatch: Any, proxies: str | None, chain: str, told: str
) -> None:
    from django.test import RequestFactory

    from klientel.web.accounts.callers import address_of

    monkeypatch.delenv("KLIENTEL_PROXIES", raising=False)
    if proxies:
        monkeypatch.setenv("KLIENTEL_PROXIES", proxies)
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", headers={"x-forwarded-for": chain})
    assert address_of(request) == told


def test_an_ipv6_household_is_one_caller() -> None:
    from klientel.web.accounts.callers import network_of

    assert network_of("2001:db8:1:2:aaaa::1") == network_of("2001:db8:1:2:bbbb::2")
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("10.0.0.1") == "10.0.0.1"
