"""Portfolios: the customers that work with the company on a day, by rule or by hand; who joined, who left, and why.

A portfolio is tied to a sales person. A rule names attributes and their values; memberships by hand add customers or
keep them out, from a day to a day. Leads, prospects, former customers and partners are outside, whatever a rule says
(handbook G2); whoever answers for the portfolio sees them all the same (docs/rights.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.words import Sentence, Word, mark, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from klientel.book import Book

INSIDE = ("active", "reactivated")
REASONS: dict[str, Word] = {
    "became_active": mark("became a customer"),
    "came_back": mark("came back"),
    "lapsed": mark("no longer works with the company"),
    "outside": mark("is a partner or was set to another status"),
    "owner_changed": mark("owner changed"),
    "attribute_changed": mark("attribute changed"),
    "by_hand": mark("by hand"),
    "rule_changed": mark("not known before"),
}


@dataclass(frozen=True)
class Member:
    """A customer in a portfolio: how it came in ("rule" or "hand") and why it counts as a customer."""

    number: str
    name: str
    how: str
    status: str
    status_reason: str


@dataclass(frozen=True)
class Move:
    """A customer that joined or left between two days: a key of `REASONS`, and the reason in words."""

    number: str
    name: str
    joined: bool
    reason: str
    told: Word | Sentence


@dataclass(frozen=True)
class _State:
    """What decides whether a customer is in a portfolio, on one day."""

    name: str
    status: str
    status_reason: str
    fits: bool
    hand: str  # "in", "out" or ""
    why: str
    values: tuple[tuple[str, str | None], ...]

    @property
    def chosen(self) -> bool:
        """True if rule or hand take it, whatever its status."""
        return self.hand == "in" or (self.fits and self.hand != "out")

    @property
    def inside(self) -> bool:
        """True if it is a member."""
        return self.chosen and self.status in INSIDE


def members(book: Book, portfolio: Any) -> list[Member]:
    """The members of a portfolio on the as-of date of a Book, by number.

    What counts is the state at the end of the last day before the as-of date: attributes, owner and status as the
    Book has them, memberships by hand that hold on that day. Open the Book as of another day for another day.
    """
    return [
        Member(number, s.name, "hand" if s.hand == "in" else "rule", s.status, s.status_reason)
        for number, s in sorted(_states(book, portfolio).items())
        if s.inside
    ]


def book_of(book: Book, portfolio: Any) -> Book:
    """The Book of a portfolio: of its members and its sales person, on the Book's as-of date."""
    owner = frozenset([portfolio.owner.number]) if portfolio.owner is not None else frozenset()
    return rights.only(book, frozenset(m.number for m in members(book, portfolio)), owner)


def moves(before: Book, after: Book, portfolio: Any) -> list[Move]:
    """Who joined and who left a portfolio between the as-of dates of two Books, with the reason; joiners first."""
    then, now = _states(before, portfolio), _states(after, portfolio)
    found = []
    for number in sorted({*then, *now}):
        old, new = then.get(number), now.get(number)
        was, is_in = old is not None and old.inside, new is not None and new.inside
        if was == is_in:
            continue
        some = new or old
        assert some is not None
        reason, told = _joined(old, new) if is_in and new is not None else _left(old, new)
        found.append(Move(number, some.name, is_in, reason, told))
    return sorted(found, key=lambda m: (not m.joined, m.number))


def _joined(old: _State | None, new: _State) -> tuple[str, Word | Sentence]:
    if new.hand == "in" and (old is None or old.hand != "in"):
        return "by_hand", _by_hand(new.why)
    if old is not None and old.hand == "out":
        return "by_hand", _by_hand("")
    if old is None or old.chosen:
        return ("came_back" if old is not None and old.status == "former" else "became_active"), _of_status(
            new
        )
    return _of_values(old, new)


