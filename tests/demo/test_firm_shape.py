"""The firm looks like one: concentration, growth, seasons, losses."""

from itertools import pairwise

import duckdb
import numpy as np
import pytest

from klientel.demo.firm import simulate

LINES = """
    create view sold as
    select h.customer_id, h.order_date as day, h.order_id,
           l.net_amount * case when h.currency = 'CHF' then r.rate else 1 end as eur
    from order_line l join order_header h using (order_id)
    left join fx_rate r on h.currency = r.from_currency and r.date = date_trunc('month', h.order_date)
"""


def opened(firm):
    connection = duckdb.connect()
    for name, table in firm.tables().items():
        connection.register(name, table)
    connection.register("truth", firm.truth.customers)
    connection.execute(LINES)
    return lambda text: connection.execute(text).fetchall()


@pytest.fixture(scope="module", params=[7, 2024])
def sql(request, firm):
    return opened(firm if request.param == 7 else simulate(request.param))


def values(sql):
    rows = sql(
        "select sum(eur) from sold where day >= date '2023-10-01' group by customer_id having sum(eur) > 0"
    )
    return np.sort(np.array([float(v) for (v,) in rows]))


def test_concentration(sql):
    v = values(sql)
    n = len(v)
    gini = 2 * (np.arange(1, n + 1) * v).sum() / (n * v.sum()) - (n + 1) / n
    assert 0.6 < gini < 0.8
    assert v[-1] / v.sum() < 0.10


def test_a_customers(sql):
    v = values(sql)[::-1]
    before = (v.cumsum() - v) / v.sum()
    assert 0.10 < (before < 0.8).mean() < 0.25


def test_most_customers_buy_in_a_year(sql):
    assert 850 < len(values(sql)) < 1100


def test_losses_over_three_years(sql):
    lost, back = sql("select avg(lost::int), count(pause_end) from truth where not newcomer")[0]
    assert 0.16 < lost < 0.26  # 930 customers: one standard deviation is 0.013
    assert back >= 5


def test_the_demo_loses_a_fifth(firm):
    (lost,) = opened(firm)("select avg(lost::int) from truth where not newcomer")[0]
    assert 0.18 < lost < 0.25


def yearly(sql):
    rows = sql("select year(day + interval 3 month) as fy, sum(eur) from sold group by fy order by fy")
    return [float(value) for _, value in rows]


def test_growth(sql):
    years = yearly(sql)
    assert len(years) == 3
    assert all(0.98 < b / a < 1.13 for a, b in pairwise(years))


def test_the_demo_itself_grows_every_year(firm):
    assert all(1.04 < b / a < 1.10 for a, b in pairwise(yearly(opened(firm))))


def test_growth_of_a_firm_too_large_for_chance(large):
    assert all(1.025 < b / a < 1.08 for a, b in pairwise(yearly(opened(large))))


def test_august_and_december_are_quiet(sql):
    rows = sql("select month(day), count(distinct order_id) from sold group by 1")
    orders = dict(rows)
    quiet = {8, 12}
    assert max(orders[m] for m in quiet) < min(n for m, n in orders.items() if m not in quiet)
    assert orders[12] < 0.75 * np.mean(list(orders.values()))


def test_nobody_orders_on_weekends_or_over_christmas(sql):
    days = "select count(*) from order_header where isodow(order_date) > 5"
    assert sql(days) == [(0,)]
    closed = "select count(*) from order_header where contract_id is null "
    closed += "and month(order_date) = 12 and day(order_date) > 23"
    assert sql(closed) == [(0,)]


def test_construction_rests_in_winter(sql):
    rows = dict(
        sql("""
        select industry_code = 'Construction', avg((month(order_date) in (1, 2))::int)
        from order_header join customer using (customer_id) where contract_id is null group by 1
    """)
    )
    assert rows[True] < 0.75 * rows[False]


def test_larger_customers_get_larger_discounts(sql):
    rows = sql("""
        select size_class, avg(discount_share) from order_line join order_header using (order_id)
        join customer using (customer_id) where contract_id is null group by 1
    """)
    discount = dict(rows)
    ordered = [float(discount[s]) for s in ("1-49", "50-249", "250-999", "1000+")]
    assert ordered == sorted(ordered)
    assert ordered[0] < 0.06 < 0.15 < ordered[-1]


def test_groups_have_a_head_that_is_nobody_s_child(sql):
    heads = sql(
        "select count(distinct parent_customer_id), count(*) from customer "
        "where parent_customer_id is not null"
    )
    assert heads[0][0] >= 8
    assert heads[0][1] > heads[0][0]
    assert sql(
        "select count(*) from customer c join customer p on p.customer_id = c.parent_customer_id "
        "where p.parent_customer_id is not null"
    ) == [(0,)]
