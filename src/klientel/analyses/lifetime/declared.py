"""What lifetime answers with: curves, segments, causes, figures, pictures."""

from __future__ import annotations

from klientel.analysis import Chart, Column, Figure, Table
from klientel.words import mark

ALL, OTHERS, UNKNOWN = mark("all customers"), mark("all others"), mark("unknown")
LOST = mark("lost")
ORDERS, CONTRACTS = mark("orders"), mark("contracts")

SEGMENTS = Table(
    "segments",
    mark("Lifetime by segment"),
    (
        Column("segment", mark("Segment"), "class", mark("value of the attribute")),
        Column("customers", mark("Customers"), "count"),
        Column("lost", mark("Lost"), "count"),
        Column(
            "median", mark("Median lifetime"), "months", mark("half are gone by then; empty: not reached")
        ),
        Column("median_low", mark("Lower limit"), "months", mark("of the median")),
        Column("median_high", mark("Upper limit"), "months", mark("of the median; empty: not reached")),
        Column("mean", mark("Mean lifetime within the horizon"), "months", mark("area under the curve")),
        Column("mean_low", mark("Lower limit"), "months", mark("of the mean")),
        Column("mean_high", mark("Upper limit"), "months", mark("of the mean")),
        Column("difference", mark("Difference from the others"), "months", mark("of the means")),
        Column("difference_low", mark("Lower limit"), "months", mark("of the difference")),
        Column("difference_high", mark("Upper limit"), "months", mark("of the difference")),
        Column("stays_12m", mark("Still there after 12 months"), "share"),
        Column("stays_36m", mark("Still there after 36 months"), "share"),
    ),
    mark("Living customers are counted as long as they are known to be there; 95 % limits."),
)
CURVE = Table(
    "curve",
    mark("Share of customers still there"),
    (
        Column("segment", mark("Segment"), "class"),
        Column("age", mark("Months since the start"), "count"),
        Column("at_risk", mark("Watched at that age"), "count"),
        Column("survival", mark("Still there"), "share"),
        Column("low", mark("Lower limit"), "share"),
        Column("high", mark("Upper limit"), "share"),
    ),
    mark("Kaplan-Meier with delayed entry, as far as at least 10 customers are watched."),
)
CAUSES = Table(
    "causes",
    mark("How they ended"),
    (
        Column("cause", mark("End"), "class", mark("status of the contract")),
        Column("lost", mark("Lost"), "count"),
        Column("share_12m", mark("Ended so within 12 months"), "share", mark("Aalen-Johansen")),
        Column("share_36m", mark("Ended so within 36 months"), "share"),
        Column("low", mark("Lower limit"), "share", mark("at 36 months")),
        Column("high", mark("Upper limit"), "share", mark("at 36 months")),
    ),
    mark("Causes compete: together with those still there they make 100 %. Empty with one kind of end."),
)
_MEANING = {
    "median": mark("Months after which half of the customers are gone; empty where that is not reached."),
    "mean": mark("Mean months up to the horizon: area under the curve (restricted mean)."),
    "horizon": mark("Largest age at which at least 10 customers are watched."),
    "customers": mark("Customers with a known start."),
    "lost": mark("Customers whose orders or contracts have ended."),
    "living": mark("Customers still there when last known; they count as long as they are known."),
    "stays": mark("Share still there 12 months after the start."),
    "p": mark("Chance of differences this large if the segments were alike (log-rank test)."),
    "by": mark("What the customers are divided by."),
    "basis": mark("What a lifetime is made of."),
    "young": mark("Customers too new for anything to be known about their staying."),
}
FIGURES = (
    Figure("median_lifetime", mark("Median lifetime"), "months", _MEANING["median"], "up", headline=True),
    Figure(
        "mean_lifetime",
        mark("Mean lifetime within the horizon"),
        "months",
        _MEANING["mean"],
        "up",
        headline=True,
    ),
    Figure("stays_12m", mark("Still there after 12 months"), "share", _MEANING["stays"], "up", headline=True),
    Figure("horizon", mark("Horizon"), "months", _MEANING["horizon"]),
    Figure("customers", mark("Customers followed"), "count", _MEANING["customers"]),
    Figure("lost_customers", mark("Customers who ended"), "count", _MEANING["lost"], headline=True),
    Figure("living_customers", mark("Customers still there"), "count", _MEANING["living"], headline=True),
    Figure("p_value", mark("p-value of the differences"), "number", _MEANING["p"]),
    Figure("attribute", mark("Attribute"), "attribute", _MEANING["by"]),
    Figure("basis", mark("Basis"), "class", _MEANING["basis"]),
    Figure("too_young", mark("Too young"), "count", _MEANING["young"]),
)
CHARTS = (
    Chart(
        "curve",
        "curve",
        "line",
        x="age",
        y="survival",
        color="segment",
        title=CURVE.title,
        options={"low": "low", "high": "high", "points": False},
    ),
    Chart(
        "segments",
        "segments",
        "bar",
        x="segment",
        y="mean",
        title=mark("Mean lifetime by segment"),
        options={"low": "mean_low", "high": "mean_high"},
    ),
)
