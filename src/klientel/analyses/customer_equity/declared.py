"""What customer_equity answers with: parts, drivers, figures, pictures."""

from __future__ import annotations

from klientel.analysis import Chart, Column, Figure, Table
from klientel.words import mark

EXISTING, FUTURE, TOTAL = mark("existing customers"), mark("future customers"), mark("customer equity")
RETENTION, MARGIN, DISCOUNT = mark("retention"), mark("value per customer"), mark("discount rate")
ACQUIRED, COST = mark("new customers"), mark("acquisition cost")
BY_HAND = mark("constant retention, entered by hand")

PARTS = Table(
    "parts",
    mark("Customer equity"),
    (
        Column("part", mark("Part"), "class"),
        Column("customers", mark("Customers"), "number"),
        Column("value_each", mark("Value per customer"), "money", mark("before acquisition cost")),
        Column("cost_each", mark("Acquisition cost per customer"), "money"),
        Column("equity", mark("Equity"), "money", mark("discounted, without end")),
        Column("low", mark("Lower limit"), "money", mark("95 %")),
        Column("high", mark("Upper limit"), "money", mark("95 %")),
    ),
    mark("Present value of what customers are still expected to bring; the order book is not inside."),
)
DRIVERS = Table(
    "drivers",
    mark("What one per cent changes"),
    (
        Column("driver", mark("Driver"), "class"),
        Column("value", mark("Today"), "number"),
        Column(
            "elasticity", mark("Elasticity"), "number", mark("per cent of equity for 1 % more of the driver")
        ),
        Column("change", mark("Change in money"), "money", mark("for 1 % more of the driver")),
    ),
    mark("Each driver is moved by 1 % alone."),
)
_MEANING = {
    "equity": mark("Static equity plus what future customers bring beyond their acquisition cost."),
    "static": mark(
        "Sum of the expected discounted values of existing customers, without end of the horizon; no order book."
    ),
    "future": mark("Σ over years k of new customers × (value − acquisition cost) / (1 + d)^k."),
    "new": mark("First orders in the last 12 months, or as entered."),
    "new_value": mark("Expected discounted value of a new customer from its first order on."),
    "retention": mark("The constant yearly retention that gives the same static equity."),
    "measure": mark("What is counted as value: margin where it is known, else revenue."),
    "method": mark("How values were found."),
    "customers": mark("Existing customers with a value."),
}
FIGURES = (
    Figure("customer_equity", mark("Customer equity"), "money", _MEANING["equity"], "up", headline=True),
    Figure(
        "static_equity",
        mark("Equity of existing customers"),
        "money",
        _MEANING["static"],
        "up",
        headline=True,
    ),
    Figure(
        "future_equity", mark("Equity of future customers"), "money", _MEANING["future"], "up", headline=True
    ),
    Figure("customers", mark("Customers valued"), "number", _MEANING["customers"]),
    Figure("new_customers", mark("New customers a year"), "number", _MEANING["new"], "up"),
    Figure(
        "new_customer_value",
        mark("Value of a new customer"),
        "money",
        _MEANING["new_value"],
        "up",
        headline=True,
    ),
    Figure("retention", mark("Retention behind it"), "share", _MEANING["retention"], "up", headline=True),
    Figure("measure", mark("Measure of value"), "class", _MEANING["measure"]),
    Figure("method", mark("Method of valuation"), "class", _MEANING["method"]),
)
CHARTS = (
    Chart(
        "parts",
        "parts",
        "bar",
        x="part",
        y="equity",
        title=PARTS.title,
        options={"low": "low", "high": "high"},
    ),
    Chart("drivers", "drivers", "bar", x="driver", y="change", title=DRIVERS.title),
)
