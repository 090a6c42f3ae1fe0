"""One timeline of a company, or of a lead: everything that happened, of all kinds, newest first, orders among it.

Nothing is dated by when it was typed in: a lead that became a customer keeps the days of its first contacts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.web.records import models as m
from klientel.web.records.kinds import INTERACTIONS
from klientel.words import Word, mark, say

if TYPE_CHECKING:
    from klientel.web.home import Home

PAGE = 50


@dataclass(frozen=True)
class Entry:
    """Something that happened: when, of what kind, in a line of words, and the record behind it.

    title is a sentence or text; amount and currency where money is in it; `record`: model and id, ("", 0) for an
    order, whose number is then `number`.
    """

    day: date
    kind: str
    title: str
    text: str = ""
    amount: Decimal | None = None
    currency: str = ""
    record: tuple[str, int] = ("", 0)
    number: str = ""


@dataclass
class Timeline:
    """A page of a timeline; counts: of all entries by kind, whatever the page shows."""

    entries: list[Entry]
    counts: dict[str, int] = field(default_factory=dict)
    total: int = 0
    page: int = 1
    pages: int = 1


@dataclass(frozen=True)
class _Source:
    """Where entries of a kind come from: model, its day, and how a row (field -> value) reads."""

    title: Word
    model: Any
    day: str
    entry: Callable[[dict[str, Any]], dict[str, Any]]
    only: Q = field(default_factory=Q)
    path: str = "company"  # from the model to the company


def _interaction(row: dict[str, Any]) -> dict[str, Any]:
    kind = INTERACTIONS.get(row["type"], row["type"] or "")
    title = say("{kind}: {outcome}", kind=kind, outcome=row["outcome"]) if row["outcome"] else kind
    return {"title": title, "text": row["text"] or ""}


def _attribute(row: dict[str, Any]) -> dict[str, Any]:
    from klientel.schema import TABLES

    names = TABLES["customer"].names()
    name = (
        Word(TABLES["customer"].field(row["attribute"]).title)
        if row["attribute"] in names
        else row["attribute"]
    )
    return {
        "title": say("{attribute}: {value}", attribute=name, value=row["value"] or "–"),
        "text": row["reason"],
    }


def _of_money(title: str, amount: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def entry(row: dict[str, Any]) -> dict[str, Any]:
        return {"title": row[title] or "", "amount": row[amount], "currency": row["currency"]}

    return entry


def _closed(row: dict[str, Any]) -> dict[str, Any]:
    text = ", ".join(part for part in (row["loss_reason"], row["competitor"]) if part)
    return {**_of_money("name", "amount")(row), "text": text}


SOURCES: dict[str, _Source] = {
    "interaction": _Source(mark("Interaction"), m.Interaction, "ts", _interaction),
    "note": _Source(
        mark("Note"), m.Note, "written_on", lambda r: {"title": r["purpose"], "text": r["text"] or ""}
    ),
    "task": _Source(mark("Task done"), m.Task, "done_on", lambda r: {"title": r["title"], "text": r["text"]}),
    "lead": _Source(
        mark("Lead came in"),
        m.Lead,
        "created_on",
        lambda r: {"title": r["company_name"] or "", "text": r["channel"]},
    ),
    "conversion": _Source(
        mark("Lead became customer"), m.Lead, "converted_on", lambda r: {"title": r["company_name"] or ""}
    ),
    "deal": _Source(mark("Deal opened"), m.Opportunity, "created_on", _of_money("name", "amount")),
    "stage": _Source(
        mark("Deal entered stage"),
        m.StageEntry,
        "entered_on",
        lambda r: {"title": r["stage"]},
        path="opportunity__company",
    ),
    "won": _Source(mark("Deal won"), m.Opportunity, "close_date", _closed, Q(outcome="won")),
    "lost": _Source(
        mark("Deal lost or given up"),
        m.Opportunity,
        "close_date",
        _closed,
        ~Q(outcome__in=["won", "open", ""]),
    ),
    "contract": _Source(
        mark("Contract signed"), m.Contract, "signed_on", _of_money("type", "recurring_amount")
    ),
    "contract end": _Source(mark("Contract ends"), m.Contract, "end", _of_money("type", "recurring_amount")),
    "competitor": _Source(
        mark("Competitor seen"),
        m.CompetitorObservation,
        "seen_on",
        lambda r: {"title": r["competitor"], "text": r["text"] or ""},
    ),
    "answer": _Source(
        mark("Survey answered"),
        m.SurveyAnswer,
        "answered_on",
        lambda r: {"title": r["question"], "text": r["text"] or ""},
    ),
    "attribute": _Source(mark("Attribute changed"), m.DatedValue, "valid_from", _attribute),
}
ORDER = "order"
KINDS: dict[str, Word] = {ORDER: mark("Order"), **{kind: source.title for kind, source in SOURCES.items()}}


def timeline(
    of: Any,
    *,
    home: Home | None = None,
    kinds: Iterable[str] | None = None,
    page: int = 1,
    size: int = PAGE,
    as_of: date | None = None,
    actor: Any = None,
) -> Timeline:
    """A page of the timeline of a company or a lead, newest first.

    home: the workspace whose stored lines give the orders (None: no orders); kinds: only these of `KINDS`; as_of:
    only what came before that day. What `actor` may not see is not in it and not counted; personal texts and amounts
    of cost are blank for whom may not see those. Raises BadParameter for an unknown kind or page.
    """
    wanted = list(KINDS) if kinds is None else list(kinds)
    if unknown := [kind for kind in wanted if kind not in KINDS]:
        raise BadParameter(
            say("There is no kind {kind}; there are: {kinds}.", kind=unknown[0], kinds=list(KINDS))
        )
    if page < 1 or size < 1:
        raise BadParameter(say("Pages count from 1."))
    rights.demand(actor, "read", of)
    orders = (
        _orders(home, of, as_of) if ORDER in wanted and home is not None and isinstance(of, m.Company) else []
    )
    keys: list[tuple[date, str, int]] = [(entry.day, ORDER, n) for n, entry in enumerate(orders)]
    counts = {ORDER: len(orders)} if orders else {}
    for kind in wanted:
        if kind == ORDER:
            continue
        found = list(_rows(SOURCES[kind], of, as_of, actor).values_list(SOURCES[kind].day, "pk"))
        keys += [(day, kind, pk) for day, pk in found]
        counts |= {kind: len(found)} if found else {}
    place = {kind: n for n, kind in enumerate(KINDS)}
    keys.sort(key=lambda key: (-key[0].toordinal(), place[key[1]], -key[2]))
    pages = max(1, -(-len(keys) // size))
    chosen = keys[(page - 1) * size : page * size]
    return Timeline(_entries(chosen, orders, actor), counts, len(keys), page, pages)


def _rows(source: _Source, of: Any, as_of: date | None, actor: Any) -> Any:
    """The rows of one kind that belong to a company or lead."""
    manager = getattr(source.model, "present", source.model.objects)
    names = {f.name for f in source.model._meta.concrete_fields}
    if isinstance(of, m.Lead):
        mine = Q(pk=of.pk) if source.model is m.Lead else Q(lead=of) if "lead" in names else Q(pk__in=[])
    else:
        mine = Q(**{source.path: of})
        if "lead" in names:
            mine |= Q(company=None, lead__company=of)
    rows = manager.filter(mine, source.only, **{f"{source.day}__isnull": False})
    if as_of is not None:
        rows = rows.filter(**{f"{source.day}__lt": as_of})
    return rights.visible(rows, actor).order_by()


def _entries(keys: list[tuple[date, str, int]], orders: list[Entry], actor: Any) -> list[Entry]:
    """Entries of the keys, in their order; one query per kind."""
    by_kind: dict[str, list[int]] = {}
    for _, kind, pk in keys:
        by_kind.setdefault(kind, []).append(pk)
    found: dict[tuple[str, int], Entry] = {(ORDER, n): orders[n] for n in by_kind.pop(ORDER, [])}
    days = {(kind, pk): day for day, kind, pk in keys}
    for kind, ids in by_kind.items():
        source = SOURCES[kind]
        for row in rights.rows(source.model._base_manager.filter(pk__in=ids), actor):
            key = (kind, row["id"])
            told = {name: value if value is not None else "" for name, value in source.entry(row).items()
                    if name != "amount"}  # fmt: skip
            amount = source.entry(row).get("amount")
            record = (source.model.__name__, row["id"])
            found[key] = Entry(days[key], kind, amount=amount, record=record, **told)
    return [found[kind, pk] for _, kind, pk in keys if (kind, pk) in found]


def _orders(home: Home, company: Any, as_of: date | None) -> list[Entry]:
    """Orders and credit notes of a company, those of its duplicates with it, one entry per number and day."""
    from klientel.engine import connect
    from klientel.web.imports import heads, lines
    from klientel.web.imports.models import Snapshot

    snapshot = Snapshot.objects.order_by("-number").first()
    if snapshot is None:
        return []
    stored, columns = heads.seen(home, snapshot.facts, snapshot.book.get(lines.LINES, {}))
    if not stored or not {"customer_id", "day", "amount"} <= columns:
        return []
    order = "CAST(order_id AS VARCHAR)" if "order_id" in columns else "NULL"
    currency = "any_value(currency)" if "currency" in columns else "''"
    before = " AND day < $before" if as_of is not None else ""
    values = {"numbers": _numbers(company)} | ({"before": as_of} if as_of is not None else {})
    found = connect(None).connection.con.execute(
        f"SELECT day, {order} AS number, sum(amount) AS amount, {currency} AS currency FROM ({stored}) "  # noqa: S608 - names are ours
        "WHERE CAST(customer_id AS VARCHAR) IN (SELECT unnest($numbers)) AND day IS NOT NULL"
        f"{before} GROUP BY 1, 2 ORDER BY 1, 2",
        values,
    )
    return [
        Entry(day, ORDER, number or "", amount=amount, currency=unit or "", number=number or "")
        for day, number, amount, unit in found.fetchall()
    ]


def _numbers(company: Any) -> list[str]:
    """The company's number and those that it follows as a whole, through chains of duplicates and mergers."""
    found = [company.number]
    new = found
    while new:
        before = (
            m.Succession.objects.filter(to_id__in=new).exclude(share__lt=1).values_list("from_id", flat=True)
        )
        new = [number for number in before if number not in found]
        found = [*found, *new]
    return found
