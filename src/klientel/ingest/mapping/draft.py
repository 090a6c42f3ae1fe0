"""A raw table on its way to a recognition: what it is taken for so far, and the pieces of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from klientel.ingest.mapping.assign import LIMIT, Claim
from klientel.ingest.mapping.evidence import Evidence
from klientel.ingest.mapping.rules import Candidate, Look
from klientel.ingest.mapping.wide import Wide
from klientel.ingest.raw import RawColumn, RawTable
from klientel.ingest.recognition import Recognition
from klientel.schema import TABLES
from klientel.words import Sentence, say


@dataclass
class Draft:
    """One raw table: looked at, taken for `table` (None: nothing we use) with `columns`."""

    look: Look
    table: str | None = None
    columns: dict[str, Claim] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)
    lost: list[Claim] = field(default_factory=list)
    wide: Wide | None = None
    why: Sentence | None = None
    guessed: bool = False
    fixed: bool = False
    left_out: frozenset[str] = frozenset()

    @property
    def raw(self) -> RawTable:
        """The raw table."""
        return self.look.raw

    @property
    def evidence(self) -> Mapping[str, Evidence]:
        """Evidence by raw column name."""
        return self.look.evidence

    def candidate(self, table: str) -> Candidate | None:
        """The candidate for a table, if its rule did not rule it out."""
        return next((c for c in self.candidates if c.table == table), None)

    def take(self, candidate: Candidate) -> None:
        """Take the raw table for the candidate's table."""
        self.table, self.columns, self.lost = candidate.table, dict(candidate.columns), candidate.lost

    def column(self, *fields: str) -> str | None:
        """Raw column name of the first of these fields that is filled."""
        return next((self.columns[f].column.name for f in fields if f in self.columns), None)

    def used(self) -> set[str]:
        """Raw column names in use."""
        periods = self.wide.periods if self.wide else {}
        return {claim.column.name for claim in self.columns.values()} | set(periods)

    def recognition(self) -> Recognition:
        """The recognition as it stands, without secondary ones."""
        if self.table is None:
            return Recognition(
                self.raw, None, 0.0, unmapped=[c.header for c in self.raw.columns], why=self.why or ""
            )
        made = Recognition(
            self.raw,
            self.table,
            round(confidence(self), 2),
            {name: claim.match() for name, claim in ordered(self.table, self.columns).items()},
            periods=dict(self.wide.periods) if self.wide else {},
            why=self.why or _because(self),
        )
        made.unmapped = unmapped(self, self.used())
        return made


def _because(draft: Draft) -> Sentence:
    """The headers that speak most for the table, and the file name if it says the same."""
    best = sorted(draft.columns.values(), key=lambda c: -c.confidence)[:4]
    headers = list(dict.fromkeys(c.column.header for c in best))
    if draft.table in draft.look.hints:
        return say("the headers {headers} and the name of the file say so", headers=headers)
    return say("the headers {headers} say so", headers=headers)


def ordered(table: str, columns: dict[str, Claim]) -> dict[str, Claim]:
    """Columns in the order of the schema."""
    return {name: columns[name] for name in TABLES[table].names() if name in columns}


def confidence(draft: Draft) -> float:
    """Confidence in the table: the mean of its required groups' best columns, a little more for a file name
    that says the same, less if another table explains the columns nearly as well."""
    assert draft.table is not None
    groups = TABLES[draft.table].required
    scores = [
        max((draft.columns[f].confidence for f in g if f in draft.columns), default=0.0) for g in groups
    ]
    if draft.wide and draft.wide.periods:
        scores = [0.9]
    key = [draft.columns[f].confidence for f in ("customer_id", "customer_name") if f in draft.columns]
    base = sum([*scores, *key[:1]]) / len([*scores, *key[:1]])
    if draft.table in draft.look.hints:
        base = min(base + 0.04, 0.99)
    own = draft.candidate(draft.table)
    rivals = [c.points for c in draft.candidates if c.table != draft.table]
    if own and rivals and max(rivals) > 0.9 * own.points and not draft.fixed:
        base *= 0.92
    return min(base, 0.6) if draft.guessed else base


def unmapped(draft: Draft, used: set[str]) -> list[str]:
    """Headers that nothing was made of; where a column was nearly taken, it is named with it."""
    left_out = draft.wide.left_out if draft.wide else {}
    weak: dict[str, str] = {}
    for claim in draft.lost:
        if claim.field not in draft.columns and claim.confidence < LIMIT:
            weak.setdefault(claim.column.name, claim.field)
    return [
        _named(c, left_out.get(c.name), weak.get(c.name)) for c in draft.raw.columns if c.name not in used
    ]


def _named(column: RawColumn, left_out: Sentence | None, candidate: str | None) -> str:
    if left_out is not None:
        return left_out
    if candidate is not None:
        return say("{header} (perhaps {column}, too uncertain)", header=column.header, column=candidate)
    return column.header
