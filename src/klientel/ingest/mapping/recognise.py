"""Which raw table is which canonical table, and which header is which column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from klientel.ingest.mapping import guess, wide
from klientel.ingest.mapping.apart import selling_table
from klientel.ingest.mapping.assign import assign, claims
from klientel.ingest.mapping.draft import Draft, unmapped
from klientel.ingest.mapping.evidence import Evidence, evidence_of
from klientel.ingest.mapping.flat import attributes, secondary
from klientel.ingest.mapping.outcomes import nothing_for_us
from klientel.ingest.mapping.overlap import Contents
from klientel.ingest.mapping.overrides import Plan, parse, without
from klientel.ingest.mapping.relate import relate
from klientel.ingest.mapping.rules import Candidate, candidates, look
from klientel.ingest.mapping.split import joined, restored, split_net
from klientel.ingest.mapping.templates import Template, fitting
from klientel.ingest.raw import RawTable
from klientel.ingest.recognition import Recognition
from klientel.schema import TABLES
from klientel.words import Sentence, say

if TYPE_CHECKING:
    from klientel.ingest.values import Profile

ENOUGH = 2.0
"""A table with fewer points than this is not recognised."""


def recognise(
    raws: Sequence[RawTable],
    profiles: Mapping[int, Mapping[str, Profile]] | Mapping[str, Mapping[str, Profile]],
    overrides: Mapping[str, str] | None = None,
    template: Template | None = None,
    contents: Contents | None = None,
) -> list[Recognition]:
    """What each raw table is: one primary recognition per raw table, in their order, each followed by its
    secondary ones.

    profiles: by position in `raws` or by `RawTable.name`; raw column name -> profile (or Evidence).
    overrides: what a person said, {"order_line.net_amount": "Umsatz", "FILE": "customer", "-.Notes": "-"},
    `overrides.parse` and `overrides.without`.
    template: a saved mapping, used for the raw tables whose headers fit; ready mappings of known exports are
    tried after it, recognition by names and values last. contents: compares values of tables that are not
    here whole. Errors: BadParameter for overrides that name an
    unknown table, column, file or header, or a template none of the files fits.
    """
    originals = raws
    overrides, raws, gone = without(overrides or {}, raws)
    seen = [evidence_of(raw, _of(profiles, i, raw)) for i, raw in enumerate(raws)]
    told = list(overrides.values())
    parts = [split_net(raw, evidence, told) for raw, evidence in zip(raws, seen, strict=True)]
    raws = [joined(raw, split) for raw, split in zip(raws, parts, strict=True)]
    contents = contents or Contents(raws)
    plan = parse(overrides, raws)
    drafts = [_first(raw, evidence, contents) for raw, evidence in zip(raws, seen, strict=True)]
    fitting(drafts, template)
    _lists_with_values(drafts)
    plan.force_tables(drafts)
    relate(drafts, contents)
    plan.force_columns(drafts)
    made: list[Recognition] = []
    for draft, raw, split, away in zip(drafts, originals, parts, gone, strict=True):
        finished = _finished(draft, drafts, contents, plan)
        for recognition in finished:
            restored(recognition, raw, split)
        finished[0].unmapped += away
        made += finished
    return made


def _of(
    profiles: Mapping[int, Mapping[str, Profile]] | Mapping[str, Mapping[str, Profile]], i: int, raw: RawTable
) -> Mapping[str, Profile]:
    either: Mapping[object, Mapping[str, Profile]] = profiles  # type: ignore[assignment]
    found = either.get(i)
    return found if found is not None else either.get(raw.name, {})


def _first(raw: RawTable, evidence: dict[str, Evidence], contents: Contents) -> Draft:
    """The first reading of one raw table, on its own."""
    seen = look(raw, evidence)
    draft = Draft(seen, candidates=candidates(seen))
    draft.why = nothing_for_us(seen)
    if draft.why is not None:
        return draft
    selling = selling_table(seen)
    if selling is not None:
        columns, lost = assign(raw, selling, evidence)
        draft.take(Candidate(selling, ENOUGH, columns, lost))
        return draft
    found = wide.find(raw, evidence, contents)
    if found and found.periods:
        _spread(draft, found)
    if draft.table is None:
        best = next(
            (c for c in draft.candidates if c.points >= ENOUGH and _complete(c.table, c.columns)), None
        )
        if best is not None:
            draft.take(best)
    if draft.table is None and not (found and found.yearless):
        _guess(draft)
    elif draft.table == "order_line" and not draft.wide:
        filled = guess.complete(raw, evidence, draft.columns)
        if filled:
            draft.columns = filled
    if draft.table == "order_line":
        _number_beside_name(draft)
    if draft.table is None:
        draft.why = _missing(draft, yearless=bool(found and found.yearless))
    return draft


def _complete(table: str, columns: Mapping[str, object]) -> bool:
    return all(any(name in columns for name in group) for group in TABLES[table].required)


def _spread(draft: Draft, found: wide.Wide) -> None:
    """A wide file: order lines without an amount column, one amount per period."""
    taken = set(found.periods) | set(found.left_out)
    rest = replace(draft.raw, columns=tuple(c for c in draft.raw.columns if c.name not in taken))
    columns, lost = assign(rest, "order_line", draft.look.evidence)
    # Whatever else is counted in such a row belongs to no single period.
    for field in [
        f for f in columns if TABLES["order_line"].field(f).kind not in ("key", "text", "currency")
    ]:
        del columns[field]
    columns.pop("period", None)
    if not {"customer_id", "customer_name"} & columns.keys():
        placeholder = guess.who(rest, draft.look.evidence, columns)
        if placeholder is None:
            return
        columns[placeholder.field] = placeholder
    draft.table, draft.columns, draft.lost, draft.wide = "order_line", columns, lost, found
    draft.why = say("one amount per period in {n} columns", n=len(found.periods))


def _number_beside_name(draft: Draft) -> None:
    """In a list of names with amounts, a plain "Nr." that never repeats is the customer's number."""
    if "customer_id" in draft.columns or "customer_name" not in draft.columns:
        return
    if {"order_id", "order_date", "product_id", "product_name", "line_no"} & draft.columns.keys():
        return
    named = draft.evidence[draft.columns["customer_name"].column.name]
    for claim in claims(draft.raw, "customer", draft.look.evidence):
        own = claim.meaning is not None and claim.meaning.concept == "id" and claim.field == "customer_id"
        unique = named.unique and draft.evidence[claim.column.name].unique
        if own and unique and claim.column.name not in draft.used():
            draft.columns["customer_id"] = claim
            return


