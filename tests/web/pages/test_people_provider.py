"""OpenID Connect against a small provider on this machine, which signs, lies and forges as a test wants."""

from __future__ import annotations

import json
import threading
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

SECRET = "s3cret: with/odd signs"
KEY = ec.generate_private_key(ec.SECP256R1())
FOREIGN = ec.generate_private_key(ec.SECP256R1())


class Provider:
    """What it says next; `seen` holds what the client sent."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.key: Any = KEY
        self.algorithm = "ES256"
        self.describe: dict[str, Any] = {}
        self.info: dict[str, Any] | None = None
        self.seen: dict[str, Any] = {}
        self.asked: dict[str, str] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._answers())
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def description(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/info", **self.describe,
        }  # fmt: skip

    def id_token(self) -> str:
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": self.issuer, "aud": "klientel", "sub": "42", "iat": now, "exp": now + 300,
            "nonce": self.asked["nonce"], "email": "anna@example.org", "email_verified": True, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.key, algorithm=self.algorithm, headers={"kid": "one"})

    def token(self, body: dict[str, str], authorization: str) -> dict[str, Any] | None:
        self.seen = {**body, "authorization": authorization}
        challenge = urlsafe_b64encode(sha256(body["code_verifier"].encode()).digest()).decode().rstrip("=")
        if body["code"] != "good" or challenge != self.asked["code_challenge"]:
            return None
        return {"access_token": "access", "token_type": "Bearer", "id_token": self.id_token()}

    def _answers(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
                known: dict[str, Any] = {
                    "/.well-known/openid-configuration": provider.description(),
                    "/keys": {"keys": [{**public, "kid": "one", "use": "sig", "alg": "ES256"}]},
                    "/info": provider.info,
                }
                if self.path == "/moved/.well-known/openid-configuration":
                    self.send_response(302)
                    self.send_header("Location", f"{provider.issuer}/.well-known/openid-configuration")
                    self.end_headers()
                    return
                self.say(known.get(self.path))

            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                body = {name: values[0] for name, values in parse_qs(text).items()}
                self.say(provider.token(body, self.headers.get("Authorization", "")))

            def say(self, content: Any) -> None:
                self.send_response(400 if content is None else 200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(content or {"error": "invalid_grant"}).encode())

            def log_message(self, *_: Any) -> None:
                pass

        return Answers


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    made = Provider()
    monkeypatch.setenv("KLIENTEL_OIDC_ISSUER", made.issuer)
    monkeypatch.setenv("KLIENTEL_OIDC_CLIENT_ID", "klientel")
    monkeypatch.setenv("KLIENTEL_OIDC_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("KLIENTEL_OIDC_NAME", "Firm SSO")
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def anna(sign_in: Any) -> Any:
    return sign_in("anna", role="sales", email="Anna@Example.org").user


def begin(client: Any, provider: Provider, goal: str = "/account") -> Any:
    answer = client.get("/sign-in/provider", {"next": goal})
    parts = urlsplit(answer["Location"])
    if parts.path == "/authorize":
        provider.asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return answer


def come_back(client: Any, provider: Provider, **changed: str) -> Any:
    return client.get("/sign-in/provider/back", {"state": provider.asked["state"], "code": "good", **changed})


def through(sign_in: Any, provider: Provider) -> Any:
    client = sign_in(None)
    begin(client, provider)
    client.answer = come_back(client, provider)
    return client


def test_a_known_person_comes_in(sign_in: Any, provider: Provider, anna: Any) -> None:
    client = sign_in(None)
    assert "Sign in with Firm SSO" in client.get("/sign-in").content.decode()
    begin(client, provider, "/account")
    asked = provider.asked
    assert (asked["client_id"], asked["scope"]) == ("klientel", "openid email profile")
    assert (asked["redirect_uri"], asked["response_type"]) == (
        "http://localhost/sign-in/provider/back",
        "code",
    )
    before = client.cookies["sessionid"].value
    answer = come_back(client, provider)
    assert answer["Location"] == "/account"
    assert client.cookies["sessionid"].value != before  # no session from before the sign-in goes on
    assert "anna" in client.get("/account").content.decode()
    name, _, secret = b64decode(provider.seen["authorization"].removeprefix("Basic ")).decode().partition(":")
    assert (unquote(name), unquote(secret)) == ("klientel", SECRET)
    assert come_back(client, provider)["Location"].startswith("/sign-in")  # the state is used up


def test_the_way_to_show_the_secret_is_the_provider_s(sign_in: Any, provider: Provider, anna: Any) -> None:
    provider.describe = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert through(sign_in, provider).answer["Location"] == "/account"
    assert (provider.seen["client_secret"], provider.seen["authorization"]) == (SECRET, "")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": ["klientel", "another"]},
        {"aud": ["klientel", "another"], "azp": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1_600_000_000},
        {"exp": None},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"email_verified": False},
        {"email_verified": None},
        {"email": None},
        {"email": "nobody@example.org"},
    ],
)
def test_what_does_not_fit_lets_nobody_in(
    sign_in: Any, provider: Provider, anna: Any, claims: dict[str, Any]
) -> None:
    from klientel.web.accounts.models import Event, User

    provider.claims = claims
    client = through(sign_in, provider)
    assert client.answer["Location"].startswith("/sign-in")
    assert client.get("/account").status_code == 302
    assert User.objects.count() == 1
    assert Event.objects.filter(kind="provider refused").count() == 1
    assert 'class="error"' in client.get("/sign-in").content.decode()


def test_a_forged_token_is_refused(sign_in: Any, provider: Provider, anna: Any) -> None:
    provider.key = FOREIGN
    assert through(sign_in, provider).answer["Location"].startswith("/sign-in")
    provider.key, provider.algorithm = None, "none"
    assert through(sign_in, provider).answer["Location"].startswith("/sign-in")
    provider.key, provider.algorithm = SECRET * 3, "HS256"
    assert through(sign_in, provider).answer["Location"].startswith("/sign-in")


def test_state_and_code_must_be_ours(sign_in: Any, provider: Provider, anna: Any) -> None:
    for changed in ({"state": "another"}, {"code": "stolen"}, {"code": ""}, {"state": ""}):
        client = sign_in(None)
        begin(client, provider)
        assert come_back(client, provider, **changed)["Location"].startswith("/sign-in"), changed
    begin(sign_in(None), provider)
    assert come_back(sign_in(None), provider)["Location"].startswith("/sign-in")  # another browser
    client = sign_in(None)
    begin(client, provider)
    denied = client.get(
        "/sign-in/provider/back", {"error": "access_denied", "state": provider.asked["state"]}
    )
    assert denied["Location"].startswith("/sign-in")


def test_who_is_not_active_stays_out(sign_in: Any, provider: Provider, anna: Any) -> None:
    from klientel.web.accounts import services

    assert through(sign_in, provider).answer["Location"] == "/account"
    services.edit_user(None, anna, datetime.now(UTC), active=False)
    assert through(sign_in, provider).answer["Location"].startswith("/sign-in")


def test_an_identity_stays_with_its_person(sign_in: Any, provider: Provider, anna: Any) -> None:
    """After the first sign-in the subject counts; an address that goes to somebody new opens nothing."""
    assert through(sign_in, provider).answer["Location"] == "/account"
    provider.claims = {"email": "married@example.org"}
    assert through(sign_in, provider).answer["Location"] == "/account"
    provider.claims = {"sub": "43"}
    assert through(sign_in, provider).answer["Location"].startswith("/sign-in")
    boss = sign_in("boss")
    assert "<code>42</code>" in boss.get(f"/people/{anna.pk}").content.decode()
    boss.post(f"/people/{anna.pk}/identity")
    assert through(sign_in, provider).answer["Location"] == "/account"


def test_a_forgotten_password_does_not_go_round_the_provider(
    sign_in: Any, provider: Provider, anna: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who only comes in through the provider gets no letter; the page says the same as ever. With a password: both."""
    from klientel.web.accounts import letters

    monkeypatch.setenv("KLIENTEL_MAIL_HOST", "mail.example.org")
    sent: list[str] = []
    monkeypatch.setattr(letters, "send", lambda kind, user, link: sent.append(user.username))
    assert through(sign_in, provider).answer["Location"] == "/account"
    answer = sign_in(None).post("/sign-in/forgotten", {"name": "anna"})
    assert "is on its way" in answer.content.decode()
    assert sent == []
    anna.set_password("a rather long phrase")
    anna.save()
    sign_in(None).post("/sign-in/forgotten", {"name": "anna"})
    assert sent == ["anna"]


