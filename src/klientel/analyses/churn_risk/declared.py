"""What churn_risk answers with: tables, figures, pictures, reasons."""

from __future__ import annotations

from klientel.analysis import Chart, Column, Figure, Table
from klientel.words import mark

BROKEN, LATE = mark("rhythm broken"), mark("later than usual")
PARTIAL, GROUPS = mark("buys less than half"), mark("buys fewer product groups")
SMALLER, ONCE, STEADY = mark("orders get smaller"), mark("one order so far"), mark("in rhythm")
RULE = mark("rule: silence over twice the longest usual gap")

CUSTOMERS = Table(
    "customers",
    mark("Customers by value at stake"),
    (
        Column("customer_id", mark("Customer number"), "key"),
        Column("name", mark("Customer"), "text"),
        Column("status", mark("Status"), "class"),
        Column("p_no_order", mark("Probability of no order"), "share", mark("within the customer's horizon")),
        Column("horizon_days", mark("Horizon"), "days", mark("max(90, 2 × usual gap), at most 365")),
        Column("value_at_stake", mark("Value at stake"), "money", mark("probability × value of 12 months")),
        Column("value_next_12m", mark("Value of 12 months if it stays"), "money"),
        Column("reason", mark("Reason"), "class", mark("the gravest")),
        Column("further_reason", mark("Further reason"), "class"),
        Column(
            "broken_since", mark("Rhythm broken since"), "date", mark("last order + 2 × longest usual gap")
        ),
        Column("late", mark("Late by the rule"), "flag", mark("silence over twice the longest usual gap")),
        Column("recency_days", mark("Days since the last order"), "days"),
        Column(
            "usual_gap_days", mark("Usual gap"), "days", mark("middle of the own gaps between order days")
        ),
        Column("long_gap_days", mark("Longest usual gap"), "days", mark("90 % of the own gaps are shorter")),
        Column(
            "order_value_change",
            mark("Change of order value"),
            "share",
            mark("mean of the last 3 orders / of those before − 1; from 6 orders on"),
        ),
        Column(
            "half_year_change",
            mark("Change of the half year"),
            "share",
            mark("value of the last half year / of the same half year before − 1"),
        ),
        Column(
            "lost_groups",
            mark("Lost product groups"),
            "count",
            mark("bought on 6 days and in 3 of 4 quarters of the year before, not in the last half year"),
        ),
        Column("lost_names", mark("Which product groups"), "text", mark("the three of the most value")),
        Column(
            "lost_share",
            mark("Share of lost product groups"),
            "share",
            mark("of the value of the year before"),
        ),
        Column("p_alive", mark("Probability still a customer"), "share", mark("empty without a model")),
    ),
    mark("Customers who are active or came back; former ones are left out and counted."),
)
HOLDOUT = Table(
    "holdout",
    mark("Forecasts held against what came"),
    (
        Column("origin", mark("Forecast from"), "date", mark("nothing from this day on was known")),
        Column("method", mark("Method"), "class"),
        Column("shown", mark("Used"), "flag", mark("the method behind the answer")),
        Column("customers", mark("Customers"), "count", mark("active on that day")),
        Column("silent_share", mark("Without an order"), "share", mark("within their horizon")),
        Column("predicted_share", mark("Forecast without an order"), "share"),
        Column("brier", mark("Brier score"), "number", mark("mean squared error of the probability")),
        Column("brier_rule", mark("Brier score of the rule"), "number"),
        Column("skill", mark("Skill"), "share", mark("1 − Brier score / that of the rule")),
        Column("auc", mark("AUC"), "number", mark("chance that who stayed away had the higher probability")),
        Column("auc_rule", mark("AUC of the rule"), "number"),
        Column("lift", mark("Lift of the first tenth"), "number", mark("share silent there / share silent")),
    ),
    mark("The rule is given, for each of its two groups, the share that came out: an advantage for it."),
)
CALIBRATION = Table(
    "calibration",
    mark("Are the probabilities right?"),
    (
        Column(
            "tenth", mark("Tenth of customers"), "count", mark("by forecast probability, 10 is the highest")
        ),
        Column("customers", mark("Customers"), "count"),
        Column("predicted_share", mark("Forecast without an order"), "share"),
        Column("actual_share", mark("Without an order"), "share"),
        Column("actual_low", mark("Without an order, lower limit"), "share", mark("Wilson")),
        Column("actual_high", mark("Without an order, upper limit"), "share", mark("Wilson")),
    ),
    mark("At the newest origin of the hold-out."),
)
REASONS = Table(
    "reasons",
    mark("Reasons"),
    (
        Column("reason", mark("Reason"), "class"),
        Column("customers", mark("Customers"), "count"),
        Column("value_at_stake", mark("Value at stake"), "money"),
        Column("mean_probability", mark("Mean probability of no order"), "share"),
    ),
)
_MEANING = {
    "stake": mark("Sum of probability of no order × value of the next 12 months."),
    "next": mark("Sum of what the customers bring in 12 months if they stay."),
    "customers": mark("Customers who are active or came back."),
    "late": mark("Customers silent for more than twice their own 90 % gap."),
    "partial": mark(
        "Customers who brought less than half of what they brought in the same half year before."
    ),
    "groups": mark(
        "Customers who buy on but no longer product groups that brought at least a tenth of their value."
    ),
    "late_value": mark("Value of 12 months of these customers."),
    "measure": mark("What is counted as value: margin where it is known, else revenue."),
    "risk": mark("Customers with a probability of no order above one half."),
    "silent": mark("Sum of the probabilities of no order within the horizon."),
    "former": mark("Former customers, left out."),
    "method": mark("The model, or the rule where no model beats it on held-out time."),
    "brier": mark("Mean squared error of the probability on held-out time."),
    "rule": mark("The same for the rule."),
    "skill": mark("1 − Brier score / that of the rule, on held-out time."),
    "auc": mark("Chance that who stayed away had the higher probability, on held-out time."),
    "lift": mark("Share silent in the tenth with the highest probability / share silent, on held-out time."),
}
FIGURES = (
    Figure("value_at_stake", mark("Value at stake"), "money", _MEANING["stake"], "down", headline=True),
    Figure("late_customers", mark("Late customers"), "count", _MEANING["late"], "down", headline=True),
    Figure(
        "high_risk_customers",
        mark("Customers at high risk"),
        "count",
        _MEANING["risk"],
        "down",
        headline=True,
    ),
    Figure(
        "partial_customers",
        mark("Customers who buy less than half"),
        "count",
        _MEANING["partial"],
        "down",
        headline=True,
    ),
    Figure(
        "lost_group_customers",
        mark("Customers who buy fewer product groups"),
        "count",
        _MEANING["groups"],
        "down",
    ),
    Figure("late_value", mark("Value of late customers"), "money", _MEANING["late_value"], "down"),
    Figure(
        "value_next_12m",
        mark("Value of 12 months if they stay"),
        "money",
        _MEANING["next"],
        "up",
        headline=True,
    ),
    Figure("customers", mark("Customers watched"), "count", _MEANING["customers"]),
    Figure("expected_silent", mark("Customers expected to stay away"), "number", _MEANING["silent"], "down"),
    Figure("former_customers", mark("Former customers"), "count", _MEANING["former"]),
    Figure("measure", mark("Measure of value"), "class", _MEANING["measure"]),
    Figure("method", mark("Method of the churn forecast"), "class", _MEANING["method"]),
    Figure("brier", mark("Brier score"), "number", _MEANING["brier"], "down"),
    Figure("brier_rule", mark("Brier score of the rule"), "number", _MEANING["rule"]),
    Figure("skill", mark("Skill of the churn forecast"), "share", _MEANING["skill"], "up"),
    Figure("auc", mark("AUC"), "number", _MEANING["auc"], "up"),
    Figure("auc_rule", mark("AUC of the rule"), "number", _MEANING["rule"]),
    Figure("lift", mark("Lift of the first tenth"), "number", _MEANING["lift"], "up"),
)
CHARTS = (
    Chart(
        "stake",
        "customers",
        "bar",
        x="name",
        y="value_at_stake",
        title=mark("Customers with the most at stake"),
    ),
    Chart(
        "reasons", "reasons", "bar", x="reason", y="value_at_stake", title=mark("Value at stake by reason")
    ),
    Chart(
        "calibration",
        "calibration",
        "line",
        x="predicted_share",
        y="actual_share",
        title=CALIBRATION.title,
        options={"low": "actual_low", "high": "actual_high", "points": True},
    ),
)
