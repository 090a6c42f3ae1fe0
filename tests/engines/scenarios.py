"""Books that every engine has to answer alike: the small firm, the cast, and what stands at the edges."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal as D
from functools import cache
from typing import Any

import pyarrow as pa

import cast
import klientel
import test_contract as contract
from klientel.analyses import ANALYSES
from klientel.answer import lacking

BOOKS: dict[str, Callable[..., Any]] = {}
OTHER_PARAMETERS: dict[str, list[dict[str, Any]]] = {
    # name -> calls beside the default one
    "abc": [{"window": "all", "rule": "after"}, {"value": "margin"}],
    "concentration": [{"window": 24}],
    "xyz": [{"window": "all"}],
    "rfm": [{"window": "all"}],
    "cohorts": [],
    "retention": [{"window": 24}],
    "movement": [{"window": 6}],
    "lifetime": [{"pauses": "bridged"}, {"basis": "contracts"}],
    "lifetime_value": [{"business": "contracts"}],
}


def _book(make: Callable[..., Any]) -> Callable[..., Any]:
    BOOKS[make.__name__] = make
    return make


def _firm(rows: list[dict[str, Any]], engine: str | None, as_of: date = date(2025, 1, 1)) -> Any:
    opened = klientel.open_book
    try:
        # the contract's firm opens its Book on the engine that is asked for
        klientel.open_book = lambda source, **how: opened(source, engine=engine, **how)
        return contract.small_book(rows, as_of)
    finally:
        klientel.open_book = opened


@_book
def small_firm(engine: str | None) -> Any:
    return _firm(contract.lines_of_a_small_firm(), engine)


@_book
def the_cast(engine: str | None) -> Any:
    return cast.book(engine=engine)


@_book
def shuffled(engine: str | None) -> Any:
    rows = contract.lines_of_a_small_firm()
    random.Random(5).shuffle(rows)
    return _firm(rows, engine)


@_book
def early(engine: str | None) -> Any:
    """As of a day in the middle: half of the rows are not known yet."""
    return _firm(contract.lines_of_a_small_firm(), engine, date(2023, 7, 1))


@_book
def before_everything(engine: str | None) -> Any:
    return _firm(contract.lines_of_a_small_firm(), engine, date(2000, 1, 1))


@_book
def one_line(engine: str | None) -> Any:
    return _firm(contract.lines_of_a_small_firm()[:1], engine)


@_book
def all_equal(engine: str | None) -> Any:
    one = [r for r in contract.lines_of_a_small_firm() if r["customer_id"] == "C01"]
    rows = [
        dict(r, customer_id=f"T{k}", customer_name=f"T{k}", order_id=f"{k}-{r['order_id']}")
        for k in range(6)
        for r in one
    ]
    return _firm(rows, engine)


@_book
def long_history(engine: str | None) -> Any:
    """More than five years: months in several words; names that languages sort in other ways than bytes."""
    names = ["Ärzte GmbH", "Zebra AG", "abc KG", "ABC", "Öl & Co", "ß-Werk", "a-1", "A 1", "_x", "Übel"]
    chance = random.Random(11)
    rows = []
    for c, name in enumerate(names):
        day = date(2012, 1, 5) + timedelta(days=37 * c)
        number = 0
        while day < date(2025, 1, 1):
            amount = D(chance.randrange(100, 90_000)) / 100
            rows.append(
                {
                    "order_id": f"{c}-{number}", "customer_id": name, "customer_name": name, "order_date": day,
                    "product_id": "P", "qty": D(1), "net_amount": amount, "direct_cost": amount / 2,
                    "industry": name[0], "owner": "anna",
                }
            )  # fmt: skip
            day += timedelta(days=chance.randrange(20, 400))
            number += 1
    for row in rows:
        row["direct_cost"] = row["direct_cost"].quantize(D("0.01"))
    return _firm(rows, engine)


@_book
def demo_firm(engine: str | None) -> Any:
    """The simulated firm with contracts, credit notes and opportunities, read from its files."""
    import tempfile
    from pathlib import Path

    from klientel.demo import simulate, write

    with tempfile.TemporaryDirectory() as home:
        write(simulate(seed=3, customers=60), Path(home), lang="en")
        return klientel.open_book(home, engine=engine)


@_book
def contracts_alone(engine: str | None) -> Any:
    """Contracts with months since the start and no dated sales."""
    chance = random.Random(8)
    rows = []
    for c in range(400):
        kind, lost = ("free", 0.08) if c % 2 else ("bound", 0.01)
        known, stays = chance.randrange(1, 40), 1
        while stays < known and chance.random() > lost:
            stays += 1
        rows.append(
            {"contract_id": f"K{c}", "customer_id": f"C{c}", "type": kind, "tenure_months": stays,
             "ended": stays < known, "recurring_amount": D(chance.randrange(100, 9_000)) / 100}
        )  # fmt: skip
    return klientel.open_book({"project_contract": pa.Table.from_pylist(rows)}, engine=engine)


@cache
def expected(book: str) -> Any:
    """The Book on the embedded engine; its answers are what the others are held against."""
    return BOOKS[book](None)


@cache
def answer(book: str, name: str, call: int) -> Any:
    """The answer of the embedded engine to the call of that number."""
    return klientel.analyse(expected(book), name, **calls(name)[call])


def calls(name: str) -> list[dict[str, Any]]:
    """The parameters that an analysis is called with: the default ones first."""
    return [{}, *OTHER_PARAMETERS.get(name, [])]


def answerable(book: str, name: str) -> bool:
    """True if the Book has what the analysis needs."""
    return lacking(expected(book), ANALYSES[name]) is None
