"""Net amounts that stand in one column per tax rate ("Netto 19 %", "Netto 7 %", "Steuerfrei"), added up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from klientel.ingest.mapping.evidence import Evidence
from klientel.ingest.mapping.meanings import meanings
from klientel.ingest.raw import RawColumn, RawTable
from klientel.ingest.recognition import Recognition

_RATE = re.compile(
    r"(?<![\d.,])\d{1,2}(?:[.,]\d{1,2})?\s?(?:%|prozent\b|percent\b|pct\b|proz\b)", re.IGNORECASE
)
_NET = re.compile(
    r"netto|\bnet\b|umsatz(?!steuer)|umsätze|\berlöse?\b|\brevenue\b|\bsales\b|bemessungsgrundlage|\btaxable\b"
    r"|\bexcl|\bohne (?:mwst|ust)\b|\bbetrag\b|\bamount\b",
    re.IGNORECASE,
)
_FREE = re.compile(
    r"steuerfrei|umsatzsteuerfrei|ust-?frei|mwst-?frei|nicht steuerbar|innergemeinschaftlich|reverse.?charge|§ ?13b"
    r"|\bexport\b|drittland|tax.?(?:free|exempt)|zero.?rated|vat.?exempt|\bexempt\b",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"brutto|\bgross\b|\bincl|\binkl|\b(?:ust|mwst|vat|tax|steuer)[- ]?(?:betrag|amount)|^(?:mwst|ust|vat|tax|steuer)\b"
    r"|umsatzsteuer(?!frei)|mehrwertsteuer|skonto|rabatt|discount|marge|margin|kosten|\bcost|text|grund|code|schlüssel",
    re.IGNORECASE,
)

_NO_AMOUNT = re.compile(
    r"brutto|\bgross\b|text|grund|reason|code|schlüssel|kennzeichen|\bflag\b", re.IGNORECASE
)


def split_net(raw: RawTable, evidence: Mapping[str, Evidence], told: Sequence[str]) -> tuple[RawColumn, ...]:
    """The columns whose sum is the net amount of a row; empty if there is a net column or no such split.

    told: headers that a person named, which are then left as they are.
    """
    found, rates = [], 0
    for column in raw.columns:
        seen = evidence[column.name]
        if (
            any(m.concept == "net" and m.strength >= 0.9 for m in meanings(column.header)[:1])
            and not seen.empty
        ):
            return ()
        text = column.header.replace("_", " ")
        free = bool(_FREE.search(text)) and not _NO_AMOUNT.search(text)
        if (_OTHER.search(text) and not free) or not (seen.empty or seen.numeric >= 0.3):
            continue
        rated = bool(_RATE.search(text)) and bool(_NET.search(text))
        if rated or free:
            found.append(column)
            rates += rated
    named = {c.header.casefold() for c in found} & {t.strip().casefold() for t in told}
    return tuple(found) if len(found) >= 2 and rates and not named else ()


def joined(raw: RawTable, parts: Sequence[RawColumn]) -> RawTable:
    """The raw table with the first of the parts called a net amount and the others left out."""
    if not parts:
        return raw
    english = any(
        re.search(r"\bnet\b|\bsales|taxable|\bamount|revenue", c.header, re.IGNORECASE) for c in parts
    )
    title = "Net amount" if english else "Nettobetrag"
    rest = {c.name for c in parts[1:]}
    columns = [
        replace(c, header=title) if c.name == parts[0].name else c for c in raw.columns if c.name not in rest
    ]
    return replace(raw, columns=tuple(columns))


def restored(found: Recognition, raw: RawTable, parts: Sequence[RawColumn]) -> None:
    """Give a recognition its raw table back, and the parts to every amount that was read from the first."""
    found.raw = raw
    if not parts:
        return
    for name, match in found.columns.items():
        if match.column == parts[0].name:
            found.added[name] = tuple(parts)
    if not found.added:
        found.unmapped += [c.header for c in parts[1:]]
