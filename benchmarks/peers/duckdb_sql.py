"""ABC, RFM and cohorts as somebody who knows DuckDB well writes them in SQL.

Three ways of getting from lines to customers, timed against each other; the fastest one counts:
`direct` asks the lines once for each question, `days` groups them to customer and day first, `months`
groups them to customer and month and counts the days of RFM apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

CENTS = "CAST(amount AS DECIMAL(18,2))"

# From lines to one row per customer: value of 12 months; recency, order days and value of 24 months;
# and the cells of the cohort matrix (month of the first order, months later, customers).
DIRECT = (
    f"""CREATE TEMP TABLE abc_values AS
        SELECT customer, sum({CENTS}) AS value FROM lines WHERE date >= DATE '2023-01-01' GROUP BY customer""",
    f"""CREATE TEMP TABLE rfm_values AS
        SELECT customer, max(date) AS last, count(*) AS frequency, sum(value) AS monetary
        FROM (SELECT customer, date, sum({CENTS}) AS value FROM lines
              WHERE date >= DATE '2022-01-01' GROUP BY customer, date)
        GROUP BY customer""",
    """CREATE TEMP TABLE cells AS
        WITH months AS (SELECT DISTINCT customer, year(date) * 12 + month(date) AS month FROM lines),
             firsts AS (SELECT customer, min(month) AS cohort FROM months GROUP BY customer)
        SELECT cohort, month - cohort AS age, count(*) AS active
        FROM months JOIN firsts USING (customer) GROUP BY cohort, age""",
)
DAYS = (
    f"""CREATE TEMP TABLE days AS
        SELECT customer, date, sum({CENTS}) AS value FROM lines GROUP BY customer, date""",
    """CREATE TEMP TABLE people AS
        SELECT customer, max(date) AS last, min(year(date) * 12 + month(date)) AS cohort,
               sum(value) FILTER (date >= DATE '2023-01-01') AS value,
               count(*) FILTER (date >= DATE '2022-01-01') AS frequency,
               sum(value) FILTER (date >= DATE '2022-01-01') AS monetary
        FROM days GROUP BY customer""",
    "CREATE TEMP VIEW abc_values AS SELECT customer, value FROM people WHERE value IS NOT NULL",
    "CREATE TEMP VIEW rfm_values AS SELECT customer, last, frequency, monetary FROM people WHERE frequency > 0",
    """CREATE TEMP TABLE cells AS
        SELECT cohort, month - cohort AS age, count(*) AS active
        FROM (SELECT DISTINCT customer, year(date) * 12 + month(date) AS month FROM days)
        JOIN people USING (customer) GROUP BY cohort, age""",
)
MONTHS = (
    f"""CREATE TEMP TABLE months AS
        SELECT customer, year(date) * 12 + month(date) AS month, max(date) AS last, sum({CENTS}) AS value
        FROM lines GROUP BY customer, month""",
    """CREATE TEMP TABLE people AS
        SELECT customer, max(last) AS last, min(month) AS cohort,
               sum(value) FILTER (month > 2022 * 12 + 12) AS value,
               sum(value) FILTER (month > 2021 * 12 + 12) AS monetary
        FROM months GROUP BY customer""",
    "CREATE TEMP VIEW abc_values AS SELECT customer, value FROM people WHERE value IS NOT NULL",
    """CREATE TEMP TABLE rfm_values AS
        SELECT customer, last, frequency, monetary FROM people JOIN (
            SELECT customer, count(*) AS frequency FROM (
                SELECT DISTINCT customer, date FROM lines WHERE date >= DATE '2022-01-01')
            GROUP BY customer) USING (customer)""",
    """CREATE TEMP TABLE cells AS
        SELECT cohort, month - cohort AS age, count(*) AS active
        FROM months JOIN people USING (customer) GROUP BY cohort, age""",
)
# What our own engine room does, by hand: one grouping by customer, its months as the bits of a number.
BITS = (
    f"""CREATE TEMP TABLE people AS
        SELECT customer, max(date) AS last,
               min(year(date) * 12 + month(date)) - (2019 * 12 + 1) AS cohort,
               sum({CENTS}) FILTER (date >= DATE '2023-01-01') AS value,
               sum({CENTS}) FILTER (date >= DATE '2022-01-01') AS monetary,
               bit_or(1::BIGINT << (year(date) * 12 + month(date) - (2019 * 12 + 1))) AS bits
        FROM lines GROUP BY customer""",
    MONTHS[2],
    MONTHS[3],
    """CREATE TEMP TABLE cells AS
        SELECT cohort, age, count(*) AS active
        FROM people, range(0, 60) r(age) WHERE (bits >> (cohort + age)) & 1 = 1 GROUP BY cohort, age""",
)

ABC = """
    WITH run AS (
        SELECT customer, value, sum(value) OVER () AS total,
               sum(value) OVER (ORDER BY value DESC) AS through,  -- by value, so equal customers are one step
               sum(value) OVER (PARTITION BY value) AS tied,
               sum(value) OVER (ORDER BY value DESC, customer ROWS UNBOUNDED PRECEDING) AS down
        FROM abc_values)
    SELECT customer, value, value / total AS share, down / total AS share_after,
           CASE WHEN (through - tied) * 100 < total * 80 THEN 'A'
                WHEN (through - tied) * 100 < total * 95 THEN 'B' ELSE 'C' END AS grade
    FROM run ORDER BY value DESC, customer"""
RFM = """
    WITH ranks AS (
        SELECT *, DATE '2024-01-01' - last AS recency, count(*) OVER () AS n,
               2 * rank() OVER (ORDER BY last) - 2 + count(*) OVER (PARTITION BY last) AS r2,
               2 * rank() OVER (ORDER BY frequency) - 2 + count(*) OVER (PARTITION BY frequency) AS f2,
               2 * rank() OVER (ORDER BY monetary) - 2 + count(*) OVER (PARTITION BY monetary) AS m2
        FROM rfm_values)
    SELECT customer, recency, frequency, monetary, (5 * r2 + 2 * n - 1) // (2 * n) AS r,
           (5 * f2 + 2 * n - 1) // (2 * n) AS f, (5 * m2 + 2 * n - 1) // (2 * n) AS m
    FROM ranks ORDER BY r DESC, f DESC, m DESC, monetary DESC, customer"""
CELLS = "SELECT cohort, age, active FROM cells ORDER BY cohort, age"

WAYS = {"direct": DIRECT, "days": DAYS, "months": MONTHS, "bits": BITS}


def answer(path: Path, way: str) -> dict[str, Any]:
    """The tables abc, rfm and cohorts as Arrow tables."""
    import duckdb

    con = duckdb.connect(config={"preserve_insertion_order": False})
    con.execute(f"CREATE TEMP VIEW lines AS SELECT * FROM read_parquet('{path}')")
    for step in WAYS[way]:
        con.execute(step).fetchall()
    return {
        name: con.sql(sql).to_arrow_table() for name, sql in (("abc", ABC), ("rfm", RFM), ("cohorts", CELLS))
    }
