"""What was stated can be found again in what was drawn, and in the orders alone."""

import duckdb
import numpy as np
import pytest

from klientel.demo.settings import DEFAULT, INDUSTRIES, SIZES


@pytest.fixture(scope="module")
def truth(large):
    return {name: large.truth.customers[name].to_numpy() for name in large.truth.customers.column_names}


@pytest.fixture(scope="module")
def sql(large):
    connection = duckdb.connect()
    for name, table in large.tables().items():
        connection.register(name, table)
    connection.register("truth", large.truth.customers)
    return lambda text: connection.execute(text).fetchnumpy()


def test_rates_are_gamma(truth):
    relative = truth["rate"] / truth["rate_mean"]
    assert relative.mean() == pytest.approx(1, abs=0.03)
    assert 1 / relative.var() == pytest.approx(DEFAULT.rate_shape, rel=0.08)


def test_the_shape_of_the_rates_is_in_the_orders(sql):
    """Negative binomial: var(n / (rate_mean T)) = 1/r + E[1 / (rate_mean T)], for those who never left."""
    got = sql("""
        select coalesce(n, 0) as n, t.rate_mean from truth t join customer c using (customer_id)
        left join (select customer_id, count(*) n from order_header group by 1) using (customer_id)
        where not newcomer
          and coalesce(dropout_on, date '2100-01-01') >= date '2024-10-01' and pause_start is null
          and c.contract_type = 'single orders' and merged_into is null
          and customer_id not in (select to_id from customer_succession)
    """)
    expected = got["rate_mean"] * 3
    relative = got["n"] / expected
    shape = 1 / (relative.var() - (1 / expected).mean())
    assert relative.mean() == pytest.approx(1, abs=0.03)
    assert shape == pytest.approx(DEFAULT.rate_shape, rel=0.10)


def test_dropout_rates_are_gamma(truth):
    scaled = truth["drop_rate"] * truth["lifetime_scale"]
    assert scaled.mean() == pytest.approx(DEFAULT.drop_shape, rel=0.03)
    assert scaled.mean() ** 2 / scaled.var() == pytest.approx(DEFAULT.drop_shape, rel=0.08)


def test_newcomers_survive_as_stated(truth):
    """P(alive t years after the first order) = (beta / (beta + t))^s for those seen for two years."""
    early = truth["newcomer"] & (truth["acquired_on"] < np.datetime64("2022-10-01"))
    never = np.datetime64("2999-01-01")
    end = np.where(np.isnat(truth["pause_start"]), truth["dropout_on"], truth["pause_start"]).astype(
        "datetime64[D]"
    )
    end = np.where(np.isnat(end), never, end)
    years = (end - truth["acquired_on"].astype("datetime64[D]")).astype(float)[early] / 365.25
    beta = truth["lifetime_scale"][early]
    for t in (1.0, 2.0):
        expected = (beta / (beta + t)) ** DEFAULT.drop_shape
        error = np.sqrt((expected * (1 - expected)).sum()) / early.sum()
        assert abs((years > t).mean() - expected.mean()) < 3.5 * error


def test_faithful_industries_lose_less(sql):
    got = sql(
        "select industry_code, avg(lost::int) as lost from truth join customer using (customer_id) group by 1"
    )
    lost = dict(zip(got["industry_code"], got["lost"], strict=True))
    scale = {i.name: i.lifetime_scale for i in INDUSTRIES}
    assert np.corrcoef([scale[k] for k in lost], list(lost.values()))[0, 1] < -0.8
    assert lost["Construction"] > 1.4 * lost["Medical technology"]


def test_sizes_and_industries_have_their_shares(sql):
    got = sql(
        "select size_class, count(*) / 12000.0 as share from customer "
        "where relation_type = 'customer' group by 1"
    )
    shares = dict(zip(got["size_class"], got["share"], strict=True))
    assert shares == pytest.approx({s.name: s.weight for s in SIZES}, abs=0.015)


def test_list_prices_rise_as_stated(sql):
    got = sql("""
        with price as (select product_id, year(order_date) as y, any_value(list_price)::double as p
                       from order_line join order_header using (order_id)
                       where currency = 'EUR' and contract_id is null and list_price > 20 group by 1, 2)
        select a.y, median(b.p / a.p - 1) as rise from price a join price b on a.product_id = b.product_id
        and b.y = a.y + 1 group by 1
    """)
    stated = dict(zip((2022, 2023, 2024), DEFAULT.price_increase, strict=True))
    assert dict(zip(got["y"] + 1, got["rise"], strict=True)) == pytest.approx(stated, abs=0.002)


def test_credit_notes_have_their_share(sql, large):
    goods = sql(
        "select count(*) as n from order_line join order_header using (order_id) where contract_id is null"
    )["n"][0]
    got = sql("""select count(*) as n, count(original_order_id) as named from credit_note_line
                 where reason in ('return', 'complaint', 'price correction')""")
    assert got["n"][0] / goods == pytest.approx(DEFAULT.credit_share, rel=0.10)
    assert got["named"][0] / got["n"][0] == pytest.approx(DEFAULT.credit_reference, abs=0.03)


def test_contract_types_follow_size(sql):
    got = sql("""select size_class, avg((contract_type = 'framework contract')::int) as share from customer
                 where relation_type = 'customer' group by 1""")
    shares = dict(zip(got["size_class"], got["share"], strict=True))
    stated = dict(zip([s.name for s in SIZES], DEFAULT.framework, strict=True))
    assert shares["1-49"] == pytest.approx(stated["1-49"], abs=0.02)
    assert shares["50-249"] == pytest.approx(stated["50-249"], abs=0.03)
    assert stated["1000+"] - 0.06 < shares["1000+"] < stated["1000+"] + 0.15  # key accounts add to them


def test_framework_customers_order_more_regularly(sql):
    got = sql("""
        with gaps as (select customer_id, contract_type, order_date - lag(order_date) over
                        (partition by customer_id order by order_date) as gap
                      from order_header o join customer using (customer_id) where contract_id is null),
             each as (select contract_type, stddev_pop(gap) / avg(gap) as cv from gaps
                      group by 1, customer_id having count(*) > 15 and avg(gap) > 5)
        select contract_type, median(cv) as cv from each group by 1
    """)
    cv = dict(zip(got["contract_type"], got["cv"], strict=True))
    assert cv["framework contract"] < 0.7 < 0.85 < cv["single orders"]
