"""What a raw table was recognised as: canonical table, columns, confidence and why."""

from __future__ import annotations

from dataclasses import dataclass, field

from klientel.ingest.raw import RawColumn, RawTable


@dataclass(frozen=True)
class Match:
    """A raw column taken for a canonical one. confidence 0-1; `why` is a sentence for the person."""

    column: str
    header: str
    confidence: float
    why: str


@dataclass
class Recognition:
    """A raw table taken for a canonical table (None: nothing we use, `why` says so).

    One raw table can give several recognitions: a flat sales file is `order_line` and, `secondary`,
    `customer` (name, industry, country of each customer); a subscriber list is `project_contract`,
    `customer` and `order_line` (amount charged so far).
    attributes: further columns kept as customer attributes, attribute name -> Match (only for `customer`).
    periods: a wide file with one revenue column per period: raw column name -> (first day, day after the
    last day) of the period as ISO dates.
    added: canonical column -> raw columns whose sum it is (net amounts by tax rate).
    """

    raw: RawTable
    table: str | None
    confidence: float
    columns: dict[str, Match] = field(default_factory=dict)
    attributes: dict[str, Match] = field(default_factory=dict)
    periods: dict[str, tuple[str, str]] = field(default_factory=dict)
    unmapped: list[str] = field(default_factory=list)
    secondary: bool = False
    why: str = ""
    added: dict[str, tuple[RawColumn, ...]] = field(default_factory=dict)
