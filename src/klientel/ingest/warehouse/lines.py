"""Lines and customers of a Book put together out of far tables, as expressions on their engine."""

from __future__ import annotations

from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, Any

from klientel.engine import MONEY
from klientel.ingest.lines import OVER
from klientel.ingest.mapping import outcome_of
from klientel.ingest.sql import AMOUNT
from klientel.ingest.warehouse.reading import Far
from klientel.schema import TABLES
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

COLUMNS = {
    "customer_id": "string",
    "customer_name": "string",
    "day": "date",
    "order_id": "string",
    "product_id": "string",
    "product_group_id": "string",
    AMOUNT: MONEY,
    "qty": MONEY,
    "margin": MONEY,
    "is_credit": "boolean",
    "original_order_id": "string",
    "currency": "string",
    "rep_id": "string",
    "list_price": MONEY,
}
_FROM_HEADER = ("customer_id", "customer_name", "order_date", "currency", "rep_id")
_STAGES = 500  # different stages or outcomes of opportunities that are looked at


def lines(
    reads: dict[str, list[Far]], names: ir.Table | None, today: date | None = None
) -> tuple[ir.Table | None, str, list[Sentence]]:
    """The lines of the Book (columns of COLUMNS that any part has), what they were made of, and notes.

    Order lines first; without them order totals; without those won opportunities; without those what the
    contracts that run `today` bring in each period. names: (name, number) of
    the customers, to find the number of those whom a table knows by name only.
    """
    notes: list[Sentence] = []
    headers = reads.get("order_header", [])
    parts = []
    for read in reads.get("order_line", []):
        if not read.has(AMOUNT):
            continue
        if not _knows_customer(read) and not (headers and read.has("order_id")):
            place = read.recognition.raw.place
            hint = say('Say which one does with --map order_line.customer_name="Header".')
            notes.append(
                say("{file} is left out: no column names the customer. {hint}", file=place, hint=hint)
            )
            continue
        parts.append(_of_lines(read, headers))
    source = "order_line"
    if not parts:
        source = "order_header"
        parts = [_of_headers(h) for h in headers if h.has("net_amount")]
    if not parts:
        source = "opportunity"
        deals = [d for d in reads.get("opportunity", []) if d.has("amount", "outcome")]
        parts = [_of_deals(d) for d in deals if _knows_customer(d)]
        if parts:
            notes.append(say("No sales were given: won opportunities stand for them, on their closing day."))
    if not parts:
        source = "project_contract"
        contracts = [c for c in reads.get("project_contract", []) if c.has("recurring_amount")]
        parts = [_of_contracts(c, today) for c in contracts if _knows_customer(c)]
        if parts:
            notes.append(
                say(
                    "No sales were given: the recurring amount of the running contracts stands for them. "
                    "Add invoices, or the amounts charged so far, for everything that looks at time."
                )
            )
    if not parts:
        return None, "", notes
    parts += [_of_credits(c, headers) for c in reads.get("credit_note_line", []) if c.has(AMOUNT)]
    have = [c for c in COLUMNS if any(c in p.columns for p in parts)]
    whole = reduce(lambda a, b: a.union(b), [_filled(p, have) for p in parts])
    whole = _with_costs(whole, reads.get("product", []))
    return _numbered(whole, names), source, notes


def _knows_customer(read: Far) -> bool:
    return bool({"customer_id", "customer_name"} & set(read.columns))


def _filled(part: ir.Table, columns: list[str]) -> ir.Table:
    import ibis

    return part.select(
        **{c: part[c].cast(COLUMNS[c]) if c in part.columns else ibis.null(COLUMNS[c]) for c in columns}
    )


def _own(table: ir.Table, **more: Any) -> ir.Table:
    kept = {c: table[c] for c in COLUMNS if c in table.columns and c not in more}
    return table.select(**kept, **{name: value for name, value in more.items() if value is not None})


def _of_lines(read: Far, headers: list[Far]) -> ir.Table:
    table = read.accepted
    if not _knows_customer(read) and headers:
        heads = _heads(headers)
        table = table.inner_join(heads, table.order_id == heads.head_order_id)
        taken: dict[str, Any] = {}
        for name in _FROM_HEADER:
            own = table[name] if name in read.columns else None
            head = table[f"head_{name}"]
            taken[name] = head if own is None else own.fill_null(head)
        table = table.mutate(**taken)
    day = table.order_date if "order_date" in table.columns else None
    credit = table[AMOUNT] < 0
    if read.has("qty"):
        credit = credit | (table.qty < 0).fill_null(False)
    return _own(table, day=day, is_credit=credit)


