"""Limits for guessing: failures are counted in the database, so the lock holds over all processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from klientel.web.accounts.models import Attempts
from klientel.words import Sentence, say


@dataclass(frozen=True)
class Limit:
    """How many failures are free, and after how long half of them are forgotten.

    Each failure beyond locks twice as long as the one before: 15 s, 30 s, 1 min, ... up to 15 min.
    """

    free: int
    half_life: timedelta


LIMITS = {
    "name": Limit(5, timedelta(hours=6)),
    "address": Limit(30, timedelta(hours=1)),
    "code": Limit(5, timedelta(hours=6)),
    "letter": Limit(3, timedelta(hours=1)),
    "form": Limit(5, timedelta(minutes=30)),  # leads by web form: from one network
    "forms": Limit(120, timedelta(hours=1)),  # and into one form
}
FIRST, LONGEST = timedelta(seconds=15), timedelta(minutes=15)


@dataclass(frozen=True)
class Key:
    """What is counted: a kind of `LIMITS` and whom; of both only a hash is kept."""

    kind: str
    whom: str

    @property
    def digest(self) -> str:
        """Stands for the key in the database."""
        return sha256(f"{self.kind}\x1f{self.whom.strip().casefold()}".encode()).hexdigest()


def take(keys: Sequence[Key], at: datetime) -> timedelta | None:
    """Take an attempt under every key, before it is known how it ends; how long to wait if one of them is locked.

    Counting first means that attempts at the same time cannot all pass. `passed` gives them back after a success.
    """
    from django.db import transaction

    with transaction.atomic():
        rows = [_row(key, at) for key in sorted(keys, key=lambda key: key.digest)]
        waits = [row.locked_until - at for row, _ in rows if row.locked_until and row.locked_until > at]
        if waits:
            return max(waits)
        for row, limit in rows:
            row.failures = round(row.failures * 0.5 ** ((at - row.last_at) / limit.half_life)) + 1
            row.last_at = at
            over = row.failures - limit.free
            row.locked_until = at + min(LONGEST, FIRST * 2 ** min(over, 10)) if over >= 0 else None
            row.save()
    return None


def _row(key: Key, at: datetime) -> tuple[Attempts, Limit]:
    made, _ = Attempts.objects.get_or_create(key=key.digest, defaults={"last_at": at})
    return Attempts.objects.select_for_update().get(pk=made.pk), LIMITS[key.kind]


def passed(keys: Sequence[Key]) -> None:
    """The attempt that was taken succeeded: it is given back, and of names all failures are forgotten."""
    from django.db import transaction

    with transaction.atomic():
        for key in keys:
            rows = Attempts.objects.filter(key=key.digest)
            if key.kind != "address":
                rows.delete()
                continue
            for row in rows.select_for_update():
                row.failures = max(0, row.failures - 1)
                row.locked_until = row.locked_until if row.failures >= LIMITS["address"].free else None
                row.save()


def locked(key: Key, at: datetime) -> bool:
    """True while the key is locked."""
    return bool(Attempts.objects.filter(key=key.digest, locked_until__gt=at).exists())


def told(wait: timedelta) -> Sentence:
    """How long to wait, in a sentence."""
    seconds = max(1, -(-int(wait.total_seconds() * 1000) // 1000))
    if seconds < 60:
        return say("Too many attempts. Try again in {n} seconds.", n=seconds)
    return say("Too many attempts. Try again in {n} minutes.", n=-(-seconds // 60))


def forget(at: datetime) -> None:
    """Remove what is long over."""
    Attempts.objects.filter(last_at__lt=at - timedelta(days=2)).delete()
