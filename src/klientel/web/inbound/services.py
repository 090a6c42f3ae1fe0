"""Forms on web sites: made and switched off by whoever may change everything; what comes in is guarded four times.

A field that people do not see (machines fill it), a signed moment (too fast or too old is no person), limits by
sender and by form, and the list of sites that may send. What is taken for a machine's is thanked like everything else.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core import signing
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from klientel.errors import BadParameter, KlientelError
from klientel.web.accounts import attempts
from klientel.web.accounts.callers import network_of
from klientel.web.inbound.models import LeadForm
from klientel.web.records import services
from klientel.web.records.models import Interaction, Lead, Rep
from klientel.web.rights import demand_all
from klientel.words import mark, say

TRAP = "homepage"  # the field that people do not see
FASTEST = timedelta(seconds=3)
OLDEST = timedelta(hours=12)
FIELDS = {"name": 200, "company": 300, "email": 254, "phone": 60, "message": 5000}  # characters
_SALT = "klientel.inbound"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class TooOften(KlientelError):
    """More came from there than a person sends."""


class Foreign(KlientelError):
    """The site is not on the form's list."""


def create(
    actor: Any, name: str, at: datetime, *, channel: str = "", rep: str = "", origins: Sequence[str] = ()
) -> LeadForm:
    """A new form. rep: number of the sales person whose leads they are. Raises BadParameter, NotAllowed."""
    demand_all(actor, "write")
    name = " ".join(name.split())[:100]
    if not name:
        raise BadParameter(mark("A form needs a name."))
    if LeadForm.objects.filter(name=name).exists():
        raise BadParameter(say("There is a form {name} already.", name=name))
    owner = Rep.present.filter(number=rep).first() if rep else None
    if rep and owner is None:
        raise BadParameter(say("There is no sales person {number}.", number=rep))
    return LeadForm.objects.create(
        name=name,
        token=secrets.token_urlsafe(24),
        channel=" ".join(channel.split())[:100] or "web form",
        rep=owner,
        origins=[origin_of(text) for text in origins if text.strip()],
        actor=actor,
        at=at,
    )


def switch(actor: Any, form: LeadForm, active: bool) -> None:
    """Switch a form on or off."""
    demand_all(actor, "write")
    form.active = active
    form.save(update_fields=["active"])


def forms(actor: Any) -> list[LeadForm]:
    """All forms."""
    demand_all(actor, "write")
    return list(LeadForm.objects.select_related("rep", "actor").order_by("name"))


def origin_of(text: str) -> str:
    """A site as browsers name it: https://www.example.com. BadParameter for anything else."""
    parts = urlsplit(text.strip() if "//" in text else f"https://{text.strip()}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise BadParameter(say("{text} is no address of a site, such as https://www.example.com.", text=text))
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise BadParameter(
            say("{text} is no address of a site, such as https://www.example.com.", text=text)
        ) from None
    return f"{parts.scheme}://{parts.hostname.lower()}{port}"


def stamp(form: LeadForm, at: datetime) -> str:
    """The signed moment at which a form was opened."""
    return signing.dumps([form.pk, at.timestamp()], salt=_SALT)


def receive(
    form: LeadForm, values: Mapping[str, Any], at: datetime, *, origin: str, own: str, address: str
) -> Lead | None:
    """Make a lead of what a form holds; None for a machine's, which is not told so.

    origin: the site that sent it; own: our own; address: of the sender, of which only a hash is kept, for hours.
    Raises BadParameter for a person's mistakes, TooOften, Foreign.
    """
    if origin not in (own, *form.origins):
        raise Foreign(mark("This site may not send to this form."))
    keys = [attempts.Key("form", f"{form.pk}|{network_of(address)}"), attempts.Key("forms", str(form.pk))]
    if attempts.take(keys, at) is not None:
        raise TooOften(mark("That was a lot at once. Please try again in a few minutes."))
    given = {name: _text(values.get(name), most) for name, most in FIELDS.items()}
    if str(values.get(TRAP) or "").strip() or not _by_a_person(form, str(values.get("stamp") or ""), at):
        LeadForm.objects.filter(pk=form.pk).update(refused=F("refused") + 1)
        return None
    if not (given["name"] or given["company"]):
        raise BadParameter(mark("Please tell your name or your company."))
    if not _EMAIL.fullmatch(given["email"]) and not given["phone"]:
        raise BadParameter(mark("Please give an e-mail address or a phone number."))
    return _lead(form, given, at)


def _by_a_person(form: LeadForm, told: str, at: datetime) -> bool:
    try:
        pk, opened = signing.loads(told, salt=_SALT)
        took = at - datetime.fromtimestamp(float(opened), at.tzinfo)
    except (signing.BadSignature, ValueError, TypeError, OverflowError, OSError):
        return False
    return bool(pk == form.pk) and FASTEST <= took <= OLDEST


def _text(value: Any, most: int) -> str:
    return _CONTROL.sub("", str(value or "")).strip()[:most] if isinstance(value, str) else ""


def _lead(form: LeadForm, given: dict[str, str], at: datetime) -> Lead:
    one = {name: " ".join(given[name].split()) for name in ("name", "company", "email", "phone")}
    today, message = timezone.localdate(at), given["message"]
    owner = form.rep if form.rep is not None and form.rep.deleted_at is None else None
    if one["email"] and not _EMAIL.fullmatch(one["email"]):  # a person may still read it
        message = f"{message}\n\nE-mail: {one['email']}".strip()
    values = {
        "name": one["name"],
        "company_name": one["company"],
        "email": one["email"] if _EMAIL.fullmatch(one["email"]) else "",
        "phone": one["phone"],
        "channel": form.channel,
        "status": "new",
        "created_on": today,
        "rep": owner,
    }
    with transaction.atomic():
        made: Lead = services.add(Lead, {k: v for k, v in values.items() if v}, at=at)
        if message:
            said = {
                "lead": made,
                "ts": today,
                "type": "email",
                "direction": "in",
                "text": message,
            }
            services.add(Interaction, said | ({"rep": owner} if owner else {}), at=at)
        LeadForm.objects.filter(pk=form.pk).update(received=F("received") + 1, last_at=at)
    return made
