"""Lens 2: who left, came and stayed, and which factor changed the revenue."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from klientel.words import mark


def changes(sums: dict[str, Any]) -> Any:
    """The three groups of lens 2 with their revenue in both windows, as an Arrow table."""
    import pyarrow as pa

    names = [mark("left"), mark("came"), mark("stayed")]
    groups = [sums["groups"][name] for name in names]
    rest = sums["groups"]["neither"]
    if rest["revenue_now"] or rest["revenue_then"]:  # credit notes of customers who ordered in neither window
        names.append(mark("credit notes only"))
        groups.append(rest)
    before, after = ([money(g[f"revenue_{w}"]) for g in groups] for w in ("then", "now"))
    exact = pa.decimal128(38, 4)
    return pa.table(
        {
            "group": names,
            "customers": pa.array([_moved(n, g) for n, g in zip(names, groups, strict=True)], pa.int64()),
            "before": pa.array(before, exact),
            "after": pa.array(after, exact),
            "change": pa.array([x - y for x, y in zip(after, before, strict=True)], exact),
        }
    )


def _moved(name: str, group: dict[str, Any]) -> int:
    return 0 if name == "credit notes only" else int(group["all"])


def drivers(sums: dict[str, Any]) -> tuple[Any, Any]:
    """Bridges of lens 2: all customers by four factors, those who stayed by two."""
    stayed = sums["groups"]["stayed"]
    came, left = sums["groups"]["came"]["all"], sums["groups"]["left"]["all"]
    active = {"then": stayed["all"] + left, "now": stayed["all"] + came}
    known = {"then": sums["known_before"], "now": sums["customers"]}
    factors = []
    for w in ("then", "now"):
        orders, revenue = float(sums[f"orders_{w}"]), float(sums[f"revenue_{w}"])
        whole = bool(known[w] and active[w] and orders)
        chain = (known[w], active[w] / known[w], orders / active[w], revenue / orders) if whole else ()
        factors.append(chain)
    titles = (mark("customers"), mark("share active"), mark("orders per active"), mark("value per order"))
    every = _factor_bridge(titles, factors, money(sums["revenue_then"]), money(sums["revenue_now"]))
    pairs = []
    for w in ("then", "now"):
        orders = float(stayed[f"orders_{w}"])
        pairs.append((orders, float(stayed[f"revenue_{w}"]) / orders) if orders else ())
    ends = (money(stayed["revenue_then"]), money(stayed["revenue_now"]))
    return every, _factor_bridge((mark("number of orders"), titles[3]), pairs, *ends)


def _factor_bridge(titles: tuple[str, ...], factors: list[Any], before: Decimal, after: Decimal) -> Any:
    """Opening, one step per factor, closing; one step "change" where a window has no orders to split by."""
    import pyarrow as pa

    from klientel.stats.decomposition import settle, split_change

    steps: list[tuple[str, float | None, float | None, Decimal]] = [(mark("opening"), None, None, before)]
    if all(factors):
        pieces = settle(split_change(*factors), after - before)
        steps += list(zip(titles, *factors, pieces, strict=True))
    elif before or after:
        steps.append((mark("change"), None, None, after - before))
    steps.append((mark("closing"), None, None, after))
    columns = list(zip(*steps, strict=True))
    return pa.table(
        {
            "step": list(columns[0]),
            "before": pa.array(columns[1], pa.float64()),
            "after": pa.array(columns[2], pa.float64()),
            "amount": pa.array(columns[3], pa.decimal128(38, 4)),
        }
    )


def money(value: Any) -> Decimal:
    """The value as a decimal; 0 for none."""
    return Decimal(value or 0)
