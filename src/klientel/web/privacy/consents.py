"""Consents: given or withdrawn, row by row; nothing is changed, and the state of any day can be told."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from klientel.errors import BadParameter
from klientel.words import say


def record(
    actor: Any, contact: Any, purpose: str, given: bool, on: date, at: datetime, *, source: str = ""
) -> Any:
    """Write down that a contact gave or withdrew a consent on a day. A mistake is corrected by another row.

    Raises NotAllowed unless `actor` may change the contact and see personal data, BadParameter for a day to come.
    """
    from klientel.web import rights
    from klientel.web.records import changes
    from klientel.web.records.models import Consent

    rights.demand(actor, "write", contact)
    rights.demand(actor, "personal", contact)
    if on > at.date():
        raise BadParameter(say("A consent cannot be given on a day to come: {day}.", day=on))
    if not purpose.strip():
        raise BadParameter(say("A consent needs a purpose."))
    values = {
        "contact_id": contact.pk,
        "purpose": purpose.strip(),
        "given": given,
        "on": on,
        "source": source,
    }
    return changes.create(Consent, values, actor, "consent", at)


def state(contact: Any, purpose: str, day: date) -> bool | None:
    """Whether a contact consents to a purpose at the end of a day; None if nothing was ever said.

    The row of the latest day counts, of one day the one written last.
    """
    from klientel.web.records.models import Consent

    rows = Consent.objects.filter(contact=contact, purpose=purpose, on__lte=day).order_by("-on", "-pk")
    return rows.values_list("given", flat=True).first()


def states(contact: Any, day: date) -> dict[str, bool]:
    """Purpose -> whether it is consented to at the end of a day, for every purpose that was spoken of."""
    from klientel.web.records.models import Consent

    rows = Consent.objects.filter(contact=contact, on__lte=day).order_by("on", "pk")
    return dict(rows.values_list("purpose", "given"))


def history(contact: Any) -> list[Any]:
    """Every consent of a contact, oldest first."""
    from klientel.web.records.models import Consent

    return list(Consent.objects.filter(contact=contact).order_by("on", "pk"))
