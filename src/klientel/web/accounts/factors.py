"""Second factors: an authenticator app (RFC 6238) and recovery codes. Secrets are encrypted, nothing works twice."""

from __future__ import annotations

import hmac
import json
import secrets
import struct
from base64 import b32decode, b32encode
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from klientel.errors import BadParameter
from klientel.web.accounts import events
from klientel.web.accounts.models import Factor
from klientel.web.accounts.sealing import digest, opened, sealed
from klientel.words import mark, say

STEP, DIGITS = 30, 6  # seconds, as every authenticator app has them
TOLERANCE = 1  # steps that a clock may be off
CODES, LENGTH = 10, 10  # recovery codes, and letters of each (49 bits)
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
TITLES = {"app": mark("authenticator app"), "codes": mark("recovery codes"), "passkey": mark("passkey")}


def new_secret() -> str:
    """A secret for an authenticator app: 160 bits, in base 32."""
    return b32encode(secrets.token_bytes(20)).decode()


def address(secret: str, name: str, workspace: str) -> str:
    """The otpauth address that apps read from the picture."""
    query = urlencode({"secret": secret, "issuer": workspace}, quote_via=quote)
    return f"otpauth://totp/{quote(workspace)}:{quote(name)}?{query}"


def picture(text: str) -> dict[str, Any]:
    """A QR code as the parts of an SVG: side (in modules, with the quiet zone) and path."""
    import qrcode
    from qrcode.constants import ERROR_CORRECT_M

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    quiet = 4
    path = "".join(
        f"M{x + quiet} {y + quiet}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, dark in enumerate(row)
        if dark
    )
    return {"side": len(rows) + 2 * quiet, "path": path}


def code_at(secret: str, step: int) -> str:
    """The code of a step (RFC 4226, section 5.3)."""
    mac = hmac.digest(b32decode(secret), struct.pack(">Q", step), "sha1")
    start = mac[-1] & 0x0F
    value = struct.unpack(">I", mac[start : start + 4])[0] & 0x7FFFFFFF
    return f"{value % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: str, code: str, at: datetime, after: int = 0) -> int | None:
    """The step whose code was typed, if it is now and later than `after`; None otherwise."""
    typed = "".join(code.split())
    now = int(at.timestamp()) // STEP
    found = None
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), typed.encode()) and step > after:
            found = step
    return found


def add_app(user: Any, secret: str, code: str, at: datetime) -> None:
    """Add an authenticator app that shows the code of now, in place of one that was there. BadParameter if not."""
    from django.db import transaction

    step = step_of(secret, code, at)
    if step is None:
        raise BadParameter(say("That is not the code that the app shows now. Look again, and at the clock."))
    with transaction.atomic():
        Factor.objects.filter(user=user, kind=Factor.Kind.APP).delete()
        Factor.objects.create(
            user=user, kind=Factor.Kind.APP, secret=sealed(secret), counter=step, made_at=at, used_at=at
        )
    events.note("factor added", at, user=user, detail="app")


def new_codes(user: Any, at: datetime) -> list[str]:
    """New recovery codes, shown once; earlier ones end."""
    from django.db import transaction

    plain = ["".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(CODES)]
    held = sealed(json.dumps([digest(code) for code in plain]))
    with transaction.atomic():
        Factor.objects.filter(user=user, kind=Factor.Kind.CODES).delete()
        Factor.objects.create(user=user, kind=Factor.Kind.CODES, secret=held, counter=CODES, made_at=at)
    events.note("factor added", at, user=user, detail="codes")
    return [f"{code[:5]}-{code[5:]}" for code in plain]


def check(user: Any, code: str, at: datetime) -> str | None:
    """Which factor a typed code is of ("app", "codes"), None if of none. A code that passed is used up."""
    typed = "".join(code.split()).replace("-", "")[:64]
    if typed.isascii() and typed.isdigit() and len(typed) == DIGITS:
        return "app" if _app(user, typed, at) else None
    return "codes" if _codes(user, typed, at) else None


def _app(user: Any, code: str, at: datetime) -> bool:
    found = Factor.objects.filter(user=user, kind=Factor.Kind.APP).first()
    if found is None:
        return False
    step = step_of(opened(found.secret), code, at, found.counter)
    if step is None:
        return False
    newer = Factor.objects.filter(pk=found.pk, counter__lt=step)  # of two at the same time one passes
    return bool(newer.update(counter=step, used_at=at))


def _codes(user: Any, code: str, at: datetime) -> bool:
    from django.db import transaction

    with transaction.atomic():
        found = Factor.objects.select_for_update().filter(user=user, kind=Factor.Kind.CODES).first()
        if found is None:
            return False
        held = json.loads(opened(found.secret))
        typed = digest(code)
        rest = [one for one in held if not hmac.compare_digest(one, typed)]
        if len(rest) == len(held):
            return False
        found.secret, found.counter, found.used_at = sealed(json.dumps(rest)), len(rest), at
        found.save()
    events.note("recovery code", at, user=user, detail=str(len(rest)))
    return True


def has(user: Any) -> bool:
    """True if signing in takes more than a password. Recovery codes alone are none."""
    return bool(Factor.objects.filter(user=user).exclude(kind=Factor.Kind.CODES).exists())


def listed(user: Any) -> list[Factor]:
    """The factors of a user, in the order in which they were made."""
    return list(Factor.objects.filter(user=user).order_by("made_at", "pk"))


def remove(user: Any, pk: int, at: datetime) -> None:
    """Take one of one's own factors away; with the last real one the recovery codes go, too."""
    from django.db import transaction

    with transaction.atomic():
        found = Factor.objects.filter(user=user, pk=pk).first()
        if found is None:
            return
        found.delete()
        if not has(user):
            Factor.objects.filter(user=user).delete()
    events.note("factor removed", at, user=user, detail=f"{found.kind} {found.name}".strip())


def reset(actor: Any, user: Any, at: datetime) -> None:
    """Take all factors of somebody away who lost them, and end the sessions; for administrators. NotAllowed else."""
    from django.db import transaction

    from klientel.web.accounts import sessions
    from klientel.web.accounts.services import administrate

    administrate(actor)
    with transaction.atomic():
        Factor.objects.filter(user=user).delete()
        events.note("factors reset", at, user=user, by=actor)
        sessions.end(actor, user, at)
