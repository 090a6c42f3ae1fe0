"""How far the log of changes is settled: whoever read up to there never misses a change that comes in later.

Changes are numbered when they are written but seen when their transaction ends. Where several may write at once
(PostgreSQL), a lower number can thus be seen after a higher one, and who went on from the higher one would miss it.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Max

from klientel.web.api.models import Horizon
from klientel.web.records.models import Change


def horizon() -> int:
    """The newest change below which none can appear any more.

    SQLite has one writer at a time. On PostgreSQL the newest change that is seen is settled once all transactions
    have ended that were open when it was seen: numbers below it were given to those or to earlier ones.
    """
    newest = _newest()
    if connection.vendor != "postgresql":
        return newest
    known = Horizon.objects.filter(pk=1, safe__gte=newest).values_list("safe", flat=True).first()
    if known is not None:
        return int(known)
    oldest, following = _transactions()
    with transaction.atomic():
        held, _ = Horizon.objects.select_for_update().get_or_create(pk=1)
        if oldest == following:  # nobody writes
            held.safe, held.pending = max(held.safe, newest), 0
        elif held.pending and oldest >= held.over:
            held.safe, held.pending = max(held.safe, held.pending), 0
        if newest > held.safe and not held.pending:
            held.pending, held.over = newest, following
        held.save()
    return held.safe


def _newest() -> int:
    return Change.objects.aggregate(newest=Max("pk"))["newest"] or 0


def _transactions() -> tuple[int, int]:
    """The oldest transaction that is open, and the one that comes next."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s"
        )
        oldest, following = cursor.fetchone()
    return int(oldest), int(following)
