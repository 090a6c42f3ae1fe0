"""Rules of the workspace that administrators set: a second factor for everybody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from klientel.web.accounts import events
from klientel.web.accounts.models import Setting

SECOND_FACTOR = "second_factor"


def second_factor_needed() -> bool:
    """True if everybody must have a second factor."""
    return Setting.objects.filter(name=SECOND_FACTOR).values_list("value", flat=True).first() is True


def need_second_factor(actor: Any, needed: bool, at: datetime) -> None:
    """Say whether everybody must have a second factor; for administrators. Raises NotAllowed."""
    from klientel.web.accounts.services import administrate

    administrate(actor)
    if needed != second_factor_needed():
        Setting.objects.update_or_create(name=SECOND_FACTOR, defaults={"value": needed})
        events.note("rule changed", at, by=actor, detail=f"{SECOND_FACTOR}: {'yes' if needed else 'no'}")
