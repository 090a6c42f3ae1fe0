"""Product groups, or products, that a customer bought regularly and buys no more (B14 iii, reasons in words)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any

from klientel.analyses.churn_risk.watch import HALF

if TYPE_CHECKING:
    import ibis.expr.types as ir

QUARTERS, OFTEN = 4, 3  # quarters of the year before, and in how many of them a group must have been bought
DAYS = (
    6  # order days in that year: were it to go on, half a year without one comes by chance in e^-3, under 5 %
)
WEIGHTY = 0.1  # share of the value of that year from which losing groups is a reason
_NAMED = 3  # groups named, those of the most value
_KNOWN = 0.5  # share of the value that must have a group (G8)
_SUM = "decimal(38, 4)"


@dataclass(frozen=True)
class Lost:
    """Per customer_id: lost_groups (how many), lost_names (the largest), lost_share of the value of the year before.

    Only customers who lost one and bought something else in the last half year. by_group: False where only
    products are known.
    """

    customers: ir.Table
    by_group: bool


def lost(
    lines: ir.Table | None,
    products: ir.Table | None,
    groups: ir.Table | None,
    origin: date,
    first_day: date | None,
) -> Lost | None:
    """What customers stopped buying, as known before `origin`; None where nothing can be said.

    Regular: bought on at least 6 days and with net value above zero in at least 3 of the 4 quarters of the year
    that ended half a year before `origin`. Lost: no sale in the half year since, while others still buy it
    (what nobody buys any more was taken off the market, or renamed). None without products, with a history of
    less than a year and a half, or where groups (products) are known for less than half of the value.
    """
    recent = origin - timedelta(days=HALF)
    begin = recent - timedelta(days=365)
    if lines is None or first_day is None or first_day > begin:
        return None
    seen = lines.filter((lines.day >= begin) & (lines.day < origin))
    found = _grouped(seen, products, groups)
    if found is None:
        return None
    sold, by_group = found
    each = _each(sold, begin, recent)
    return Lost(_of_customers(_gone(each)), by_group)


def _grouped(
    seen: ir.Table, products: ir.Table | None, groups: ir.Table | None
) -> tuple[ir.Table, bool] | None:
    """The lines with `_key` and `_name` of their product group, else of their product; None if neither is known.

    Lines of which it is not known have neither: they only count for what a customer buys in all.
    """
    import ibis

    none = ibis.null("string")
    has_product = "product_id" in seen.columns
    table = seen.mutate(
        _group=seen.product_group_id.cast("string") if "product_group_id" in seen.columns else none,
        _product=seen.product_id.cast("string") if has_product else none,
    )
    product_name = none
    if has_product and products is not None and "product_id" in products.columns:
        columns = {
            f"_{new}": products[old].cast("string").max() if old in products.columns else none
            for new, old in (("listed", "product_group_id"), ("called", "name"))
        }
        known = products.group_by(_p=products.product_id.cast("string")).agg(**columns)
        table = table.left_join(known, table._product == known._p).drop("_p")
        table = table.mutate(_group=ibis.coalesce(table._group, table._listed))
        product_name = table._called
    table = table.mutate(_product_name=product_name)
    sales = (table.amount > 0).ifelse(table.amount, 0)
    sums = (
        table.agg(
            all=sales.sum().cast(_SUM),
            groups=table._group.notnull().ifelse(sales, 0).sum().cast(_SUM),
            products=table._product.notnull().ifelse(sales, 0).sum().cast(_SUM),
        )
        .to_pyarrow()
        .to_pylist()[0]
    )
    if not sums["all"]:
        return None
    for by_group, key, share in ((True, "_group", sums["groups"]), (False, "_product", sums["products"])):
        if float(share or 0) >= _KNOWN * float(sums["all"]):
            kept = table.mutate(_key=table[key], _name=none if by_group else table._product_name)
            if by_group and groups is not None and {"product_group_id", "name"} <= set(groups.columns):
                told = groups.group_by(_g=groups.product_group_id.cast("string")).agg(_said=groups.name.max())
                kept = kept.left_join(told, kept._key == told._g).drop("_g")
                kept = kept.mutate(_name=kept._said)
            return kept.mutate(_name=ibis.coalesce(kept._name, kept._key)), by_group
    return None


def _each(sold: ir.Table, begin: date, recent: date) -> ir.Table:
    """One row per customer and key: name, quarters bought in, value of the year before, bought since."""
    import ibis

    zero = ibis.literal(0).cast(_SUM)
    edges = [begin + timedelta(days=round(365 * k / QUARTERS)) for k in range(QUARTERS)] + [recent]
    sale = sold.amount > 0
    if "is_credit" in sold.columns:
        sale = sale & ~sold.is_credit.fill_null(False)
    quarters = {
        f"_q{k}": ((sold.day >= edges[k]) & (sold.day < edges[k + 1]))
        .ifelse(sold.amount.cast(_SUM), zero)
        .sum()
        .cast(_SUM)
        for k in range(QUARTERS)
    }
    made = sold.group_by("customer_id", "_key").agg(
        _name=sold._name.max(),
        _since=((sold.day >= recent) & sale).cast("int64").max(),
        _days=sold.day.nunique(where=sale & (sold.day < recent)),
        **quarters,
    )
    parts = [made[name] for name in quarters]
    often = reduce(lambda a, b: a + b, [(part > 0).cast("int64") for part in parts])
    return made.select(
        "customer_id",
        "_key",
        "_name",
        "_since",
        "_days",
        _often=often,
        _value=reduce(lambda a, b: a + b, parts),
    )


def _gone(each: ir.Table) -> ir.Table:
    """Keys that a customer bought regularly and no more, while the customer and others go on buying."""
    import ibis

    by_customer = ibis.window(group_by=each.customer_id)
    positive = (each._value > 0).ifelse(each._value, 0)
    table = each.mutate(
        _stays=each._key.notnull().ifelse(each._since, 0).max().over(by_customer),
        _all=positive.sum().over(by_customer),
        _others=each._since.max().over(ibis.window(group_by=each._key)),
    )
    return table.filter(
        table._key.notnull()
        & (table._often >= OFTEN)
        & (table._days >= DAYS)
        & (table._since == 0)
        & (table._stays == 1)
        & (table._others == 1)
    )


def _of_customers(gone: ir.Table) -> ir.Table:
    import ibis

    ranked = gone.mutate(
        _place=ibis.row_number().over(
            ibis.window(group_by=gone.customer_id, order_by=[gone._value.desc(), gone._key])
        )
    )
    names = {f"_n{k}": ranked._name.max(where=ranked._place == k) for k in range(_NAMED)}
    found = ranked.group_by("customer_id").agg(
        lost_groups=ranked.count(), _lost=ranked._value.sum().cast(_SUM), _all=ranked._all.max(), **names
    )
    told: Any = found._n0
    for k in range(1, _NAMED):
        more = found[f"_n{k}"]
        told = more.isnull().ifelse(told, told + ", " + more)
    told = (found.lost_groups > _NAMED).ifelse(told + ", …", told)
    share = (found._lost.cast("float64") / found._all.cast("float64")).round(9)
    return found.select(
        "customer_id", lost_groups=found.lost_groups.cast("int64"), lost_names=told, lost_share=share
    )
