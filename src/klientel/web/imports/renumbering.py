"""Customers known by name until a file brings their number: the number is taken over, the name remains an alias."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q

from klientel.ingest.values.shapes import identifier
from klientel.web.records.models import Company, Succession
from klientel.web.records.rows import BATCH

if TYPE_CHECKING:
    from klientel.web.imports.taking import Taken

RENUMBERED = "renumbered"  # the kind of succession: facts keep the name, and follow it to the number


class Unnumbered:
    """The companies whose number is their name, each name of exactly one company and of one row of the file."""

    def __init__(self, taken: Taken) -> None:
        relation, names = taken.tables["customer"]
        self._found: dict[str, int] = {}
        nameless = Company.present.filter(Q(name=F("number")) | Q(name=""))
        if not {"customer_id", "name"} <= set(names) or not nameless.exists():
            return
        known = list(
            Company.present.filter(merged_into=None).order_by("pk").values_list("pk", "number", "name")
        )
        shared = Counter(_folded(name or number) for _, number, name in known)
        name = f"lower(trim({identifier('name')}))"
        twice = taken.con.execute(
            f"SELECT {name} FROM {relation} GROUP BY 1 HAVING count(*) > 1 AND {name} IS NOT NULL"
        ).fetchall()
        many = {_folded(row[0]) for row in twice}
        for pk, number, name in known:
            folded = _folded(number)
            if folded == _folded(name or number) and shared[folded] == 1 and folded not in many:
                self._found[folded] = pk

    def find(self, number: str, name: Any) -> int | None:
        """The id of the company that a row with a number of its own is about."""
        folded = _folded(str(name or ""))
        return self._found.get(folded) if folded and _folded(number) != folded else None


def aliases(numbers: Iterable[str]) -> dict[str, str]:
    """Of numbers that were names until a number came, that number."""
    wanted = sorted(numbers)
    found: dict[str, str] = {}
    for start in range(0, len(wanted), BATCH):
        rows = Succession.objects.filter(kind=RENUMBERED, from_id__in=wanted[start : start + BATCH])
        found |= dict(rows.values_list("from_id", "to_id"))
    return found


def _folded(text: str) -> str:
    return text.strip().lower()