def _left(old: _State | None, new: _State | None) -> tuple[str, Word | Sentence]:
    assert old is not None
    if new is None:
        return "lapsed", REASONS["lapsed"]
    if new.hand == "out" or (old.hand == "in" and new.hand != "in" and not new.fits):
        return "by_hand", _by_hand(new.why)
    if not new.chosen:
        return _of_values(old, new)
    return ("lapsed" if new.status == "former" else "outside"), _of_status(new)


def _by_hand(why: str) -> Word | Sentence:
    return say("by hand: {why}", why=why) if why else REASONS["by_hand"]


def _of_status(state: _State) -> Sentence:
    from klientel.status import REASONS as CAUSES
    from klientel.status import STATUSES

    return say(
        "{status}: {why}",
        status=STATUSES.get(state.status, state.status),
        why=CAUSES.get(state.status_reason, state.status_reason),
    )


def _of_values(old: _State, new: _State) -> tuple[str, Word | Sentence]:
    """The attribute of the rule that is different, the owner first."""
    was = dict(old.values)
    changed = [(a, was.get(a), v) for a, v in new.values if was.get(a) != v]
    changed.sort(key=lambda c: c[0] != "owner_rep_id")
    if not changed:
        return "rule_changed", REASONS["rule_changed"]
    attribute, then, now = changed[0]
    told = say("{attribute}: {then} → {now}", attribute=_title(attribute), then=then or "–", now=now or "–")
    return ("owner_changed" if attribute == "owner_rep_id" else "attribute_changed"), told


def _title(attribute: str) -> str:
    from klientel.schema import TABLES

    customer = TABLES["customer"]
    return customer.field(attribute).title if attribute in customer.names() else attribute


def _states(book: Book, portfolio: Any) -> dict[str, _State]:
    """Every customer of the Book that rule or hand speak of."""
    hands = _hands(portfolio, book.as_of)
    rule: Mapping[str, Any] = portfolio.rule or {}
    if not (rule or hands) or not book.columns("customers"):
        return {}
    customers = book.customers
    named = [a for a in rule if a in customers.columns]
    whole = len(named) == len(rule) and bool(rule)
    columns = dict.fromkeys(["customer_id", "name", "status", "status_reason", *named])
    found = {}
    for row in customers.select(*columns).to_pyarrow().to_pylist():
        number = str(row["customer_id"])
        values = tuple((a, None if row[a] is None else str(row[a])) for a in named)
        fits = whole and all(v in {str(w) for w in rule[a]} for a, v in values)
        hand, why = hands.get(number, ("", ""))
        state = (row["name"] or number, row["status"], row["status_reason"], fits, hand, why, values)
        found[number] = _State(*state)
    return found


def _hands(portfolio: Any, as_of: date | None) -> dict[str, tuple[str, str]]:
    """Customers in or out by hand at the end of the day before: number -> ("in" or "out", why).

    Where both hold, the one that begins later counts, then the one that was entered later. A membership that ended
    on or before that day is told with the reason why it ended.
    """
    last = (as_of or date.max) - timedelta(days=1)
    found: dict[str, tuple[str, str]] = {}
    ended: dict[str, date] = {}
    rows = portfolio.members.select_related("company").order_by("pk")
    for row in sorted(rows, key=lambda r: (r.valid_from or date.min, r.pk)):
        if row.valid_from is not None and row.valid_from > last:
            continue
        number = row.company.number
        if row.valid_to is None or row.valid_to > last:
            found[number] = ("out" if row.excluded else "in", row.reason)
        elif found.get(number, ("", ""))[0] == "" and row.valid_to >= ended.get(number, date.min):
            found[number], ended[number] = ("", row.reason_left), row.valid_to  # why the last of them ended
    return found


def reaching(company: Any, day: date, *, actor: Any = None) -> list[Any]:
    """The portfolios that a person sees and that reach a customer by rule or by hand on a day, by name.

    By hand counts before the rule, and what begins later before what began earlier, as in `members`; whether the
    customer works with the company now does not matter here.
    """
    from klientel.web.records.models import Membership, Portfolio
    from klientel.web.rights.members import fits

    hands: dict[int, bool] = {}
    rows = Membership.objects.filter(company=company)
    for row in sorted(rows, key=lambda r: (r.valid_from or date.min, r.pk)):
        if (row.valid_from is None or row.valid_from <= day) and (row.valid_to is None or row.valid_to > day):
            hands[row.portfolio_id] = not row.excluded
    known = rights.visible(Portfolio.objects.select_related("owner").order_by("name"), actor)
    return [one for one in known if hands.get(one.pk, fits(company, one.rule))]


