"""Mergers, splits, duplicates, groups and partners: which customer a line belongs to (handbook G11, G2)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from klientel.errors import BadFile
from klientel.status import PARTNERS
from klientel.words import say

if TYPE_CHECKING:
    import ibis.expr.types as ir

_AMOUNTS = ("amount", "qty", "margin")


def succeed(lines: ir.Table, succession: ir.Table | None, as_of: date | None) -> ir.Table:
    """Lines of merged, split or duplicate customers under the customers that followed them.

    As if merged always; a succession valid from `as_of` or later is not known yet and does not count.
    Splits share amounts by `share`. Raises BadFile if successions run in a circle.
    """
    import ibis

    if succession is None:
        return lines
    rows = [row for row in succession.to_pyarrow().to_pylist() if _in_force(row, as_of)]
    if not rows:
        return lines
    heirs = resolve([(str(r["from_id"]), str(r["to_id"]), Decimal(str(r.get("share") or 1))) for r in rows])
    flat = [{"heir_of": a, "heir": b, "part": str(s)} for a, targets in heirs.items() for b, s in targets]
    table = ibis.memtable(flat)
    joined = lines.mutate(customer_id=lines.customer_id.cast("string"))
    joined = joined.left_join(table, joined.customer_id == table.heir_of)
    part = joined.part.cast("decimal(18, 6)")  # Ibis multiplies decimals of the same type only
    shared = {
        c: joined.part.isnull().ifelse(
            joined[c], (joined[c].cast("decimal(18, 6)") * part).round(4).cast("decimal(18, 4)")
        )
        for c in _AMOUNTS
        if c in lines.columns and any(s != 1 for targets in heirs.values() for _, s in targets)
    }
    joined = joined.mutate(customer_id=ibis.coalesce(joined.heir, joined.customer_id), **shared)
    return joined.drop("heir_of", "heir", "part")


def _in_force(row: dict[str, Any], as_of: date | None) -> bool:
    since = row.get("valid_from")
    return since is None or as_of is None or since < as_of


def resolve(steps: list[tuple[str, str, Decimal]]) -> dict[str, list[tuple[str, Decimal]]]:
    """Last heirs with their shares of every customer that ended, through chains of mergers.

    Raises BadFile if the chain comes back to where it began.
    """
    direct: dict[str, list[tuple[str, Decimal]]] = defaultdict(list)
    for start, end, share in steps:
        if start != end:
            direct[start].append((end, share))

    def follow(customer: str, share: Decimal, seen: tuple[str, ...]) -> list[tuple[str, Decimal]]:
        if customer in seen:
            raise BadFile(
                say("The customer succession runs in a circle: {chain}.", chain=" → ".join((*seen, customer)))
            )
        if customer not in direct:
            return [(customer, share)]
        return [x for end, s in direct[customer] for x in follow(end, share * s, (*seen, customer))]

    return {customer: follow(customer, Decimal(1), ()) for customer in direct}


def to_groups(lines: ir.Table, customers: ir.Table | None) -> ir.Table:
    """Lines under the group (or parent company) of their customer, where one is known."""
    import ibis

    if customers is None:
        return lines
    names = [c for c in ("group_id", "parent_customer_id") if c in customers.columns]
    if not names:
        return lines
    heads = customers.select(member=customers.customer_id, head=ibis.coalesce(*(customers[c] for c in names)))
    heads = heads.filter(heads["head"].notnull())
    joined = lines.mutate(customer_id=lines.customer_id.cast("string"))
    joined = joined.left_join(heads, joined.customer_id == heads.member)
    return joined.mutate(customer_id=ibis.coalesce(joined["head"], joined.customer_id)).drop("member", "head")


def without_partners(lines: ir.Table, customers: ir.Table | None) -> ir.Table:
    """Lines without those of partners and suppliers, which are never part of the portfolio (G2)."""
    if customers is None or "relation_type" not in customers.columns:
        return lines
    partners = customers.filter(customers.relation_type.lower().isin(PARTNERS)).select(partner="customer_id")
    return lines.anti_join(partners, [lines.customer_id.cast("string") == partners.partner])
