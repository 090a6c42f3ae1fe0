"""Idempotency keys: the same question under the same key is done once, and answered alike for a day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpResponse

from klientel.web.api.models import Kept
from klientel.web.api.problems import Problem
from klientel.web.pages import shell
from klientel.words import mark

FOR = timedelta(hours=24)
_KEY = re.compile(r"[!-~]{1,200}")
_HEADERS = ("Location",)


def once_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view, done once for each Idempotency-Key of a person: what it writes and its answer are one transaction."""

    @wraps(view)
    def run(request: Any, **values: Any) -> HttpResponse:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(request, **values)
        if not _KEY.fullmatch(key):
            raise Problem("bad-request", mark("An Idempotency-Key has 1 to 200 letters without spaces."))
        asked, now = fingerprint(request), shell.now()
        with transaction.atomic():
            forget_old(now)
            mine = Kept.objects.filter(user=request.user, key=key)
            kept = mine.first()
            if kept is None:
                try:
                    with transaction.atomic():
                        kept = Kept.objects.create(user=request.user, key=key, asked=asked, at=now)
                except IntegrityError:  # another request with this key was quicker, and is done by now
                    kept = mine.get()
            if kept.status or kept.asked != asked:
                return _again(kept, asked)
            made = view(request, **values)
            kept.status = made.status_code
            kept.headers = {name: made[name] for name in _HEADERS if name in made}
            kept.body = made.content.decode()
            kept.save()
        return made

    return run


def forget_old(now: datetime) -> None:
    """Delete answers that were kept long enough."""
    Kept.objects.filter(at__lt=now - FOR).delete()


def fingerprint(request: Any) -> str:
    """Stands for what was asked: method, address and body, byte for byte, and what the token may do."""
    scopes = sorted(getattr(request.user, "limited_to", None) or ())
    found = sha256(f"{request.method}\n{request.get_full_path()}\n{scopes}\n".encode())
    found.update(request.body)
    return found.hexdigest()


def _again(kept: Kept, asked: str) -> HttpResponse:
    if kept.asked != asked:
        raise Problem(
            "key-reused",
            mark("This Idempotency-Key was used for another request; take a new one for each thing to do."),
        )
    made = HttpResponse(kept.body, content_type="application/json", status=kept.status)
    for name, value in kept.headers.items():
        made[name] = value
    made["Idempotency-Replayed"] = "true"
    return made
