"""What lifetime_value answers with: tables, figures, pictures."""

from __future__ import annotations

from klientel.analysis import Chart, Column, Figure, Table
from klientel.words import mark

CUSTOMERS = Table(
    "customers",
    mark("Customers by lifetime value"),
    (
        Column("customer_id", mark("Customer number"), "key"),
        Column("name", mark("Customer"), "text"),
        Column("business", mark("Business"), "class", mark("valued by orders or by running contracts")),
        Column("orders", mark("Order days"), "count", mark("so far")),
        Column("recency_days", mark("Days since the last order"), "days"),
        Column(
            "p_alive",
            mark("Probability still a customer"),
            "share",
            mark("by the model; empty with a baseline"),
        ),
        Column("orders_next_12m", mark("Orders expected in 12 months"), "number"),
        Column("order_value", mark("Expected value of an order"), "money"),
        Column("value_last_12m", mark("Value of the last 12 months"), "money"),
        Column("value_next_12m", mark("Value expected in 12 months"), "money", mark("not discounted")),
        Column(
            "lifetime_value",
            mark("Lifetime value"),
            "money",
            mark("expected, discounted, within the horizon"),
        ),
        Column("low", mark("Lower limit"), "money", mark("10 % of the courses lie below")),
        Column("median", mark("Middle course"), "money", mark("half of the courses lie below")),
        Column("high", mark("Upper limit"), "money", mark("10 % of the courses lie above")),
        Column("lifetime_value_infinite", mark("Lifetime value without end"), "money", mark("discounted")),
    ),
    mark("Residual value: what is still to come; 80 % interval. Intervals of single customers are wide."),
)
BUSINESS = Table(
    "business",
    mark("Lifetime value by business"),
    (
        Column("business", mark("Business"), "class"),
        Column("customers", mark("Customers"), "count"),
        Column("value_next_12m", mark("Value expected in 12 months"), "money"),
        Column("lifetime_value", mark("Lifetime value"), "money", mark("within the horizon, discounted")),
        Column("low", mark("Lower limit"), "money", mark("95 %")),
        Column("high", mark("Upper limit"), "money", mark("95 %")),
        Column("lifetime_value_infinite", mark("Lifetime value without end"), "money"),
    ),
    mark(
        "Every customer is valued once: by its running contracts where they are its main business, else by orders."
    ),
)
HOLDOUT = Table(
    "holdout",
    mark("Forecasts held against what came"),
    (
        Column("origin", mark("Forecast from"), "date", mark("nothing from this day on was known")),
        Column("until", mark("Until"), "date"),
        Column("model", mark("Model"), "class"),
        Column("shown", mark("Used"), "flag", mark("the model behind the answer")),
        Column("customers", mark("Customers"), "count"),
        Column("actual_orders", mark("Orders that came"), "count"),
        Column("predicted_orders", mark("Orders forecast"), "number"),
        Column("tracking_error", mark("Tracking error"), "share", mark("forecast / came − 1")),
        Column("mae", mark("Absolute error per customer"), "number", mark("orders")),
        Column("mae_last_year", mark("The same for: last year again"), "number"),
        Column("mae_rate_recency", mark("The same for: rate and recency rule"), "number"),
        Column(
            "mae_skill", mark("Skill, absolute"), "share", mark("1 − error / error of the better baseline")
        ),
        Column("rmse", mark("Squared error per customer, root"), "number", mark("orders")),
        Column("rmse_baseline", mark("The same for the better baseline"), "number"),
        Column("skill", mark("Skill"), "share", mark("1 − squared error / that of the better baseline")),
        Column(
            "coverage_80",
            mark("Coverage of the 80 % interval"),
            "share",
            mark("of the value, with levels learned at the other origins; 80 % is right"),
        ),
        Column(
            "coverage_model",
            mark("The same before calibration"),
            "share",
            mark("by the model's own levels"),
        ),
        Column("actual_value", mark("Value that came"), "money"),
        Column("predicted_value", mark("Value forecast"), "money"),
        Column("value_mae", mark("Absolute error of value per customer"), "money"),
        Column("value_mae_last_year", mark("The same for last year's value"), "money"),
        Column(
            "value_skill",
            mark("Skill of the value"),
            "share",
            mark("squared errors, against last year's value"),
        ),
    ),
    mark("Every model saw only what lay before the day it forecast from."),
)
CALIBRATION = Table(
    "calibration",
    mark("Are the probabilities right?"),
    (
        Column(
            "tenth", mark("Tenth of customers"), "count", mark("by forecast probability, 10 is the highest")
        ),
        Column("customers", mark("Customers"), "count"),
        Column("p_alive", mark("Probability still a customer"), "share"),
        Column("predicted_share", mark("Forecast to order"), "share", mark("in the time held out")),
        Column("actual_share", mark("Ordered"), "share"),
        Column("actual_low", mark("Ordered, lower limit"), "share", mark("Wilson")),
        Column("actual_high", mark("Ordered, upper limit"), "share", mark("Wilson")),
        Column("predicted_orders", mark("Orders forecast per customer"), "number"),
        Column("actual_orders", mark("Orders per customer"), "number"),
    ),
    mark("At the newest origin of the hold-out."),
)
TRACKING = Table(
    "tracking",
    mark("Orders forecast and orders that came"),
    (
        Column("day", mark("Until"), "date"),
        Column("course", mark("Course"), "class"),
        Column("orders", mark("Orders since the origin"), "number"),
    ),
    mark("Added up over the time held out, from the newest origin."),
)
RENEWALS = Table(
    "renewals",
    mark("Renewal forecasts held against what came"),
    (
        Column("method", mark("Method"), "class"),
        Column("shown", mark("Used"), "flag", mark("the method behind the answer")),
        Column("origin", mark("Forecast from"), "date", mark("only renewals decided before it were known")),
        Column(
            "from_age", mark("Forecast from month"), "count", mark("contracts without dates: ages held out")
        ),
        Column("due", mark("Up for renewal"), "count"),
        Column("renewed_share", mark("Renewed"), "share"),
        Column("predicted_share", mark("Forecast to renew"), "share"),
        Column("log_loss", mark("Logarithmic loss"), "number", mark("per renewal, small is good")),
        Column("skill", mark("Skill"), "share", mark("1 − loss / loss of one renewal rate")),
    ),
    mark("Of customers valued by contracts."),
)
_MEANING = {
    "customers": mark("Existing customers with a value."),
    "contracts": mark("Customers whose running contracts bring at least half of their revenue."),
    "contract_value": mark("The part of the lifetime value that stands on running contracts."),
    "lifetime": mark("Sum of the expected discounted values within the horizon, of existing customers."),
    "equity": mark(
        "Sum of the expected discounted values of existing customers, without end of the horizon; no order book."
    ),
    "next": mark("Sum over customers, not discounted."),
    "last": mark("What they brought in the last 12 months, credits with their sale."),
    "orders": mark("Sum of the orders expected from existing customers."),
    "alive": mark("Sum of the probabilities of still being a customer."),
    "model": mark("The model behind the answer, chosen on held-out time."),
    "measure": mark("What is counted as value: margin where it is known, else revenue."),
    "tracking": mark("Orders forecast / orders that came − 1, over all origins; within ±10 % is good."),
    "skill": mark(
        "1 − squared error of orders per customer / that of the better naive baseline, on held-out time."
    ),
    "mae_skill": mark("The same with absolute errors, newest origin."),
    "value_skill": mark("The same for the value per customer against last year's value, squared errors."),
    "renewal_skill": mark(
        "1 − logarithmic loss of the renewals / that of one rate for all, on what was held out."
    ),
    "capture": mark("Orders brought by the tenth forecast best / by the truly best tenth, newest origin."),
    "coverage": mark(
        "Share of customers whose value fell inside their 80 % interval on held-out time, with the levels of the "
        "interval learned at the other origins; 75 to 85 % is good."
    ),
    "coverage_model": mark("The same with the model's own levels, before calibration."),
    "value_error": mark("Value forecast / value that came − 1, over all origins; within ±10 % is good."),
    "growth": mark("How much more the same customers pay for an order each year, where that is carried on."),
    "once": mark("Customers with one order / customers."),
    "top": mark("Share of the lifetime value in the tenth of customers with the highest."),
}
FIGURES = (
    Figure("lifetime_value", mark("Lifetime value"), "money", _MEANING["lifetime"], "up", headline=True),
    Figure(
        "static_equity",
        mark("Equity of existing customers"),
        "money",
        _MEANING["equity"],
        "up",
        headline=True,
    ),
    Figure(
        "value_next_12m", mark("Value expected in 12 months"), "money", _MEANING["next"], "up", headline=True
    ),
    Figure("value_last_12m", mark("Value of the last 12 months"), "money", _MEANING["last"], headline=True),
    Figure("orders_next_12m", mark("Orders expected in 12 months"), "number", _MEANING["orders"], "up"),
    Figure("customers", mark("Customers valued"), "count", _MEANING["customers"]),
    Figure("contract_customers", mark("Customers valued by contracts"), "count", _MEANING["contracts"]),
    Figure("contract_value", mark("Lifetime value of contracts"), "money", _MEANING["contract_value"]),
    Figure(
        "expected_alive",
        mark("Customers expected to be still there"),
        "number",
        _MEANING["alive"],
        "up",
        headline=True,
    ),
    Figure("model", mark("Model"), "class", _MEANING["model"]),
    Figure("measure", mark("Measure of value"), "class", _MEANING["measure"]),
    Figure("tracking_error", mark("Tracking error"), "share", _MEANING["tracking"]),
    Figure("skill", mark("Skill of the order forecast"), "share", _MEANING["skill"], "up"),
    Figure("mae_skill", mark("Skill of the order forecast, absolute"), "share", _MEANING["mae_skill"], "up"),
    Figure("value_skill", mark("Skill of the value forecast"), "share", _MEANING["value_skill"], "up"),
    Figure(
        "renewal_skill", mark("Skill of the forecast of contracts"), "share", _MEANING["renewal_skill"], "up"
    ),
    Figure("coverage_80", mark("Coverage of the 80 % interval"), "share", _MEANING["coverage"]),
    Figure("coverage_model", mark("Coverage before calibration"), "share", _MEANING["coverage_model"]),
    Figure("value_error", mark("Error of the value"), "share", _MEANING["value_error"]),
    Figure("order_value_growth", mark("Growth of order values"), "share", _MEANING["growth"]),
    Figure("top_decile_capture", mark("Best tenth captured"), "share", _MEANING["capture"], "up"),
    Figure("one_order_share", mark("Share with one order"), "share", _MEANING["once"]),
    Figure(
        "top_decile_value_share", mark("Value in the best tenth"), "share", _MEANING["top"], headline=True
    ),
)
CHARTS = (
    Chart(
        "customers",
        "customers",
        "bar",
        x="name",
        y="lifetime_value",
        title=mark("Customers with the highest lifetime value"),
        options={"low": "low", "high": "high"},
    ),
    Chart("tracking", "tracking", "line", x="day", y="orders", color="course", title=TRACKING.title),
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
