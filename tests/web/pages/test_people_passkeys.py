"""Passkeys with an authenticator made of software: it signs as a device does, and wrongly as a test wants."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

UP, UV, AT = 0x01, 0x04, 0x40
PASSWORD = "a rather long phrase"


class Device:
    """One passkey."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.handle = os.urandom(32)
        self.counter = 0
        self.flags = UP | UV
        self.origin = "http://localhost"
        self.host = "localhost"

    def _client(self, kind: str, challenge: str) -> CollectedClientData:
        return CollectedClientData.create(kind, websafe_decode(challenge), self.origin)

    def _answer(self, **response: bytes) -> str:
        return json.dumps(
            {
                "id": websafe_encode(self.handle),
                "rawId": websafe_encode(self.handle),
                "type": "public-key",
                "response": {name: websafe_encode(value) for name, value in response.items()},
            }
        )

    def made(self, asked: dict[str, Any]) -> str:
        public = ES256.from_cryptography_key(self.key.public_key())
        credential = AttestedCredentialData.create(b"\0" * 16, self.handle, public)
        data = AuthenticatorData.create(
            sha256(self.host.encode()).digest(), self.flags | AT, self.counter, credential
        )
        client = self._client("webauthn.create", asked["publicKey"]["challenge"])
        statement = AttestationObject.create("none", data, {})
        return self._answer(clientDataJSON=bytes(client), attestationObject=bytes(statement))

    def shown(self, asked: dict[str, Any]) -> str:
        self.counter += 1
        data = AuthenticatorData.create(sha256(self.host.encode()).digest(), self.flags, self.counter)
        client = self._client("webauthn.get", asked["publicKey"]["challenge"])
        signature = self.key.sign(bytes(data) + client.hash, ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=bytes(client), authenticatorData=bytes(data), signature=signature)


@pytest.fixture
def anna(sign_in: Any) -> Any:
    from klientel.web.accounts.models import User

    sign_in("anna", role="sales")
    user = User.objects.get(username="anna")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def device(sign_in: Any, anna: Any) -> Device:
    made = Device()
    client = sign_in("anna")
    asked = client.post("/account/factors/question").json()
    assert asked["publicKey"]["rp"]["id"] == "localhost"
    answer = client.post("/account/factors/passkey", {"answer": made.made(asked), "name": "Laptop"})
    assert answer.status_code == 200  # the first factor brings recovery codes
    return made


def alone(sign_in: Any, device: Device, answer: str | None = None) -> Any:
    client = sign_in(None)
    asked = client.post("/sign-in/question").json()
    told = answer if answer is not None else device.shown(asked)
    client.answer = client.post("/sign-in/passkey", {"answer": told, "next": "/account"})
    client.said = told
    return client


def test_a_passkey_is_enough(sign_in: Any, device: Device) -> None:
    client = alone(sign_in, device)
    assert client.answer["Location"] == "/account"
    page = client.get("/account").content.decode()
    assert "Passkey: Laptop" in page


def test_a_passkey_after_the_password(sign_in: Any, device: Device) -> None:
    client = sign_in(None)
    answer = client.post("/sign-in", {"name": "anna", "password": PASSWORD, "next": "/account"})
    assert answer["Location"] == "/sign-in/code"
    asked = client.post("/sign-in/question").json()
    assert [one["id"] for one in asked["publicKey"]["allowCredentials"]] == [websafe_encode(device.handle)]
    assert client.post("/sign-in/code", {"answer": "{}"}).status_code == 403
    asked = client.post("/sign-in/question").json()
    assert client.post("/sign-in/code", {"answer": device.shown(asked)})["Location"] == "/account"


def test_a_passkey_of_somebody_else_is_no_second_factor(sign_in: Any, device: Device) -> None:
    other = Device()
    ben = sign_in("ben", role="sales")
    ben.post("/account/factors/passkey", {"answer": other.made(ben.post("/account/factors/question").json())})
    client = sign_in(None)
    client.post("/sign-in", {"name": "anna", "password": PASSWORD})
    asked = client.post("/sign-in/question").json()
    assert client.post("/sign-in/code", {"answer": other.shown(asked)}).status_code == 403
    assert client.get("/account").status_code == 302


def test_an_answer_works_once(sign_in: Any, device: Device) -> None:
    said = alone(sign_in, device).said
    assert alone(sign_in, device, said).answer["Location"].startswith("/sign-in")


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://evil.example"},
        {"origin": "https://localhost"},
        {"origin": "http://localhost:9999"},
        {"host": "evil.example"},
        {"flags": UP},
        {"flags": UV},
        {"counter": -1},
        {"key": ec.generate_private_key(ec.SECP256R1())},
        {"handle": b"unknown"},
    ],
)
def test_what_does_not_fit_is_refused(sign_in: Any, device: Device, change: dict[str, Any]) -> None:
    alone(sign_in, device)
    for name, value in change.items():
        setattr(device, name, value)
    client = alone(sign_in, device)
    assert client.answer["Location"].startswith("/sign-in")
    assert client.get("/account").status_code == 302


@pytest.mark.parametrize(
    "answer", ["", "[]", "{}", "null", '{"rawId": 3}', '{"rawId": "!!", "response": []}']
)
def test_nonsense_is_refused(sign_in: Any, device: Device, answer: str) -> None:
    assert alone(sign_in, device, answer).answer["Location"].startswith("/sign-in")
    client = sign_in("anna")
    client.post("/account/factors/question")
    assert client.post("/account/factors/passkey", {"answer": answer}).status_code == 302
    assert client.post("/account/factors/passkey", {"answer": answer}).status_code == 302  # nothing was asked


def test_the_inactive_stay_out(sign_in: Any, device: Device, anna: Any) -> None:
    from klientel.web.accounts import services

    services.edit_user(None, anna, datetime.now(UTC), active=False)
    assert alone(sign_in, device).answer["Location"].startswith("/sign-in")


def test_passkeys_need_a_host_with_a_name(served: Any) -> None:
    from django.test import RequestFactory, override_settings

    from klientel.web.accounts.passkeys import possible

    with override_settings(ALLOWED_HOSTS=["*"]):
        ask = RequestFactory().get
        assert possible(ask("/", headers={"host": "localhost:8000"}))
        assert not possible(ask("/", headers={"host": "127.0.0.1:8000"}))
        assert not possible(ask("/", headers={"host": "[::1]:8000"}))
        assert not possible(ask("/", headers={"host": "klientel.example.org"}))
        assert possible(ask("/", headers={"host": "klientel.example.org"}, secure=True))
