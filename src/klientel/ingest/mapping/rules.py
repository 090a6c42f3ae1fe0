"""Which canonical table a raw table is: what speaks for each, what rules it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from klientel.ingest.mapping.assign import Claim, assign, kinds_of_documents
from klientel.ingest.mapping.evidence import Evidence
from klientel.ingest.mapping.fields import FIELDS
from klientel.ingest.mapping.hints import hinted
from klientel.ingest.mapping.meanings import meanings
from klientel.ingest.raw import RawTable

# concept of a unique column -> what one row of the table is; the first of this order that is found wins
_ROW_IS: tuple[tuple[str, frozenset[str]], ...] = (
    ("interaction", frozenset({"activity_no"})),
    ("opportunity", frozenset({"deal_no"})),
    ("credit", frozenset({"credit_no"})),
    ("contract", frozenset({"contract_no"})),
    ("order", frozenset({"order_no", "invoice_no"})),
    ("lead", frozenset({"lead_no"})),
    ("contact", frozenset({"contact_no"})),
    ("customer", frozenset({"customer_no"})),
    ("product", frozenset({"product_no"})),
    ("supplier", frozenset({"supplier"})),
    ("shipper", frozenset({"shipper"})),
    ("place", frozenset({"place"})),
    ("rep", frozenset({"rep"})),
    ("group", frozenset({"product_group", "group_name"})),
    ("customer", frozenset({"customer", "customer_name", "company"})),
    ("product", frozenset({"product", "product_name"})),
    ("rep", frozenset({"staff"})),
)


@dataclass
class Look:
    """Everything the rules look at: the concepts of the headers, the evidence, the name, what a row is."""

    raw: RawTable
    evidence: Mapping[str, Evidence]
    concepts: frozenset[str]
    row: str | None
    hints: frozenset[str]

    def has(self, *names: str) -> int:
        """How many of these concepts the headers name."""
        return sum(name in self.concepts for name in names)


@dataclass
class Candidate:
    """A canonical table that a raw table could be, with its points (more is better; below 2 is nothing)."""

    table: str
    points: float
    columns: dict[str, Claim]
    lost: list[Claim] = field(default_factory=list)

    def has(self, *fields: str) -> int:
        """How many of these fields are filled."""
        return sum(name in self.columns for name in fields)


def look(raw: RawTable, evidence: Mapping[str, Evidence]) -> Look:
    """Gather what the rules need from one raw table."""
    strong: set[str] = set()
    for column in raw.columns:
        strong.update(m.concept for m in meanings(column.header) if m.strength >= 0.6)
    return Look(raw, evidence, frozenset(strong), row_is(raw, evidence), hinted(raw))


def row_is(raw: RawTable, evidence: Mapping[str, Evidence]) -> str | None:
    """What one row is, told by the column whose values never repeat: a customer, an order, a supplier..."""
    unique = [c for c in raw.columns if evidence[c.name].unique and not evidence[c.name].is_date]
    for entity, wanted in _ROW_IS:
        for column in unique:
            if entity == "rep" and "staff" in wanted and evidence[column.name].is_number:
                continue
            if any(m.concept in wanted and m.strength >= 0.6 for m in meanings(column.header)):
                return entity
    return None


def candidates(seen: Look) -> list[Candidate]:
    """The tables that a raw table could be, best first; a rule gives None where it is ruled out."""
    found = []
    for table, rule in _RULES.items():
        columns, lost = assign(seen.raw, table, seen.evidence)
        candidate = Candidate(table, 0.0, columns, lost)
        points = rule(seen, candidate)
        if points is not None:
            candidate.points = points + (2.0 if table in seen.hints else 0.0)
            found.append(candidate)
    order = list(FIELDS)
    return sorted(found, key=lambda c: (-round(c.points, 6), order.index(c.table)))


def _sum(candidate: Candidate, weights: Mapping[str, float], rest: float = 0.4) -> float:
    return sum(claim.confidence * weights.get(name, rest) for name, claim in candidate.columns.items())


def _customer(seen: Look, c: Candidate) -> float | None:
    foreign = {"supplier", "shipper", "place", "order", "product", "rep"}
    if not c.has("customer_id", "name") or seen.row in foreign:
        return None
    hinted_so = "customer" in seen.hints
    if seen.row != "customer" and not hinted_so and not _has_unique(seen, c, "customer_id", "name"):
        return None
    if seen.has("order_no", "invoice_no", "product_no", "stage", "first_name"):
        return None
    if seen.has("recurring") and seen.has("start", "end", "tenure", "term"):
        return None  # subscribers: contracts, with the customers inside
    attributes = sum(1 for name in c.columns if name not in {"customer_id", "name", "annual_revenue"})
    if not attributes and not hinted_so and c.has("customer_id", "name") != 2:
        return None
    return 1.5 + 0.6 * attributes + (1.0 if seen.row == "customer" else 0.0)


def _has_unique(seen: Look, c: Candidate, *fields: str) -> bool:
    return any(f in c.columns and seen.evidence[c.columns[f].column.name].unique for f in fields)


_LINE = {
    "net_amount": 1.6, "margin": 1.0, "qty": 1.2, "invoice_price": 1.2, "order_id": 1.0, "customer_id": 1.0,
    "customer_name": 0.8, "order_date": 1.2, "product_id": 1.0, "product_name": 0.8, "line_no": 1.0,
    "discount_share": 1.0, "on_invoice_discount": 1.0, "direct_cost": 1.0, "unit_cost": 0.6, "kind": 0.8,
    "period": 1.0,
}  # fmt: skip


def _order_line(seen: Look, c: Candidate) -> float | None:
    if not c.has("net_amount", "margin", "invoice_price", "qty"):
        return None
    if not c.has(
        "customer_id", "customer_name", "order_id", "order_date", "product_id", "product_name", "period"
    ):
        return None
    if seen.row in {"supplier", "shipper", "place", "rep", "group"}:
        return None
    if seen.row == "product" and not c.has("order_id", "customer_id", "customer_name", "order_date"):
        return None
    if not c.has("net_amount", "margin") and not c.has("qty"):
        # a price without a quantity and an order is a price list
        return 1.0 if c.has("order_id", "customer_id") else None
    return _sum(c, _LINE)


def _order_header(seen: Look, c: Candidate) -> float | None:
    if "order_id" not in c.columns or not c.has("customer_id", "customer_name"):
        return None
    if seen.has("qty", "unit_price", "product_no", "line_no") > 1 or seen.row not in {"order", None}:
        return None
    if seen.row is None and not _has_unique(seen, c, "order_id"):
        return None
    weights = {
        "order_id": 1.5,
        "customer_id": 1.0,
        "customer_name": 0.8,
        "order_date": 1.2,
        "invoice_date": 0.6,
        "net_amount": 0.8,
    }
    return _sum(c, weights) + 0.5


def _credit(seen: Look, c: Candidate) -> float | None:
    if not c.has("credit_id", "original_order_id") or not c.has("net_amount") or not c.has("date"):
        return None
    if "credit_no" not in seen.concepts and "credit_note_line" not in seen.hints:
        return None
    if any(kinds_of_documents(seen.evidence[column.name]) for column in seen.raw.columns):
        return None  # a list of invoices and credit notes
    return _sum(
        c, {"credit_id": 2.0, "original_order_id": 1.5, "net_amount": 1.5, "date": 1.2, "reason": 1.5}, 0.8
    )


def _product(seen: Look, c: Candidate) -> float | None:
    if not c.has("product_id", "name") or seen.has(
        "customer_no", "customer", "order_no", "invoice_no", "order_date"
    ):
        return None
    if seen.row not in {"product", None, "group"} and "product" not in seen.hints:
        return None
    if not seen.has("product_no", "product", "product_name") and "product" not in seen.hints:
        return None
    if "product" not in seen.hints and seen.row != "product":
        return None
    return _sum(c, {"product_id": 1.5, "name": 1.0, "list_price": 1.2, "standard_cost": 1.2}, 0.7) + 1.0


def _product_group(seen: Look, c: Candidate) -> float | None:
    if c.has("product_group_id", "name") < 2 or len(seen.raw.columns) > 6:
        return None
    if not ("product_group" in seen.concepts or "product_group" in seen.hints) or seen.has(
        "product_no", "customer_no"
    ):
        return None
    return _sum(c, {"product_group_id": 1.5, "name": 1.0}) + 1.0


_CONTRACT = {
    "contract_id": 1.0, "recurring_amount": 2.0, "start": 1.2, "end": 1.2, "type": 0.8, "tenure_months": 1.5,
    "min_term_months": 1.2, "notice_days": 1.5, "auto_renew": 1.5, "ended": 1.0, "period_months": 1.0,
    "total_amount": 1.0, "signed_on": 1.2, "cancelled_on": 1.2, "ended_on": 1.2, "customer_id": 0.6,
    "customer_name": 0.5, "one_off_amount": 0.8,
}  # fmt: skip


def _contract(_: Look, c: Candidate) -> float | None:
    if not c.has("customer_id", "customer_name"):
        return None
    signature = c.has(
        "contract_id",
        "recurring_amount",
        "end",
        "tenure_months",
        "notice_days",
        "auto_renew",
        "min_term_months",
        "cancelled_on",
        "ended_on",
    )
    if signature < 2 and not (c.has("contract_id", "recurring_amount", "start") == 2 and signature):
        return None
    if not c.has("recurring_amount", "start", "end", "signed_on", "total_amount"):
        return None
    return _sum(c, _CONTRACT, 0.3)


_DEAL = {
    "opportunity_id": 1.2, "name": 0.8, "stage": 2.0, "outcome": 1.2, "probability": 2.0, "close_date": 1.5,
    "amount": 1.2, "created_on": 0.8, "loss_reason": 1.5, "competitor": 1.0, "source_channel": 0.5,
}  # fmt: skip


def _opportunity(seen: Look, c: Candidate) -> float | None:
    if not c.has("stage", "outcome") or not c.has("opportunity_id", "name", "amount"):
        return None
    signs = seen.has(
        "stage", "probability", "deal_no", "deal_name", "deal_amount", "close_date", "loss_reason", "outcome"
    )
    if signs < 2 and "opportunity" not in seen.hints:
        return None
    return _sum(c, _DEAL)


def _contact(seen: Look, c: Candidate) -> float | None:
    if not c.has("name", "email") or seen.row in {"order", "product", "rep", "supplier", "shipper"}:
        return None
    person = seen.has("first_name", "last_name")
    if seen.row == "customer" and not person:
        return None
    if not person and not seen.has("contact_no", "role", "department") and "contact" not in seen.hints:
        return None
    if seen.has("order_no", "net", "revenue", "stage", "lead_no", "lead_status"):
        return None
    return _sum(c, {"contact_id": 1.5, "first_name": 1.0, "name": 1.0, "email": 1.0, "role": 1.0}, 0.6)


def _interaction(seen: Look, c: Candidate) -> float | None:
    if "ts" not in c.columns or not c.has("type", "duration_min"):
        return None
    if (
        not seen.has("activity_no", "activity_type", "activity_date", "duration")
        and "interaction" not in seen.hints
    ):
        return None
    if seen.has("net", "revenue", "qty", "unit_price", "stage", "order_no", "recurring"):
        return None
    return _sum(c, {"type": 1.5, "ts": 1.2, "duration_min": 1.5, "interaction_id": 1.5, "outcome": 1.0}, 0.6)


def _lead(seen: Look, c: Candidate) -> float | None:
    if not c.has("lead_id", "created_on", "status"):
        return None
    if not seen.has("lead_no", "lead_status") and "lead" not in seen.hints:
        return None
    if seen.has("deal_no", "probability", "deal_amount", "order_no"):
        return None
    return _sum(c, {"lead_id": 1.5, "status": 1.2, "channel": 0.8}, 0.6)


def _rep(seen: Look, c: Candidate) -> float | None:
    if not c.has("rep_id", "name") or seen.has(
        "order_no", "invoice_no", "customer_no", "customer", "net", "product_no"
    ):
        return None
    if seen.row != "rep" and "rep" not in seen.hints:
        return None
    if len(c.columns) < 2:
        return None
    return _sum(c, {"rep_id": 1.5, "reports_to": 1.2, "team_id": 1.0}, 0.8) + 0.5


def _succession(_: Look, c: Candidate) -> float | None:
    return 5.0 if c.has("from_id", "to_id") == 2 else None


def _fx(_: Look, c: Candidate) -> float | None:
    return 6.0 if c.has("date", "from_currency", "to_currency", "rate") == 4 else None


_RULES: dict[str, Callable[[Look, Candidate], float | None]] = {
    "customer": _customer,
    "order_header": _order_header,
    "order_line": _order_line,
    "credit_note_line": _credit,
    "product": _product,
    "product_group": _product_group,
    "project_contract": _contract,
    "opportunity": _opportunity,
    "contact": _contact,
    "interaction": _interaction,
    "lead": _lead,
    "rep": _rep,
    "customer_succession": _succession,
    "fx_rate": _fx,
}