# -- writing ---------------------------------------------------------------------------------------


def create(actor: Any, name: str, owner: Any, rule: dict[str, list[Any]] | None, at: datetime) -> Any:
    """A new portfolio of a sales person. Raises BadParameter for a name that is none or taken or a rule that cannot
    be meant, NotAllowed.

    A rule widens what its sales person sees, so it takes the right to change everybody's customers.
    """
    from klientel.web.records import changes
    from klientel.web.records.models import Portfolio

    rights.demand(actor, "write", Portfolio(owner=owner))
    name = _free_name(name)
    check_rule(rule or {})
    if rule:
        rights.demand_all(actor, "write")
    values = {"name": name, "owner_id": owner.pk if owner is not None else None, "rule": rule or {}}
    return changes.create(Portfolio, values, actor, "edit", at)


def _free_name(name: str, but: int | None = None) -> str:
    """A name as it is kept; raises BadParameter for none, and for one that another portfolio has."""
    from klientel.web.records.models import Portfolio

    name = " ".join(name.split())[:200]
    if not name:
        raise BadParameter(say("A portfolio needs a name."))
    if Portfolio.objects.filter(name=name).exclude(pk=but).exists():
        raise BadParameter(say("There is a portfolio “{name}” already.", name=name))
    return name


def rename(actor: Any, portfolio: Any, name: str, at: datetime, *, act: str = "") -> None:
    """Call a portfolio something else. Raises BadParameter for a name that is none or taken, NotAllowed.

    act: the act that this belongs to, by which it can be taken back.
    """
    from klientel.web.records import changes

    rights.demand(actor, "write", portfolio)
    changes.update(portfolio, {"name": _free_name(name, portfolio.pk)}, actor, "edit", at, act=act)


def change_rule(actor: Any, portfolio: Any, rule: dict[str, list[Any]], at: datetime) -> None:
    """Give a portfolio another rule; raises as `create`."""
    from klientel.web.records import changes

    rights.demand(actor, "write", portfolio)
    check_rule(rule)
    rights.demand_all(actor, "write")
    changes.update(portfolio, {"rule": rule}, actor, "edit", at)


def put_in(
    actor: Any,
    portfolio: Any,
    company: Any,
    at: datetime,
    *,
    since: date | None = None,
    until: date | None = None,
    excluded: bool = False,
    reason: str = "",
) -> Any:
    """Put a customer into a portfolio by hand, or keep it out of what the rule takes, from a day to a day."""
    from klientel.web.records import changes
    from klientel.web.records.models import Membership

    rights.demand(actor, "write", portfolio, company)
    if since is not None and until is not None and until <= since:
        raise BadParameter(
            say("A membership ends after it begins: {since} – {until}.", since=since, until=until)
        )
    values = {
        "portfolio_id": portfolio.pk, "company_id": company.pk, "valid_from": since, "valid_to": until,
        "excluded": excluded, "reason": reason,
    }  # fmt: skip
    return changes.create(Membership, values, actor, "edit", at)


def take_out(actor: Any, membership: Any, on: date, at: datetime, *, reason: str = "") -> None:
    """End a membership by hand on a day, with the reason."""
    from klientel.web.records import changes

    rights.demand(actor, "write", membership.portfolio, membership)
    changes.update(membership, {"valid_to": on, "reason_left": reason}, actor, "edit", at)


def check_rule(rule: Mapping[str, Any]) -> None:
    """Raise BadParameter unless a rule is {attribute: [values]} over attributes of customers."""
    from klientel.web.rights.members import check_condition

    for attribute, values in rule.items():
        check_condition(attribute, values)