def _heads(headers: list[Far]) -> ir.Table:
    """One row per order number: a number that appears twice would multiply its lines."""
    import ibis

    parts = []
    for read in headers:
        table = read.accepted
        days = [table[c] for c in ("order_date", "invoice_date") if read.has(c)]
        known = {
            "head_order_date": ibis.coalesce(*days) if days else ibis.null("date"),
            "head_order_id": table.order_id,
        }
        for name in ("customer_id", "customer_name", "currency", "rep_id"):
            known[f"head_{name}"] = table[name] if read.has(name) else ibis.null("string")
        parts.append(table.select(**known))
    whole = reduce(lambda a, b: a.union(b), parts)
    others = [c for c in whole.columns if c != "head_order_id"]
    one = ibis.window(group_by=whole.head_order_id, order_by=[whole[c] for c in others])
    ranked = whole.mutate(_nth=ibis.row_number().over(one))
    return ranked.filter(ranked._nth == 0).drop("_nth")


def _of_headers(read: Far) -> ir.Table:
    import ibis

    table = read.accepted
    days = [table[c] for c in ("order_date", "invoice_date") if read.has(c)]
    amount = table.net_amount
    credit = (amount < 0).fill_null(False)
    made = _own(table, day=ibis.coalesce(*days) if days else None, amount=amount, is_credit=credit)
    return made.filter(made.amount.notnull())


def _of_deals(read: Far) -> ir.Table:
    import ibis

    table = read.accepted.filter(read.accepted.outcome == "won", read.accepted.amount.notnull())
    days = [table[c] for c in ("close_date", "created_on") if read.has(c)]
    number = table.opportunity_id if read.has("opportunity_id") else None
    made = _own(
        table,
        day=ibis.coalesce(*days) if days else None,
        order_id=number,
        is_credit=ibis.literal(False),
    )
    known = [made[c] for c in ("customer_id", "customer_name") if c in made.columns]
    return made.filter(ibis.coalesce(*known).notnull())


def _of_contracts(read: Far, today: date | None) -> ir.Table:
    """The recurring amount of the contracts that have not ended, without a day."""
    import ibis

    table = read.accepted
    over: Any = ibis.literal(False)
    if read.has("status"):
        for word in OVER:
            over = over | table.status.lower().contains(word).fill_null(False)
    if read.has("ended"):
        over = over | table.ended.fill_null(False)
    running = ~over
    ends = [table["end"]] if read.has("end") else []
    if read.has("cancelled_on"):  # notice without an end: it runs out with the notice period
        period: Any = table.notice_days.fill_null(0) if read.has("notice_days") else ibis.literal(0)
        ends.append((table.cancelled_on + period.cast("int64").as_interval("D")).cast("date"))
    if ends:
        reference: Any = today
        if today is None:
            days = ("start", "signed_on", "cancelled_on")
            known = {c: table[c].max() for c in days if read.has(c)}
            found = table.agg(**known).to_pyarrow().to_pylist()[0].values() if known else ()
            reference = max((d for d in found if d is not None), default=None)
        end = ibis.coalesce(*ends)
        last = ibis.null("boolean") if reference is None else end >= ibis.literal(reference)
        running = end.notnull().ifelse(last, running)
    if read.has("ended_on"):
        still = ibis.literal(False) if today is None else table.ended_on >= ibis.literal(today)
        running = table.ended_on.notnull().ifelse(still, running)
    kept = table.filter(table.recurring_amount.notnull(), running)
    number = kept.contract_id if read.has("contract_id") else None
    return _own(kept, order_id=number, amount=kept.recurring_amount, is_credit=ibis.literal(False))


def _of_credits(read: Far, headers: list[Far]) -> ir.Table:
    import ibis

    table = read.accepted
    if not _knows_customer(read) and headers and read.has("original_order_id"):
        # A credit note without customer takes the one of the order that it names.
        heads = _heads(headers)
        table = table.inner_join(heads, table.original_order_id == heads.head_order_id)
        table = table.mutate(customer_id=table.head_customer_id, customer_name=table.head_customer_name)
    number = table.credit_id if read.has("credit_id") else None
    more: dict[str, Any] = {"day": table["date"], "order_id": number, "is_credit": ibis.literal(True)}
    if read.has("qty"):
        more["qty"] = -table.qty.abs()
    return _own(table, **more)


def _with_costs(whole: ir.Table, products: list[Far]) -> ir.Table:
    """Margins from the products' standard cost where lines have a quantity and no cost of their own."""
    import ibis

    known = [
        p.accepted.select("product_id", "standard_cost")
        for p in products
        if p.has("product_id", "standard_cost")
    ]
    if not known or not {"product_id", "qty"} <= set(whole.columns):
        return whole
    both = reduce(lambda a, b: a.union(b), known)
    costs = both.group_by(cost_of=both.product_id).agg(standard_cost=both.standard_cost.max())
    joined = whole.left_join(costs, whole.product_id == costs.cost_of)
    cost = joined.qty.cast("decimal(19, 4)") * joined.standard_cost.cast("decimal(19, 4)")
    margin = (joined[AMOUNT] - cost).cast(MONEY)
    if "margin" in whole.columns:
        margin = ibis.coalesce(joined.margin, margin)
    return joined.mutate(margin=margin).drop("cost_of", "standard_cost")


