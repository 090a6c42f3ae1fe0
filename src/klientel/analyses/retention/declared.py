"""What retention answers with: tables, figures, pictures."""

from __future__ import annotations

from klientel.analysis import Chart, Column, Figure, Table
from klientel.words import mark

CUSTOMERS = Table(
    "customers",
    mark("Customers and what became of them"),
    (
        Column("customer_id", mark("Customer number"), "key"),
        Column("name", mark("Customer"), "text"),
        Column("opening", mark("Before"), "money", mark("value in the opening window")),
        Column("closing", mark("Now"), "money", mark("value in the closing window")),
        Column("change", mark("Change"), "money"),
        Column("movement", mark("Movement"), "class", mark("expansion, contraction, churned, new, ...")),
    ),
    mark("Largest changes first."),
)
BRIDGE = Table(
    "bridge",
    mark("From the opening to the closing value"),
    (
        Column("step", mark("Step"), "class"),
        Column("customers", mark("Customers"), "count"),
        Column("amount", mark("Amount"), "money", mark("signed: losses are negative")),
    ),
    mark("Opening plus changes is closing, to the last digit; new and reactivated customers come after it."),
)
SEGMENTS = Table(
    "segments",
    mark("Retention by group"),
    (
        Column("segment", mark("Group"), "class"),
        Column("customers", mark("Customers"), "count", mark("with value in the opening window")),
        Column("opening", mark("Before"), "money"),
        Column("closing", mark("Now"), "money", mark("of the same customers")),
        Column("nrr", mark("Net revenue retention"), "share"),
        Column("grr", mark("Gross revenue retention"), "share"),
        Column("logo_retention", mark("Customer retention"), "share", mark("empty under 5 customers")),
        Column("logo_low", mark("Customer retention, lower limit"), "share", mark("lower Wilson limit")),
        Column("logo_high", mark("Customer retention, upper limit"), "share", mark("upper Wilson limit")),
    ),
)
_MEANING = {
    "nrr": mark("Value now / value before of the customers who had value before, expansion included."),
    "grr": mark("The same without expansion: no customer counts for more than before."),
    "logo": mark("Customers with value before who still bought / customers with value before."),
    "churn": mark("1 − customer retention, for the window."),
    "year": mark("Customer retention to the power 12 / window."),
    "churn_year": mark("1 − customer retention per year."),
    "rest": mark("NRR without the three customers with the largest value before."),
    "base": mark("Customers with a positive value in the opening window."),
    "opening": mark("Value before of these customers."),
    "expansion": mark("What customers bring more than before."),
    "contraction": mark("What customers who stayed bring less than before."),
    "churned": mark("Value before of the customers who stopped."),
    "closing": mark("Value now of the customers with value before."),
    "new": mark("Value now of customers who never had any before."),
    "reactivated": mark("Value now of former customers."),
    "measure": mark("NRR-T12: orders of twelve months against the twelve before; MRR: running contracts."),
}
FIGURES = (
    Figure("nrr", mark("Net revenue retention"), "share", _MEANING["nrr"], "up", headline=True),
    Figure("grr", mark("Gross revenue retention"), "share", _MEANING["grr"], "up", headline=True),
    Figure("logo_retention", mark("Customer retention"), "share", _MEANING["logo"], "up", headline=True),
    Figure("churn", mark("Customer churn"), "share", _MEANING["churn"], "down"),
    Figure("logo_retention_annual", mark("Customer retention per year"), "share", _MEANING["year"], "up"),
    Figure("churn_annual", mark("Customer churn per year"), "share", _MEANING["churn_year"], "down"),
    Figure("nrr_without_largest_3", mark("NRR without the largest 3"), "share", _MEANING["rest"], "up"),
    Figure("opening_customers", mark("Customers before"), "count", _MEANING["base"]),
    Figure("opening", mark("Opening value"), "money", _MEANING["opening"]),
    Figure("expansion", mark("Expansion"), "money", _MEANING["expansion"], "up"),
    Figure("contraction", mark("Contraction"), "money", _MEANING["contraction"], "down"),
    Figure("churned", mark("Churned"), "money", _MEANING["churned"], "down"),
    Figure("closing", mark("Closing value"), "money", _MEANING["closing"]),
    Figure("new", mark("Value of new customers"), "money", _MEANING["new"], "up"),
    Figure("reactivated", mark("Value of reactivated customers"), "money", _MEANING["reactivated"], "up"),
    Figure("measure", mark("Measure"), "text", _MEANING["measure"]),
)
CHARTS = (
    Chart("bridge", "bridge", "bridge", "step", "amount", title=BRIDGE.title),
    Chart(
        "segments",
        "segments",
        "bar",
        "segment",
        "logo_retention",
        title=mark("Customer retention by group"),
        options={"low": "logo_low", "high": "logo_high"},
    ),
)
