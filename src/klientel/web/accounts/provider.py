"""Signing in with a provider of identities: OpenID Connect, authorization code with PKCE, state and nonce.

KLIENTEL_OIDC_ISSUER, KLIENTEL_OIDC_CLIENT_ID and KLIENTEL_OIDC_CLIENT_SECRET turn it on; the signature of the ID
token is checked always, with the provider's published keys (OpenID Connect Core 1.0, section 3.1.3.7).
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.error import URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from klientel.errors import BadParameter, KlientelError
from klientel.web.accounts import events
from klientel.web.accounts.models import Identity, User
from klientel.web.settings import setting
from klientel.words import say

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
)  # none with a shared key
LIMIT, TIMEOUT = 2**20, 10  # bytes and seconds of an answer
WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Client:
    """What the environment says about the provider."""

    issuer: str
    client_id: str
    secret: str
    name: str
    role: str | None  # of new users; None: there are none


def client() -> Client | None:
    """The provider of the environment, None without one. Raises BadParameter for half a set of settings."""
    issuer = setting("KLIENTEL_OIDC_ISSUER")
    if issuer is None:
        return None
    named = {part: setting(f"KLIENTEL_OIDC_{part}") for part in ("CLIENT_ID", "CLIENT_SECRET")}
    missing = [f"KLIENTEL_OIDC_{part}" for part, value in named.items() if not value]
    if missing:
        raise BadParameter(say("KLIENTEL_OIDC_ISSUER also needs {names}.", names=missing))
    from klientel.web.accounts.services import ROLES

    role = setting("KLIENTEL_OIDC_ROLE")
    if role is not None and (role not in ROLES or role == "administrator"):
        raise BadParameter(
            say("KLIENTEL_OIDC_ROLE is no role for new users: {role}. Use one of {names}.", role=role,
                names=[one for one in ROLES if one != "administrator"])
        )  # fmt: skip
    name = setting("KLIENTEL_OIDC_NAME") or "OpenID Connect"
    return Client(issuer, str(named["CLIENT_ID"]), str(named["CLIENT_SECRET"]), name, role)


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """What the provider says is told at the address that was asked, nowhere else."""
        return


def _fetched(url: str, data: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> Any:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (
        parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
    ):
        raise Failed(say("The provider must be asked over HTTPS, not at {url}.", url=url))
    body = urlencode(data).encode() if data is not None else None
    request = Request(url, body, {"Accept": "application/json", **(headers or {})})  # noqa: S310 # checked above
    try:
        with build_opener(_Stay).open(request, timeout=TIMEOUT) as answer:
            return json.loads(answer.read(LIMIT))
    except (URLError, OSError, ValueError):
        raise Failed(say("The provider did not answer as it should. Try again later.")) from None


class Failed(KlientelError):
    """The provider did not vouch for anybody."""


def described(issuer: str) -> dict[str, Any]:
    """What the provider publishes about itself."""
    found = _fetched(issuer.rstrip("/") + WELL_KNOWN)
    needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if not isinstance(found, dict) or found.get("issuer") != issuer or not all(n in found for n in needed):
        raise Failed(say("The provider at {url} describes itself as another.", url=issuer))
    return found


def begun(known: Client, back: str) -> tuple[str, dict[str, str]]:
    """The address to send the browser to, and what to keep in the session until it comes back to `back`."""
    held = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    challenge = urlsafe_b64encode(sha256(held["verifier"].encode()).digest()).decode().rstrip("=")
    query = urlencode(
        {
            "response_type": "code",
            "client_id": known.client_id,
            "redirect_uri": back,
            "scope": "openid email profile",
            "state": held["state"],
            "nonce": held["nonce"],
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
    )
    address = str(described(known.issuer)["authorization_endpoint"])
    return f"{address}{'&' if '?' in address else '?'}{query}", held


def vouched(known: Client, held: dict[str, str], state: str, code: str, back: str) -> dict[str, Any]:
    """The claims about whoever came back with a code. Raises Failed if anything does not fit."""
    if not held or not code or not hmac.compare_digest(held["state"].encode(), state.encode()):
        raise Failed(say("This sign-in was not begun here, or too long ago. Try again."))
    about = described(known.issuer)
    given = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": held["verifier"],
    }
    headers = {}
    ways = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if "client_secret_basic" in ways:
        pair = f"{quote(known.client_id, safe='')}:{quote(known.secret, safe='')}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        given |= {"client_id": known.client_id, "client_secret": known.secret}
    answer = _fetched(str(about["token_endpoint"]), given, headers)
    claims = _verified(known, about, str(answer.get("id_token", "")), held["nonce"])
    if "email" not in claims and about.get("userinfo_endpoint") and answer.get("access_token"):
        bearer = {"Authorization": f"Bearer {answer['access_token']}"}
        more = _fetched(str(about["userinfo_endpoint"]), headers=bearer)
        if more.get("sub") == claims["sub"]:
            claims = {**more, **claims}
    return claims


def _verified(known: Client, about: dict[str, Any], token: str, nonce: str) -> dict[str, Any]:
    import jwt

    try:
        head = jwt.get_unverified_header(token)
        keys = jwt.PyJWKSet.from_dict(_fetched(str(about["jwks_uri"]))).keys
        usable = [key for key in keys if head.get("kid") in (None, key.key_id)]
        if head.get("alg") not in ALGORITHMS or len(usable) != 1:
            raise jwt.InvalidTokenError
        claims: dict[str, Any] = jwt.decode(
            token,
            usable[0],
            algorithms=[str(head["alg"])],
            audience=known.client_id,
            issuer=known.issuer,
            leeway=60,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if several and claims.get("azp") != known.client_id:
            raise jwt.InvalidTokenError
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise jwt.InvalidTokenError
    except jwt.PyJWTError:
        raise Failed(say("What the provider sent could not be verified. Nobody was signed in.")) from None
    return claims


def user_of(known: Client, claims: dict[str, Any], at: datetime) -> Any:
    """The active user whom claims mean: known by issuer and subject, else by a verified e-mail address.

    Somebody new is made a user only if the environment says with which role. Raises Failed.
    """
    from django.db import transaction

    subject = str(claims["sub"])[:255]
    tied = Identity.objects.select_related("user").filter(issuer=known.issuer, subject=subject).first()
    if tied is not None:
        if tied.user.is_active:
            return tied.user
        raise _unknown()
    email = str(claims.get("email") or "").strip()
    if not email or claims.get("email_verified") not in (True, "true"):
        raise Failed(say("The provider does not say that your e-mail address is verified."))
    with transaction.atomic():
        found = list(User.objects.filter(email__iexact=email)[:2])
        if not found and known.role is not None:
            found = [_new(known, claims, email, at)]
        if len(found) != 1 or not found[0].is_active:
            raise _unknown()
        if Identity.objects.filter(user=found[0], issuer=known.issuer).exists():
            raise Failed(
                say("Your e-mail address belongs to somebody else's sign-in here. Ask an administrator.")
            )
        Identity.objects.create(user=found[0], issuer=known.issuer, subject=subject, made_at=at)
    return found[0]


def _unknown() -> Failed:
    return Failed(say("Nobody here has your e-mail address. Ask an administrator to add you."))


def _new(known: Client, claims: dict[str, Any], email: str, at: datetime) -> Any:
    from klientel.web.accounts import services

    wanted = str(claims.get("preferred_username") or "") or email.partition("@")[0]
    stem = re.sub(r"[^\w.@+-]", "", wanted)[:140] or "user"
    name, n = stem, 1
    while User.objects.filter(username__iexact=name).exists():
        n += 1
        name = f"{stem}{n}"
    language = "de" if str(claims.get("locale", "")).lower().startswith("de") else "en"
    user = services.add_user(None, name, at, role=known.role, email=email, language=language)
    first, last = (str(claims.get(part) or "")[:150] for part in ("given_name", "family_name"))
    services.edit_profile(None, user, at, first_name=first, last_name=last)
    return user


def only(user: Any) -> bool:
    """True for somebody who comes in through the provider alone: tied to an identity, and without a password."""
    return not user.has_usable_password() and bool(Identity.objects.filter(user=user).exists())


def untie(actor: Any, user: Any, at: datetime) -> None:
    """Forget which identity of the provider a user has; the next sign-in ties anew. For administrators."""
    from klientel.web.accounts.services import administrate

    administrate(actor)
    if Identity.objects.filter(user=user).delete()[0]:
        events.note("identity untied", at, user=user, by=actor)
