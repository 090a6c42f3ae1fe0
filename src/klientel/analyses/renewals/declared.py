"""What renewals answers with: tables, figures, pictures."""

from __future__ import annotations

from klientel.analysis import Chart, Column, Figure, Table
from klientel.words import mark

CONTRACTS = Table(
    "contracts",
    mark("Contracts up for renewal"),
    (
        Column("contract_id", mark("Contract number"), "key"),
        Column("customer_id", mark("Customer number"), "key"),
        Column("name", mark("Customer"), "text"),
        Column("type", mark("Contract type"), "text"),
        Column("end", mark("End"), "date"),
        Column(
            "days_left", mark("Days left"), "days", mark("negative: ended within the last 30 days, undecided")
        ),
        Column("notice_deadline", mark("Notice deadline"), "date", mark("end − notice period")),
        Column("notice_passed", mark("Notice deadline passed"), "flag"),
        Column("auto_renew", mark("Renews by itself"), "flag"),
        Column("renewals", mark("Renewals so far"), "count", mark("of terms that the data show")),
        Column("p_renewal", mark("Probability of renewal"), "share"),
        Column("low", mark("Lower limit"), "share", mark("of the probability")),
        Column("high", mark("Upper limit"), "share", mark("of the probability")),
        Column(
            "annual_value", mark("Value per year"), "money", mark("recurring amount × 12 / months per period")
        ),
        Column(
            "expected_value", mark("Expected value per year"), "money", mark("probability × value per year")
        ),
        Column("value_at_risk", mark("Value at risk"), "money", mark("(1 − probability) × value per year")),
    ),
    mark("Contracts that end within the window and have no follow-up yet, soonest first."),
)
HISTORY = Table(
    "history",
    mark("Renewals so far"),
    (
        Column(
            "renewal", mark("Renewal number"), "count", mark("1 is the end of the first term in the data")
        ),
        Column("due", mark("Up for renewal"), "count"),
        Column("renewed", mark("Renewed"), "count"),
        Column("rate", mark("Renewal rate"), "share"),
        Column("low", mark("Lower limit"), "share", mark("Wilson")),
        Column("high", mark("Upper limit"), "share", mark("Wilson")),
        Column("model", mark("Renewal rate by the model"), "share", mark("empty without a model")),
    ),
    mark("Terms that ended at least 30 days ago: renewed if a follow-up starts within 30 days of the end."),
)
TYPES = Table(
    "types",
    mark("Renewals by contract type"),
    (
        Column("type", mark("Contract type"), "text"),
        Column("due", mark("Up for renewal"), "count"),
        Column("renewed", mark("Renewed"), "count"),
        Column("rate", mark("Renewal rate"), "share"),
        Column("low", mark("Lower limit"), "share", mark("Wilson")),
        Column("high", mark("Upper limit"), "share", mark("Wilson")),
    ),
)
HOLDOUT = Table(
    "holdout",
    mark("Forecasts held against what came"),
    (
        Column("origin", mark("Forecast from"), "date", mark("only renewals decided before it were known")),
        Column("method", mark("Method"), "class"),
        Column("shown", mark("Used"), "flag", mark("the method behind the answer")),
        Column("due", mark("Up for renewal"), "count"),
        Column("renewed_share", mark("Renewed"), "share"),
        Column("predicted_share", mark("Forecast to renew"), "share"),
        Column("log_loss", mark("Logarithmic loss"), "number", mark("per renewal, small is good")),
        Column("skill", mark("Skill"), "share", mark("1 − loss / loss of one renewal rate")),
    ),
)
_MEANING = {
    "due": mark("Contracts that end within the window and have no follow-up yet."),
    "value": mark("Their value per year."),
    "expected": mark("Sum of probability × value per year."),
    "risk": mark("Sum of (1 − probability) × value per year."),
    "rate": mark("Renewed / up for renewal, of terms that ended at least 30 days ago."),
    "value_rate": mark("The same by value per year."),
    "decided": mark("Terms that ended at least 30 days ago."),
    "deadlines": mark("Contracts up for renewal whose notice deadline lies within the next 30 days."),
    "open": mark("Running contracts without an end date: nothing comes up for renewal."),
    "method": mark("How the probability was found; a model only where it beats one rate on held-out time."),
    "life": mark("Expected terms of a new contract, the first counted; only with a model."),
    "skill": mark("1 − logarithmic loss / that of one renewal rate, on held-out time."),
}
FIGURES = (
    Figure("due_contracts", mark("Contracts up for renewal"), "count", _MEANING["due"], headline=True),
    Figure("due_value", mark("Value up for renewal"), "money", _MEANING["value"], headline=True),
    Figure(
        "expected_value", mark("Expected value per year"), "money", _MEANING["expected"], "up", headline=True
    ),
    Figure("value_at_risk", mark("Value at risk"), "money", _MEANING["risk"], "down", headline=True),
    Figure("renewal_rate", mark("Renewal rate"), "share", _MEANING["rate"], "up", headline=True),
    Figure("value_renewal_rate", mark("Renewal rate by value"), "share", _MEANING["value_rate"], "up"),
    Figure("decided_renewals", mark("Decided renewals"), "count", _MEANING["decided"]),
    Figure(
        "deadlines_30d", mark("Notice deadlines in 30 days"), "count", _MEANING["deadlines"], headline=True
    ),
    Figure("open_ended", mark("Open-ended contracts"), "count", _MEANING["open"]),
    Figure("expected_terms", mark("Expected terms"), "number", _MEANING["life"], "up"),
    Figure("method", mark("Method of the renewal forecast"), "class", _MEANING["method"]),
    Figure("skill", mark("Skill of the renewal forecast"), "share", _MEANING["skill"], "up"),
)
CHARTS = (
    Chart(
        "due",
        "contracts",
        "bar",
        x="name",
        y="annual_value",
        title=mark("Value up for renewal by customer"),
        options={"sum": "customer_id", "sort": True},
    ),
    Chart(
        "history",
        "history",
        "line",
        x="renewal",
        y="rate",
        title=mark("Renewal rate by renewal number"),
        options={"low": "low", "high": "high", "points": True},
    ),
)
