"""Columns of one raw table laid onto the columns of one canonical table, each with confidence and reason.

Scale of confidence: 0.95 and above, a spelling we know and values that agree; 0.8-0.95, a general word
("Betrag") or a name in another order; 0.6-0.8, a typo, part of a longer header, or a general word that the
values support; 0.5-0.6, values alone, or a gross amount for want of a net one; below 0.5 it is not taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from klientel.ingest.mapping.evidence import Evidence
from klientel.ingest.mapping.fields import FIELDS
from klientel.ingest.mapping.meanings import Meaning, meanings
from klientel.ingest.mapping.names import header
from klientel.ingest.raw import RawColumn, RawTable
from klientel.ingest.recognition import Match
from klientel.schema import TABLES, Field
from klientel.words import Sentence, say

LIMIT = 0.5
CERTAIN = 0.99


@dataclass(frozen=True)
class Claim:
    """A column that could fill a field. `meaning` is what the header was read as, None for values alone."""

    field: str
    column: RawColumn
    confidence: float
    why: Sentence
    meaning: Meaning | None = None

    def match(self) -> Match:
        """The claim as it is shown to a person."""
        return Match(self.column.name, self.column.header, round(self.confidence, 2), self.why)


def claims(raw: RawTable, table: str, evidence: Mapping[str, Evidence]) -> list[Claim]:
    """All claims of the columns of a raw table on the fields of a canonical table, strongest first."""
    found: list[Claim] = []
    for column in raw.columns:
        for meaning in meanings(column.header):
            for field, accepts in FIELDS[table].items():
                fit = accepts.get(meaning.concept, 0.0)
                if fit:
                    found.append(
                        _claim(table, TABLES[table].field(field), column, meaning, fit, evidence[column.name])
                    )
    order = {c.name: i for i, c in enumerate(raw.columns)}
    fields = list(FIELDS[table])
    return sorted(
        found,
        key=lambda c: (
            -round(c.confidence, 3),
            fields.index(c.field),
            c.column.header.lower(),
            order[c.column.name],
        ),
    )


def assign(
    raw: RawTable, table: str, evidence: Mapping[str, Evidence]
) -> tuple[dict[str, Claim], list[Claim]]:
    """The best one-to-one choice of columns for a table, and the claims that lost or were too weak.

    The strongest claim goes first, so the order of the columns in the file does not matter; equal claims
    are told apart by the header.
    """
    taken: dict[str, Claim] = {}
    used: set[str] = set()
    lost: list[Claim] = []
    for claim in claims(raw, table, evidence):
        if claim.field in taken or claim.column.name in used or claim.confidence < LIMIT:
            lost.append(claim)
        else:
            taken[claim.field] = claim
            used.add(claim.column.name)
    return taken, lost


def _claim(
    table: str, field: Field, column: RawColumn, meaning: Meaning, fit: float, seen: Evidence
) -> Claim:
    factor, objection = agreement(field, seen)
    special, remark = _special(table, field, column, meaning, seen)
    confidence = min(meaning.strength * fit * factor * special, CERTAIN)
    parts = header(column.header)
    why = _because(meaning, seen, objection or remark)
    if parts.factor and field.kind == "money":
        confidence *= 0.95
        why = say(
            "{why}; the header names a unit of {factor}, by which the values are multiplied",
            why=why,
            factor=parts.factor,
        )
    return Claim(field.name, column, confidence, why, meaning)


def _because(meaning: Meaning, seen: Evidence, objection: Sentence | None) -> Sentence:
    if meaning.how == "exact":
        why = say("the header is a known name")
    elif meaning.how == "part":
        why = say("part of the header is a known name")
    else:
        why = say("the header is nearly a known name")
    if objection:
        return say("{why}, but {objection}", why=why, objection=objection)
    if seen.empty:
        return say("{why}; the column is empty", why=why)
    return say("{why} and the values agree", why=why)


def agreement(field: Field, seen: Evidence) -> tuple[float, Sentence | None]:
    """How well the values of a column suit a field: a factor (1 = they agree) and the objection if not."""
    if seen.empty:
        return 0.8, None
    match field.kind:
        case "date":
            return _graded(seen.dated, say("the values are not dates"))
        case "money" | "number":
            if seen.is_date and seen.numeric < 0.9:
                return 0.2, say("the values are dates")
            return _graded(seen.numeric, say("the values are not numbers"))
        case "integer":
            factor, objection = _graded(seen.numeric, say("the values are not numbers"))
            return (factor, objection) if seen.whole > 0.8 or factor < 1 else (0.8, None)
        case "share":
            return _share(seen)
        case "flag":
            return _graded(
                max(seen.flagged, 1.0 if seen.distinct <= 3 else 0.0), say("the values are not yes or no")
            )
        case "key":
            return _key(field, seen)
        case "currency":
            return _graded(seen.currencies, say("the values are not currencies"))
        case _:
            return _text(field, seen)


def _graded(share: float, objection: Sentence) -> tuple[float, Sentence | None]:
    if share >= 0.9:
        return 1.0, None
    if share >= 0.6:
        return 0.9, None
    return (0.55, objection) if share >= 0.3 else (0.2, objection)


def _share(seen: Evidence) -> tuple[float, Sentence | None]:
    factor, objection = _graded(seen.numeric, say("the values are not numbers"))
    if factor < 0.6 or seen.high is None:
        return factor, objection
    if seen.high > 100 or (seen.low or 0) < -100:
        return 0.3, say("the values go beyond 100 %")
    return factor, None


def _key(field: Field, seen: Evidence) -> tuple[float, Sentence | None]:
    if seen.is_date and not seen.is_number and seen.spaces < 0.1:
        return 0.2, say("the values are dates")
    if seen.is_number and seen.whole < 0.5:
        return 0.3, say("the values are amounts, not numbers of something")
    if seen.distinct <= 2 and seen.flagged >= 0.9 and seen.filled > 5:
        return 0.2, say("the values are yes and no")
    if field.name in {"customer_id", "product_id"} and seen.is_name:
        return 0.86, None
    return 1.0, None


_OWN = {
    "name",
    "customer_name",
    "phone",
    "website",
    "email",
    "contact_name",
    "street",
    "city",
    "postcode",
    "vat_id",
}
_NAMES = {"name", "customer_name", "product_name", "contact_name", "first_name", "company"}


def _text(field: Field, seen: Evidence) -> tuple[float, Sentence | None]:
    if field.name in _OWN and (
        seen.distinct <= 3 < seen.filled / 5 or (seen.flagged >= 0.9 and seen.filled > 3)
    ):
        return 0.2, say("the values are only {n} different ones", n=seen.distinct)
    if field.name == "email":
        return _graded(seen.mails, say("the values are not e-mail addresses"))
    if field.name in _NAMES:
        if seen.numeric >= 0.9:
            return 0.2, say("the values are numbers, not names")
        return (1.0, None) if seen.letters >= 0.5 else (0.75, None)
    if (
        field.name
        in {"country", "city", "region", "industry_code", "stage", "loss_reason", "contract_type", "type"}
        and seen.is_number
    ):
        # codes are possible for regions and industries, amounts are not
        return (0.3, say("the values are amounts")) if seen.whole < 0.9 else (0.75, None)
    return 1.0, None


def _special(
    table: str, field: Field, column: RawColumn, meaning: Meaning, seen: Evidence
) -> tuple[float, Sentence | None]:
    """What only the pair of header and values can tell: number or name, per cent or amount, day or year."""
    concept = meaning.concept
    if concept in {"customer", "product"} and not seen.empty:
        wants_name = field.name in {"name", "customer_name", "product_name"}
        return (1.0, None) if wants_name == seen.is_name else (0.85, None)
    if concept == "staff" and not seen.empty and (field.name == "employees") != seen.is_number:
        return 0.3, say("the values fit better elsewhere")
    if concept == "discount":
        return (
            (1.0, None)
            if (field.kind == "share") == _is_share(column, seen)
            else (0.45, say("the values fit better elsewhere"))
        )
    if concept == "id" and field.name == "product_id" and seen.unique and table != "product":
        return 0.5, None
    if field.name in {"order_id", "credit_id"} and kinds_of_documents(seen):
        return 0.3, say("the values are kinds of documents")
    if concept == "contract_no" and seen.distinct <= 12 < seen.filled / 5:
        return 0.4, say("the values are only {n} different ones", n=seen.distinct)
    if concept == "gross":
        return 1.0, say("it is gross: VAT may be in it")
    if field.name == "period" and not seen.empty:
        return _period(seen)
    return 1.0, None


def kinds_of_documents(seen: Evidence) -> bool:
    """True for a column that tells invoices from credit notes, whatever its header."""
    from klientel.ingest.mapping.outcomes import document_kind

    if not 2 <= seen.distinct <= 20:
        return False
    kinds = {document_kind(text) for text in set(seen.samples)}
    return "invoice" in kinds and bool(kinds & {"credit", "cancellation"}) and None not in kinds


def _period(seen: Evidence) -> tuple[float, Sentence | None]:
    """2024, 202401 and "Jan 24" are periods; 1 to 12 says no year, and amounts are none."""
    if not seen.is_number:
        return (0.9 if seen.is_date else 1.0), None
    low, high = seen.low or 0.0, seen.high or 0.0
    years = seen.whole > 0.99 and low >= 1900 and high <= 2100
    months = seen.whole > 0.99 and low >= 190001 and high <= 210012
    if years or months:
        return 1.0, None
    if seen.is_date:
        return 0.9, None
    return (0.45, say("the year is not in it")) if high <= 53 else (0.2, say("the values are amounts"))


def _is_share(column: RawColumn, seen: Evidence) -> bool:
    if header(column.header).percent or seen.percent:
        return True
    if header(column.header).currency or seen.high is None or seen.high > 100:
        return False
    if seen.high <= 1 and (seen.low or 0) >= 0:
        return True
    return seen.whole >= 0.8 and seen.distinct <= 40
