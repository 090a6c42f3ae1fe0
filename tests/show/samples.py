"""Made-up but realistic results, one chart of each kind; deterministic."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from klientel.analysis import Analysis, Chart, Column, Estimate, Figure, Table
from klientel.quality import Quality
from klientel.result import Result, ResultTable, Tables
from klientel.words import Share, say

AS_OF = date(2024, 3, 1)
NASTY = '<script>alert("x")</script> & Söhne'


def result(
    name: str,
    tables: dict[str, tuple[tuple[Column, ...], pa.Table]],
    charts: tuple[Chart, ...] = (),
    *,
    title: str = "",
    question: str = "What is going on?",
    figures: tuple[Figure, ...] = (),
    values: dict[str, Any] | None = None,
    estimates: dict[str, Estimate] | None = None,
    quality: Quality | None = None,
    lines: tuple[str, ...] = (),
    as_of: date | None = AS_OF,
    currency: str | None = "EUR",
) -> Result:
    declared = tuple(
        Table(key, key.replace("_", " ").capitalize(), columns) for key, (columns, _) in tables.items()
    )
    analysis = Analysis(
        name, title or name.capitalize(), question, "understand", (), declared, dict, figures, charts
    )
    made = {t.name: ResultTable(t, tables[t.name][1]) for t in declared}
    return Result(
        analysis,
        as_of,
        currency,
        {"window": "12"},
        Tables(made),
        values or {},
        quality or Quality(n=100),
        estimates or {},
        lines,
        {
            "python": f'klientel.analyse(book, "{name}")',
            "cli": f"klientel analyse {name} book/",
            "sql": "SELECT 1",
        },
    )


def abc(n: int = 640, names: dict[int, str] | None = None) -> Result:
    rng = np.random.default_rng(7)
    value = np.sort(np.round(rng.pareto(1.12, n) * 9000 + 120, 2))[::-1]
    value[-3:] = [-1250.5, -320.0, 0.0]
    positive = np.where(value > 0, value, 0)
    share = positive / positive.sum()
    after = np.cumsum(share)
    before = after - share
    grade = np.where(value < 0, "N", np.where(before < 0.8, "A", np.where(before < 0.95, "B", "C")))
    names = {0: NASTY, 1: '=HYPERLINK("http://evil")', 2: "@Werk *#1* [x] $y$ \\z", **(names or {})}
    table = pa.table(
        {
            "customer_id": [f"{10000 + i:06d}" for i in range(n)],
            "name": [names.get(i, f"Kunde {i} GmbH") for i in range(n)],
            "value": pa.array([Decimal(f"{v:.4f}") for v in value], pa.decimal128(18, 4)),
            "share": share,
            "share_after": after,
            "grade": grade,
            "since": [date(2020, 1, 1 + i % 28) for i in range(n)],
        }
    )
    columns = (
        Column("customer_id", "Customer number", "key"),
        Column("name", "Customer", "text"),
        Column("value", "Revenue", "money"),
        Column("share", "Share", "share"),
        Column("share_after", "Running share", "share"),
        Column("grade", "Class", "class"),
        Column("since", "Customer since", "date"),
    )
    a = int((grade == "A").sum())
    return result(
        "abc",
        {"customers": (columns, table)},
        (
            Chart(
                "pareto",
                "customers",
                "pareto",
                x="customer_id",
                y="value",
                color="grade",
                title="Few customers carry most of the revenue",
            ),
        ),
        title="ABC analysis",
        question="Which customers carry most of the value?",
        figures=(
            Figure(
                "customers_a",
                "Customers in class A",
                "count",
                "Customers who together bring 80 % of the value.",
                headline=True,
            ),
            Figure("total", "Revenue", "money", "Net revenue in the window.", "up", headline=True),
        ),
        values={"customers_a": a, "total": float(value.sum())},
        lines=(say("{n} customers bring {share} of the revenue.", n=a, share=Share(0.8)),),
        quality=Quality(n=n, excluded=3),
    )


def concentration() -> Result:
    rng = np.random.default_rng(3)
    v = np.sort(rng.pareto(1.12, 640) * 9000 + 120)
    y = np.cumsum(v) / v.sum()
    x = np.arange(1, 641) / 640
    columns = (Column("customers", "Customers", "share"), Column("value", "Value", "share"))
    return result(
        "concentration",
        {"curve": (columns, pa.table({"customers": x, "value": y}))},
        (
            Chart(
                "lorenz", "curve", "lorenz", x="customers", y="value", title="How unequal the customers are"
            ),
        ),
        title="Concentration",
        figures=(
            Figure("gini", "Gini", "number", "0 = all equal, 1 = one customer has everything.", "", True),
            Figure(
                "effective_customers",
                "Effective customers",
                "number",
                "As many equal customers would be as concentrated.",
                "up",
                True,
            ),
        ),
        values={"gini": 0.7312, "effective_customers": 23.4},
        estimates={"gini": Estimate(0.7312, 0.702, 0.758, 0.95, "bootstrap")},
        lines=("The largest customer brings 12 % of the revenue.",),
    )


def bars() -> Result:
    industries = [
        "Machinery",
        "Food and beverages",
        "Chemicals",
        "Automotive suppliers",
        "Construction",
        "Energy",
        "Logistics",
        "Retail",
        "Hospitals and nursing homes in public ownership",
        "Paper",
        "Textiles",
        "Software",
        "Printing",
        "Agriculture",
        "Glass",
        "Toys",
        "Jewellery",
        "Shipping",
        "Others",
    ]
    revenue = [
        4.2e6,
        3.1e6,
        2.9e6,
        1.7e6,
        1.2e6,
        9e5,
        8.1e5,
        6.4e5,
        5e5,
        4.1e5,
        3.3e5,
        2.2e5,
        1.8e5,
        1.1e5,
        9e4,
        7e4,
        4e4,
        2e4,
        1e4,
    ]
    rate = [
        0.82,
        0.71,
        0.9,
        0.66,
        0.74,
        0.81,
        0.6,
        0.55,
        0.93,
        0.7,
        0.68,
        0.79,
        0.6,
        0.5,
        0.4,
        0.9,
        0.85,
        0.7,
        0.6,
    ]
    table = pa.table(
        {
            "industry": industries,
            "revenue": revenue,
            "rate": rate,
            "low": [r - 0.08 for r in rate],
            "high": [min(r + 0.06, 1) for r in rate],
        }
    )
    grades = pa.table({"grade": ["A", "B", "C", "N"], "margin": [1.9e6, 4.1e5, 1.2e5, -9.4e4]})
    decile = pa.table(
        {
            "decile": list(range(1, 11)),
            "revenue": [x * 1e5 for x in (72, 12, 6, 3.9, 2.6, 1.7, 1.1, 0.7, 0.4, 0.1)],
        }
    )
    kinds = pa.table(
        {
            "region": [r for r in ("North", "South", "West") for _ in "ABC"],
            "grade": list("ABC") * 3,
            "n": [40, 80, 210, 33, 60, 150, 12, 30, 99],
        }
    )
    return result(
        "segments",
        {
            "segments": (
                (
                    Column("industry", "Industry"),
                    Column("revenue", "Revenue", "money"),
                    Column("rate", "Retention", "share"),
                    Column("low", "Low", "share"),
                    Column("high", "High", "share"),
                ),
                table,
            ),
            "grades": ((Column("grade", "Class", "class"), Column("margin", "Margin", "money")), grades),
            "deciles": (
                (Column("decile", "Decile", "number"), Column("revenue", "Revenue", "money")),
                decile,
            ),
            "regions": (
                (
                    Column("region", "Region"),
                    Column("grade", "Class", "class"),
                    Column("n", "Customers", "count"),
                ),
                kinds,
            ),
        },
        (
            Chart("revenue", "segments", "bar", x="industry", y="revenue", title="Revenue by industry"),
            Chart(
                "rate",
                "segments",
                "bar",
                x="industry",
                y="rate",
                title="Retention by industry, with 95 % intervals",
                options={"low": "low", "high": "high", "limit": 8},
            ),
            Chart("margin", "grades", "bar", x="grade", y="margin", color="grade", title="Margin by class"),
            Chart(
                "deciles",
                "deciles",
                "bar",
                x="decile",
                y="revenue",
                title="Revenue by tenth of the customers",
            ),
            Chart("mix", "regions", "bar", x="region", y="n", color="grade", title="Classes by region"),
        ),
        title="Segments",
    )


def movement() -> Result:
    steps = ["opening", "new", "reactivated", "up", "down", "lost", "closing"]
    amounts = [5.21e6, 6.2e5, 8.4e4, 7.3e5, -5.1e5, -4.2e5, 5.714e6]
    grades = [
        ("A", "A", 61),
        ("A", "B", 12),
        ("A", "C", 4),
        ("A", "lost", 3),
        ("B", "A", 9),
        ("B", "B", 88),
        ("B", "C", 31),
        ("B", "lost", 14),
        ("C", "A", 2),
        ("C", "B", 19),
        ("C", "C", 240),
        ("C", "lost", 77),
        ("new", "A", 3),
        ("new", "B", 12),
        ("new", "C", 68),
    ]
    flows = pa.table(
        {
            "before": [g[0] for g in grades],
            "after": [g[1] for g in grades],
            "customers": [g[2] for g in grades],
        }
    )
    return result(
        "movement",
        {
            "bridge": (
                (Column("step", "Step", "class"), Column("amount", "Amount", "money")),
                pa.table({"step": steps, "amount": amounts}),
            ),
            "migration": (
                (
                    Column("before", "Class before", "class"),
                    Column("after", "Class after", "class"),
                    Column("customers", "Customers", "count"),
                ),
                flows,
            ),
        },
        (
            Chart("bridge", "bridge", "bridge", x="step", y="amount", title="What changed the revenue"),
            Chart(
                "flow",
                "migration",
                "flow",
                x="before",
                y="after",
                color="customers",
                title="Where customers moved",
            ),
        ),
        title="Movement",
        lines=(say("Revenue rose by {n}.", n=504000),),
        figures=(Figure("change", "Change of revenue", "money", "Closing minus opening.", "up", True),),
        values={"change": 504000.0},
    )


def cohorts(months: int = 12) -> Result:
    rng = np.random.default_rng(5)
    born, age, share, customers = [], [], [], []
    for c in range(months):
        base = 1.0
        for k in range(months - c):
            base = 1.0 if k == 0 else base * (0.62 if k == 1 else 0.93) * float(rng.uniform(0.93, 1.05))
            born.append(
                date(2023 + c // 12, c % 12 + 1, 1) if months <= 12 else date(2019 + c // 12, c % 12 + 1, 1)
            )
            age.append(k)
            share.append(base)
            customers.append(int(50 + 30 * rng.random()))
    table = pa.table({"cohort": born, "age": age, "share_active": share, "customers": customers})
    stack = pa.table(
        {
            "month": [date(2020 + y, 1, 1) for y in range(5) for c in range(y + 1)],
            "cohort": [2020 + c for y in range(5) for c in range(y + 1)],
            "revenue": [2.2e6 * 0.8 ** (y - c) * (1 + 0.1 * c) for y in range(5) for c in range(y + 1)],
        }
    )
    columns = (
        Column("cohort", "First order", "month"),
        Column("age", "Months since the first order", "months"),
        Column("share_active", "Share active", "share"),
        Column("customers", "Customers", "count"),
    )
    return result(
        "cohorts",
        {
            "triangle": (columns, table),
            "stack": (
                (
                    Column("month", "Year", "date"),
                    Column("cohort", "Cohort", "number"),
                    Column("revenue", "Revenue", "money"),
                ),
                stack,
            ),
        },
        (
            Chart(
                "triangle",
                "triangle",
                "cohorts",
                x="age",
                y="cohort",
                color="share_active",
                title="Share of customers still ordering",
            ),
            Chart(
                "stack",
                "stack",
                "area",
                x="month",
                y="revenue",
                color="cohort",
                title="Revenue by year of the first order",
            ),
        ),
        title="Cohorts",
        lines=("After a year, 41 % of the customers still order.",),
    )


def retention() -> Result:
    months = [date(2022 + i // 12, i % 12 + 1, 1) for i in range(24)]
    nrr = [1.02 + 0.06 * np.sin(i / 4) for i in range(24)]
    grr = [0.88 + 0.03 * np.sin(i / 3) for i in range(24)]
    both = pa.table(
        {
            "month": months * 2,
            "measure": ["NRR"] * 24 + ["GRR"] * 24,
            "value": nrr + grr,
            "low": [v - 0.04 for v in nrr + grr],
            "high": [v + 0.04 for v in nrr + grr],
        }
    )
    columns = (
        Column("month", "Month", "month"),
        Column("measure", "Measure", "text"),
        Column("value", "Retention", "share"),
        Column("low", "Low", "share"),
        Column("high", "High", "share"),
    )
    return result(
        "retention",
        {"course": (columns, both)},
        (
            Chart(
                "course",
                "course",
                "line",
                x="month",
                y="value",
                color="measure",
                title="Revenue retention",
                options={"low": "low", "high": "high", "zero": False},
            ),
        ),
        title="Retention",
        quality=Quality(n=80).because("amber", "Only 14 cases: indicative."),
        figures=(
            Figure(
                "nrr",
                "Net revenue retention",
                "share",
                "Revenue of last year's customers this year, divided by last year's.",
                "up",
                True,
            ),
        ),
        values={"nrr": 1.034},
        estimates={"nrr": Estimate(1.034, 0.981, 1.09, 0.95, "bootstrap over customers")},
        lines=("Existing customers bring 3.4 % more than a year ago.",),
    )


def spread(n: int = 900) -> Result:
    rng = np.random.default_rng(11)
    orders = rng.poisson(6, n) + 1
    value = np.round(np.exp(rng.normal(8, 1.3, n)) * orders / 6, 2)
    table = pa.table(
        {
            "name": [f"Kunde {i}" for i in range(n)],
            "orders": orders,
            "value": value,
            "grade": np.where(
                value > np.quantile(value, 0.9), "A", np.where(value > np.quantile(value, 0.6), "B", "C")
            ),
            "cv": np.abs(rng.normal(0.7, 0.3, n)),
        }
    )
    matrix = pa.table(
        {
            "abc": [a for a in "ABC" for _ in "XYZ"],
            "xyz": list("XYZ") * 3,
            "n": [40, 22, 9, 30, 61, 44, 21, 90, 310],
        }
    )
    return result(
        "xyz",
        {
            "customers": (
                (
                    Column("name", "Customer"),
                    Column("orders", "Orders", "count"),
                    Column("value", "Revenue", "money"),
                    Column("grade", "Class", "class"),
                    Column("cv", "Variation", "number"),
                ),
                table,
            ),
            "matrix": (
                (
                    Column("abc", "Value", "class"),
                    Column("xyz", "Regularity", "class"),
                    Column("n", "Customers", "count"),
                ),
                matrix,
            ),
        },
        (
            Chart("values", "customers", "distribution", x="value", title="Revenue per customer"),
            Chart("variation", "customers", "distribution", x="cv", title="Variation of monthly revenue"),
            Chart(
                "map",
                "customers",
                "scatter",
                x="cv",
                y="value",
                color="grade",
                title="Value and regularity",
                options={
                    "log": "y",
                    "label": "name",
                    "x_split": 0.5,
                    "quadrants": (
                        "steady and large",
                        "uneven and large",
                        "steady and small",
                        "uneven and small",
                    ),
                },
            ),
            Chart("matrix", "matrix", "heatmap", x="xyz", y="abc", color="n", title="ABC and XYZ together"),
        ),
        title="XYZ",
    )


def all_results() -> list[Result]:
    return [abc(), concentration(), bars(), movement(), cohorts(), retention(), spread()]