def test_a_role_lets_new_people_in(
    sign_in: Any, served: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from klientel.web.accounts.models import User

    provider.claims = {"email": "carla@example.org", "preferred_username": "carla <x>", "given_name": "Carla",
                       "family_name": "Conti", "locale": "de-DE"}  # fmt: skip
    assert through(sign_in, provider).answer["Location"].startswith("/sign-in")
    monkeypatch.setenv("KLIENTEL_OIDC_ROLE", "reader")
    assert through(sign_in, provider).answer["Location"] == "/account"
    carla = User.objects.get()
    assert (carla.username, carla.get_full_name(), carla.language) == ("carlax", "Carla Conti", "de")
    assert dict(carla.grants.values_list("action", "scope")) == {"read": "all"}
    assert not carla.has_usable_password()


def test_a_second_factor_of_ours_is_asked_for_here_too(sign_in: Any, provider: Provider, anna: Any) -> None:
    from klientel.web.accounts import factors, rules

    at = datetime.now(UTC)
    rules.need_second_factor(None, True, at)
    client = through(sign_in, provider)
    assert client.get("/account").status_code == 200  # the provider asks for its own
    secret = factors.new_secret()
    factors.add_app(anna, secret, factors.code_at(secret, int(at.timestamp()) // 30), at)
    assert through(sign_in, provider).answer["Location"] == "/sign-in/code"


def test_the_address_may_come_from_the_info_of_the_same_person(
    sign_in: Any, provider: Provider, anna: Any
) -> None:
    provider.claims = {"email": None, "email_verified": None}
    provider.info = {"sub": "41", "email": "anna@example.org", "email_verified": True}
    assert through(sign_in, provider).answer["Location"].startswith("/sign-in")
    provider.info["sub"] = "42"
    assert through(sign_in, provider).answer["Location"] == "/account"


def test_a_provider_that_is_another_or_away_is_told(
    sign_in: Any, provider: Provider, anna: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.describe = {"issuer": "https://evil.example"}
    assert begin(sign_in(None), provider)["Location"].startswith("/sign-in")
    provider.describe = {"token_endpoint": "http://192.0.2.1/token"}  # not over HTTPS
    assert through(sign_in, provider).answer["Location"].startswith("/sign-in")
    monkeypatch.setenv("KLIENTEL_OIDC_ISSUER", f"{provider.issuer}/moved")
    assert begin(sign_in(None), provider)["Location"].startswith("/sign-in")
    monkeypatch.setenv("KLIENTEL_OIDC_ISSUER", "http://127.0.0.1:9")
    assert begin(sign_in(None), provider)["Location"].startswith("/sign-in")


def test_settings_must_fit(served: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    from klientel.errors import BadParameter
    from klientel.web.serving import greeting

    monkeypatch.setenv("KLIENTEL_OIDC_ROLE", "administrator")
    with pytest.raises(BadParameter, match="KLIENTEL_OIDC_ROLE"):
        greeting("http://localhost:8000")
    monkeypatch.delenv("KLIENTEL_OIDC_ROLE")
    monkeypatch.delenv("KLIENTEL_OIDC_CLIENT_SECRET")
    with pytest.raises(BadParameter, match="CLIENT_SECRET"):
        greeting("http://localhost:8000")


def test_without_a_provider_there_is_no_such_page(sign_in: Any) -> None:
    client = sign_in(None)
    assert client.get("/sign-in/provider").status_code == 404
    assert client.get("/sign-in/provider/back").status_code == 404
    assert "/sign-in/provider" not in client.get("/sign-in").content.decode()
