"""Passkeys (WebAuthn): instead of a password, or after it. The work is that of fido2; here is what we keep."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import datetime
from hashlib import sha256
from ipaddress import ip_address
from typing import Any

from klientel.errors import BadParameter
from klientel.web.accounts import events
from klientel.web.accounts.models import Factor
from klientel.web.accounts.sealing import opened, sealed
from klientel.words import say

STATE = "passkey"  # of the session: the challenge that waits for its answer
WORKSPACE = "Klientel"


def possible(request: Any) -> bool:
    """True where browsers offer passkeys: a host with a name (not a number), over HTTPS or on this machine."""
    host = _host(request)
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return bool(request.is_secure() or host == "localhost" or host.endswith(".localhost"))
    return False


def _host(request: Any) -> str:
    host = str(request.get_host())
    return host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


def _server(request: Any) -> Any:
    from fido2.server import Fido2Server
    from fido2.webauthn import PublicKeyCredentialRpEntity

    origin = f"{request.scheme}://{request.get_host()}"
    entity = PublicKeyCredentialRpEntity(name=WORKSPACE, id=_host(request))
    return Fido2Server(entity, verify_origin=lambda told: told == origin)


def _credential(factor: Factor) -> Any:
    from fido2.webauthn import AttestedCredentialData

    return AttestedCredentialData(b64decode(opened(factor.secret)))


def _of(user: Any) -> list[Factor]:
    return list(Factor.objects.filter(user=user, kind=Factor.Kind.PASSKEY))


def begin_adding(request: Any, user: Any) -> str:
    """What the browser needs to make a passkey, as JSON; the challenge waits in the session."""
    from django.conf import settings
    from fido2.webauthn import (
        PublicKeyCredentialUserEntity,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    handle = sha256(f"{settings.SECRET_KEY}\x1f{user.pk}".encode()).digest()
    who = PublicKeyCredentialUserEntity(
        id=handle, name=user.username, display_name=user.get_full_name() or user.username
    )
    options, state = _server(request).register_begin(
        who,
        [_credential(one) for one in _of(user)],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    request.session[STATE] = _plain(state)
    return json.dumps(dict(options))


def add(request: Any, user: Any, answer: str, name: str, at: datetime) -> None:
    """Keep the passkey that the browser made. Raises BadParameter if the answer does not fit the question."""
    state = request.session.pop(STATE, None)
    try:
        found = _server(request).register_complete(state, json.loads(answer))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _refused() from None
    credential = found.credential_data
    if Factor.objects.filter(handle=_text(credential.credential_id)).exists():
        raise BadParameter(say("This passkey is known already."))
    Factor.objects.create(
        user=user, kind=Factor.Kind.PASSKEY, name=name.strip()[:100], handle=_text(credential.credential_id),
        secret=sealed(b64encode(credential).decode()), counter=found.counter, made_at=at, used_at=at,
    )  # fmt: skip
    events.note("factor added", at, user=user, detail=f"passkey {name.strip()[:80]}")


def begin(request: Any, user: Any = None) -> str:
    """What the browser needs to show a passkey, as JSON; of `user`, or of whoever it is."""
    from fido2.webauthn import UserVerificationRequirement

    known = [_credential(one) for one in _of(user)] if user is not None else None
    options, state = _server(request).authenticate_begin(known, UserVerificationRequirement.REQUIRED)
    request.session[STATE] = _plain(state)
    return json.dumps(dict(options))


def check(request: Any, answer: str, at: datetime, user: Any = None) -> Any:
    """The active user whose passkey answered (of `user`, if one is given). Raises BadParameter if none did."""
    from fido2.webauthn import AuthenticationResponse

    state = request.session.pop(STATE, None)
    try:
        told = AuthenticationResponse.from_dict(json.loads(answer))
        found = Factor.objects.select_related("user").get(handle=_text(told.raw_id), kind=Factor.Kind.PASSKEY)
        _server(request).authenticate_complete(state, [_credential(found)], told)
    except (ValueError, TypeError, KeyError, AttributeError, Factor.DoesNotExist):
        raise _refused() from None
    counter = told.response.authenticator_data.counter
    copied = bool(counter or found.counter) and counter <= found.counter
    if copied or not found.user.is_active or (user is not None and user.pk != found.user_id):
        raise _refused()
    Factor.objects.filter(pk=found.pk).update(counter=counter, used_at=at)
    return found.user


def _refused() -> BadParameter:
    return BadParameter(say("That passkey was not accepted. Try again, or sign in another way."))


def _text(handle: bytes) -> str:
    return b64encode(handle).decode()


def _plain(state: Any) -> dict[str, Any]:
    return {
        name: str(value.value if hasattr(value, "value") else value) if value is not None else None
        for name, value in state.items()
    }