def _numbered(whole: ir.Table, names: ir.Table | None) -> ir.Table:
    """Customers by number; by the number that belongs to their name; by name where nothing else is known."""
    import ibis

    if "customer_name" not in whole.columns:
        return whole
    keys = [whole.customer_id] if "customer_id" in whole.columns else []
    if names is None:
        return whole.mutate(customer_id=ibis.coalesce(*keys, whole.customer_name))
    joined = whole.left_join(names, whole.customer_name.strip().lower() == names.known_name)
    keys = [joined.customer_id] if "customer_id" in whole.columns else []
    number = ibis.coalesce(*keys, joined.known_id, joined.customer_name)
    return joined.mutate(customer_id=number).drop("known_name", "known_id")


def customers(reads: list[Far]) -> ir.Table | None:
    """One row per customer out of customer tables and, behind them, of what flat tables say of theirs.

    Of a customer with several rows each column takes, within the first table that fills it, the smallest
    value: engines know no first row.
    """
    import ibis

    ordered = sorted(reads, key=lambda r: r.recognition.secondary)
    if not ordered:
        return None
    columns = [c for c in dict.fromkeys(c for r in ordered for c in r.columns) if c != "customer_id"]
    types = {c: r.accepted.schema()[c] for r in reversed(ordered) for c in r.columns}
    grouped = []
    for read in ordered:
        table = read.accepted
        number = ibis.coalesce(*(table[c] for c in ("customer_id", "name") if read.has(c)))
        table = table.mutate(customer_id=number)
        table = table.filter(table.customer_id.notnull())
        own = {c: table[c].min() for c in columns if read.has(c)}
        grouped.append(table.group_by("customer_id").agg(**own, _any=table.count()).drop("_any"))
    ids = reduce(lambda a, b: a.union(b, distinct=True), [g.select("customer_id") for g in grouped])
    found = ids
    for i, part in enumerate(grouped):
        renamed = part.rename({f"_{c}_{i}": c for c in part.columns if c != "customer_id"})
        found = found.left_join(renamed, "customer_id").drop("customer_id_right")
    chosen = {}
    for c in columns:
        there = [found[f"_{c}_{i}"] for i, part in enumerate(grouped) if c in part.columns]
        chosen[c] = ibis.coalesce(*there).cast(types[c])
    return found.select(found.customer_id, **chosen)


def names_of(found: ir.Table | None) -> ir.Table | None:
    """Names that belong to exactly one customer: known_name in lower case, known_id."""
    if found is None or "name" not in found.columns:
        return None
    named = found.filter(found.name.notnull())
    named = named.select(known_name=named.name.strip().lower(), known_id=named.customer_id)
    counted = named.group_by("known_name").agg(known_id=named.known_id.min(), _n=named.count())
    return counted.filter(counted._n == 1).drop("_n")


def with_outcome(read: Far) -> None:
    """Give opportunities an `outcome` (won, lost, open, ...) from their own outcome or stage column."""
    import ibis

    table = read.accepted
    have = [table[c] for c in ("outcome", "stage") if read.has(c)]
    if not have:
        told: Any = ibis.literal("open")
    else:
        word = ibis.coalesce(*have)
        listed = table.select(word=word).distinct().limit(_STAGES).to_pyarrow()["word"].to_pylist()
        # A stage that is neither won nor lost is a step on the way: the deal is open.
        known = [(w, outcome_of(w) or "open") for w in sorted(w for w in listed if w)]
        told = (
            ibis.cases(*((word == w, t) for w, t in known), else_="open") if known else ibis.literal("open")
        )
    read.accepted = table.mutate(outcome=told)
    read.columns = tuple(dict.fromkeys((*read.columns, "outcome")))


def together(name: str, reads: list[Far]) -> ir.Table:
    """Several tables of one kind under one another, customers by number or, failing that, by name."""
    import ibis

    columns = [c for c in TABLES[name].names() if any(r.has(c) for r in reads)]
    types = {c: r.accepted.schema()[c] for r in reversed(reads) for c in r.columns}
    customer = {"customer_id", "customer_name"} & set(columns)
    parts = []
    for read in reads:
        table = read.accepted
        chosen: dict[str, Any] = {}
        if customer:
            known = [table[c] for c in ("customer_id", "customer_name") if read.has(c)]
            chosen["customer_id"] = ibis.coalesce(*known) if known else ibis.null("string")
        chosen |= {
            c: table[c].cast(types[c]) if read.has(c) else ibis.null(types[c])
            for c in columns
            if c != "customer_id"
        }
        parts.append(table.select(**chosen))
    return reduce(lambda a, b: a.union(b), parts)
