"""What an import does to the rows of one table, counted, with samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SAMPLES = 5  # of each outcome, shown by a dry run


@dataclass
class Counts:
    """What happens to the rows of one table, with samples of each."""

    create: int = 0
    update: int = 0
    skip: int = 0
    conflict: int = 0
    rejected: int = 0
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, outcome: str, sample: dict[str, Any]) -> None:
        """Count a row and keep it as a sample while there are few."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        kept = self.samples.setdefault(outcome, [])
        if len(kept) < SAMPLES:
            kept.append(sample)

    def to_dict(self) -> dict[str, int]:
        """The numbers alone."""
        return {n: getattr(self, n) for n in ("create", "update", "skip", "conflict", "rejected")}