def _guess(draft: Draft) -> None:
    own = draft.candidate("order_line")
    known, lost = (own.columns, own.lost) if own else assign(draft.raw, "order_line", draft.look.evidence)
    if draft.look.row in {"supplier", "shipper", "place", "group", "product", "rep"}:
        return
    found = guess.complete(draft.raw, draft.look.evidence, known)
    if found is None:
        return
    draft.table, draft.columns, draft.lost = "order_line", found, lost
    draft.guessed = any(c.meaning is None for c in found.values())
    draft.why = say("the headers say too little; taken for order lines by the values, please check")


def _missing(draft: Draft, *, yearless: bool) -> Sentence:
    if yearless:
        return say("one amount per month, but no year: write the year in the headers or in the file name")
    nearest = max(draft.candidates, key=lambda c: c.points, default=None)
    if nearest is None:
        return say("no column of a customer, an order or an amount was recognised; say which with --map")
    absent = [
        group for group in TABLES[nearest.table].required if not any(n in nearest.columns for n in group)
    ]
    if not absent:
        return say("too little speaks for any table; say which with --map {file}=TABLE", file=draft.raw.file)
    return say(
        "most like {table}, but {columns} is missing", table=nearest.table, columns=" / ".join(absent[0])
    )


def _lists_with_values(drafts: Sequence[Draft]) -> None:
    """Decide for lists with one row per customer whether their revenue is ours or the customer's own."""
    sold = any(
        d.table in {"order_line", "order_header", "opportunity"} and d.look.row != "customer" for d in drafts
    )
    for draft in drafts:
        line = draft.candidate("order_line")
        amount = line.columns.get("net_amount") if line else None
        listed = draft.look.row == "customer" and draft.table in {"customer", "order_line"} and not draft.wide
        if (
            draft.fixed
            or line is None
            or not listed
            or {"order_id", "product_id", "order_date", "qty"} & line.columns.keys()
        ):
            continue
        if amount is None and "margin" not in line.columns:
            continue
        customer = draft.candidate("customer")
        concept = amount.meaning.concept if amount and amount.meaning else "margin"
        if customer is not None and _is_their_own(draft, concept, sold):
            draft.take(customer)
        else:
            draft.take(line)
            if "customer_id" not in draft.columns and customer and "customer_id" in customer.columns:
                draft.columns["customer_id"] = customer.columns["customer_id"]
            draft.why = say("one row per customer with an amount: what the customer brought in")


def _is_their_own(draft: Draft, concept: str, sold: bool) -> bool:
    """True if the revenue in a customer list is the customer's turnover, not what we sold."""
    if concept in {"margin", "net", "amount"}:
        return False
    firm = draft.look.has("year_established", "employees", "website", "legal_form")
    reach = draft.look.has("phone", "email", "website", "relation_type", "street")
    if sold:
        return True
    if concept == "annual_revenue":
        return firm >= 1 or reach >= 2
    return draft.look.has("year_established", "employees") == 2


def _finished(draft: Draft, drafts: Sequence[Draft], contents: Contents, plan: Plan) -> list[Recognition]:
    primary = draft.recognition()
    if draft.table is None:
        return [primary]
    if draft.table == "customer":
        primary.attributes = attributes(draft)
    more = plan.merge(secondary(draft, drafts, contents), plan.added(draft, primary))
    used = {m.column for r in [primary, *more] for m in [*r.columns.values(), *r.attributes.values()]}
    used |= set(primary.periods)
    primary.unmapped = unmapped(draft, used)
    return [primary, *more]
