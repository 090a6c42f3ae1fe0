"""What the audit answers with: tables, figures, pictures."""

from __future__ import annotations

from klientel.analysis import Chart, Column, Figure, Table
from klientel.words import mark

CUSTOMERS = Table(
    "customers",
    mark("1 · How different the customers are"),
    (
        Column("customer_id", mark("Customer number"), "key"),
        Column("name", mark("Customer"), "text"),
        Column("revenue", mark("Revenue"), "money", mark("net revenue in the window")),
        Column("orders", mark("Orders"), "count"),
        Column("value_per_order", mark("Value per order"), "money"),
        Column("margin_share", mark("Margin"), "share", mark("of the revenue whose margin is known")),
        Column(
            "decile", mark("Tenth"), "score", mark("1 = the tenth of the customers with the most revenue")
        ),
    ),
)
DECILES = Table(
    "deciles",
    mark("1 · Tenths of the customers"),
    (
        Column(
            "decile", mark("Tenth"), "score", mark("1 = the tenth of the customers with the most revenue")
        ),
        Column("customers", mark("Customers"), "count"),
        Column("revenue", mark("Revenue"), "money"),
        Column("share", mark("Share of revenue"), "share"),
        Column("orders_per_customer", mark("Orders per customer"), "number"),
        Column("value_per_order", mark("Value per order"), "money"),
        Column("margin_share", mark("Margin"), "share", mark("empty where less than half of it is known")),
    ),
    mark("Revenue = customers × orders per customer × value per order. Equal customers are never separated."),
)
CHANGES = Table(
    "changes",
    mark("2 · Who left, came and stayed"),
    (
        Column("group", mark("Group"), "class"),
        Column("customers", mark("Customers"), "count"),
        Column("before", mark("Before"), "money"),
        Column("after", mark("Now"), "money"),
        Column("change", mark("Change"), "money"),
    ),
)
_FACTORS = (
    Column("step", mark("Step"), "class"),
    Column("before", mark("Before"), "number"),
    Column("after", mark("Now"), "number"),
    Column("amount", mark("Amount"), "money", mark("what the step did to revenue")),
)
DRIVERS = Table(
    "drivers",
    mark("2 · What changed the revenue of all customers"),
    _FACTORS,
    mark("Revenue = customers × share active × orders per active × value per order; the pieces add up."),
)
STAYERS = Table(
    "stayers",
    mark("2 · What changed the revenue of those who stayed"),
    _FACTORS,
    mark("Customers who ordered in both windows: more orders, or larger ones? The pieces add up."),
)
LIFE = Table(
    "life",
    mark("3 · One cohort over time"),
    (
        Column("period", mark("Period"), "month"),
        Column("age", mark("Periods later"), "count"),
        Column("size", mark("Customers won"), "count"),
        Column("active", mark("Active"), "count"),
        Column("share", mark("Share active"), "share"),
        Column("share_low", mark("Share, lower limit"), "share"),
        Column("share_high", mark("Share, upper limit"), "share"),
        Column("orders_per_active", mark("Orders per active customer"), "number"),
        Column("value_per_order", mark("Value per order"), "money"),
        Column("revenue", mark("Revenue"), "money"),
    ),
    mark("Complete periods only."),
)
AGES = Table(
    "ages",
    mark("4 · Cohorts at equal age"),
    (
        Column("cohort", mark("Won in"), "month"),
        Column("age", mark("Periods later"), "count"),
        Column("size", mark("Customers won"), "count"),
        Column("share", mark("Share active"), "share"),
        Column("revenue_per_customer", mark("Revenue per customer won"), "money", mark("in this period")),
        Column(
            "revenue_so_far", mark("Revenue per customer so far"), "money", mark("up to and with this period")
        ),
    ),
    mark("Complete periods only: younger cohorts end earlier."),
)
STACK = Table(
    "stack",
    mark("5 · Revenue by year of acquisition"),
    (
        Column("acquired", mark("Won in"), "text", mark("fiscal year of the first order")),
        Column("period", mark("Period"), "month"),
        Column("active", mark("Active"), "count"),
        Column("revenue", mark("Revenue"), "money"),
    ),
    mark("Complete periods only."),
)
STATUSES = Table(
    "statuses",
    mark("5 · Customers by status"),
    (Column("status", mark("Status"), "class"), Column("customers", mark("Customers"), "count")),
)
_MEANING = {
    "customers": mark("Customers with at least one order day."),
    "active": mark("Customers with an order day in the last twelve months."),
    "total": mark("Net revenue of the whole history."),
    "year": mark("Net revenue of the last twelve months."),
    "orders": mark("Distinct order numbers of sales; order days where there are no numbers."),
    "days": mark("Distinct customer and day with a positive net quantity."),
    "aov": mark("Net revenue / orders, whole history."),
    "repeat": mark("Customers with two or more order days / customers with an order day."),
    "numbers": mark(
        "Customers with two or more order numbers / customers with one; counts invoices of one day."
    ),
    "gap": mark("Half of the pauses between two order days of a customer are shorter."),
    "top": mark("Share of revenue of the tenth of the customers with the most of it, in the window."),
    "change": mark("Net revenue of the window − of the window before."),
}

FIGURES = (
    Figure("customers", mark("Customers with an order day"), "count", _MEANING["customers"]),
    Figure(
        "active_customers_12m", mark("Active customers"), "count", _MEANING["active"], "up", headline=True
    ),
    Figure("revenue_total", mark("Revenue, whole history"), "money", _MEANING["total"]),
    Figure("revenue_12m", mark("Revenue, twelve months"), "money", _MEANING["year"], "up", headline=True),
    Figure("orders", mark("Orders"), "count", _MEANING["orders"]),
    Figure("order_days", mark("Order days"), "count", _MEANING["days"]),
    Figure("average_order_value", mark("Average order value"), "money", _MEANING["aov"], "up"),
    Figure("repeat_rate", mark("Repeat rate"), "share", _MEANING["repeat"], "up", headline=True),
    Figure("repeat_rate_by_order_number", mark("Repeat rate by order number"), "share", _MEANING["numbers"]),
    Figure("median_days_between_orders", mark("Days between orders"), "days", _MEANING["gap"], "down"),
    Figure("top_decile_share", mark("Share of the top tenth"), "share", _MEANING["top"]),
    Figure("revenue_change", mark("Change in revenue"), "money", _MEANING["change"], "up"),
)

TABLES = (CUSTOMERS, DECILES, CHANGES, DRIVERS, STAYERS, LIFE, AGES, STACK, STATUSES)

CHARTS = (
    Chart("spend", "customers", "distribution", "revenue", title=mark("Revenue per customer")),
    Chart("deciles", "deciles", "bar", "decile", "share", title=mark("Share of revenue by tenth")),
    Chart("drivers", "drivers", "bridge", "step", "amount", title=DRIVERS.title),
    Chart("stayers", "stayers", "bridge", "step", "amount", title=STAYERS.title),
    Chart(
        "life",
        "life",
        "line",
        "age",
        "share",
        title=LIFE.title,
        options={"low": "share_low", "high": "share_high"},
    ),
    Chart("ages", "ages", "line", "age", "revenue_so_far", "cohort", title=AGES.title),
    Chart("stack", "stack", "area", "period", "revenue", "acquired", title=STACK.title),
)
