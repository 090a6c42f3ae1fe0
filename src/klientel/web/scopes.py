"""Parts of what a person may see: a team, a sales person, a portfolio, a segment; they narrow a Book.

A part is written as text, so that an address holds it: `rep:R1`, `team:3`, `portfolio:2`,
`segment:industry_code=Bau` (an attribute of customers and its value), `customer:C1`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from klientel.attribute import attribute_text, attribute_title
from klientel.errors import BadParameter, nearest
from klientel.schema import attributes
from klientel.web import portfolios, rights
from klientel.words import Word, say

if TYPE_CHECKING:
    from klientel.book import Book

KINDS = ("team", "rep", "portfolio", "segment", "customer")


@dataclass(frozen=True)
class Scope:
    """A part that was found; `title` names it, in the words of the data."""

    text: str
    title: str
    key: str
    within: Callable[[Book], Book] = field(compare=False)

    def narrow(self, book: Book) -> Book:
        """The Book of the part (see `results.Part`)."""
        return self.within(book)


def find(text: str, actor: Any) -> Scope | None:
    """The part that a text names; None for "", which is everything that `actor` may see.

    Raises BadParameter for what cannot be a part, or one that `actor` may not see: the two are told alike.
    """
    if not text:
        return None
    kind, _, of = text.partition(":")
    if kind not in KINDS or not of:
        raise BadParameter(say("{text} is no part of the customers.", text=repr(text)))
    made: dict[str, Callable[[str, Any], Scope | None]] = {
        "team": _team, "rep": _rep, "portfolio": _portfolio, "segment": _segment, "customer": _customer,
    }  # fmt: skip
    found = made[kind](of, actor)
    if found is None:
        raise BadParameter(say("{text} is no part of the customers.", text=repr(text)))
    return found


def choices(actor: Any) -> dict[str, list[tuple[str, str]]]:
    """The parts that `actor` may choose: kind -> [(text, title)]; segments are named by attribute and value."""
    from klientel.web.accounts.models import Team
    from klientel.web.records.models import Portfolio, Rep

    teams = rights.visible(Team.objects.order_by("name"), actor)
    reps = rights.visible(Rep.present.order_by("name", "first_name"), actor)
    held = rights.visible(Portfolio.objects.order_by("name"), actor)
    return {
        "team": [(f"team:{team.pk}", team.name) for team in teams],
        "rep": [(f"rep:{rep.number}", name_of(rep)) for rep in reps],
        "portfolio": [(f"portfolio:{one.pk}", one.name) for one in held],
    }


def name_of(rep: Any) -> str:
    """A sales person's name, or number without one."""
    return f"{rep.first_name} {rep.name}".strip() or str(rep.number)


def _key(text: str) -> bool:
    """True if a text can be the key of a record: ASCII digits that a database takes."""
    return text.isascii() and text.isdecimal() and len(text) < 19


def _rep(number: str, actor: Any) -> Scope | None:
    from klientel.web.records.models import Rep

    rep = rights.visible(Rep.objects.filter(number=number), actor).first()
    if rep is None:
        return None
    return Scope(f"rep:{number}", name_of(rep), f"owners:{number}", _owned([number]))


def _team(pk: str, actor: Any) -> Scope | None:
    """The customers of everybody in the team and the teams below."""
    from klientel.web.accounts.models import Team
    from klientel.web.rights.people import in_teams, teams_below

    found = rights.visible(Team.objects.filter(pk=pk), actor).first() if _key(pk) else None
    if found is None:
        return None
    numbers = sorted(rep.number for rep in in_teams([found, *teams_below(found)]))
    return Scope(f"team:{pk}", found.name, "owners:" + "\x1f".join(numbers), _owned(numbers))


def _portfolio(pk: str, actor: Any) -> Scope | None:
    from klientel.web.records.models import Portfolio

    query = Portfolio.objects.select_related("owner").filter(pk=pk) if _key(pk) else None
    found = rights.visible(query, actor).first() if query is not None else None
    if found is None:
        return None
    return Scope(
        f"portfolio:{pk}", found.name, f"portfolio:{pk}", lambda book: portfolios.book_of(book, found)
    )


def _segment(text: str, _actor: Any) -> Scope | None:
    attribute, sign, value = text.partition("=")
    if not sign:
        return None
    title = say("{attribute}: {value}", attribute=Word(attribute_title(attribute)), value=value or "–")
    return Scope(f"segment:{text}", title, f"segment:{text}", _with_value(attribute, value))


def _customer(number: str, actor: Any) -> Scope | None:
    from klientel.web.records.models import Company

    found = rights.visible(Company.objects.filter(number=number), actor).first()
    if found is None:
        return None
    ids = frozenset([number])
    return Scope(
        f"customer:{number}",
        found.name or number,
        f"customer:{number}",
        lambda book: rights.only(book, ids, frozenset()),
    )


def _owned(numbers: list[str]) -> Callable[[Book], Book]:
    """Narrows to the customers that these sales people own on the Book's as-of date."""

    def narrow(book: Book) -> Book:
        ids = _ids(book, "owner_rep_id", numbers)
        return _told(rights.only(book, ids, frozenset(numbers)), "owner_rep_id", numbers)

    return narrow


def _with_value(attribute: str, value: str) -> Callable[[Book], Book]:
    def narrow(book: Book) -> Book:
        known = attributes(book.columns("customers"))  # none that would tell personal data
        if attribute not in known:
            near = nearest(attribute, known)
            hint = say("did you mean {near}?", near=near) if near else say("there are: {names}.", names=known)
            raise BadParameter(say("Customers have no attribute {name}; {hint}", name=attribute, hint=hint))
        return _told(rights.only(book, _ids(book, attribute, [value]), frozenset()), attribute, [value])

    return narrow


def _ids(book: Book, attribute: str, values: list[str]) -> frozenset[str]:
    """The customers with one of the values of an attribute; "" means that there is none."""
    import ibis

    columns = book.columns("customers")
    if attribute not in columns:
        return frozenset()
    customers = book.customers if attribute in ("status", "status_reason") else book.known_customers
    text = ibis.coalesce(attribute_text(customers[attribute]), "")
    found = customers.filter(text.isin(values)).select("customer_id").to_pyarrow()
    return frozenset(str(number) for number in found["customer_id"].to_pylist())


def _told(book: Book, attribute: str, values: list[str]) -> Book:
    """The recipe of an answer says how the Book was narrowed."""
    wanted: Any = values[0] if len(values) == 1 else values
    return replace(book, options={**book.options, "narrow": {attribute: wanted}})
