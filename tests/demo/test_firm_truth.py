"""The stated truth is what the tables say: sums to the cent, and nobody orders after leaving."""

from decimal import Decimal

import duckdb
import pyarrow.compute as pc
import pytest

from klientel.errors import BadParameter

BOOKED = """
    create view booked as
    select h.customer_id, h.order_date as day, h.currency, h.contract_id,
           l.net_amount as amount, l.qty * l.unit_cost as cost
    from order_line l join order_header h using (order_id)
    union all by name
    select customer_id, date as day, currency, -net_amount as amount, 0 as cost from credit_note_line
"""
IN_EUR = """
    select {what} from booked b left join fx_rate r
      on b.currency = r.from_currency and r.to_currency = 'EUR' and r.date = date_trunc('month', b.day)
"""
EUR = "sum(amount * case when b.currency = 'CHF' then r.rate else 1 end)"


@pytest.fixture(scope="module")
def sql(firm):
    connection = duckdb.connect()
    for name, table in firm.tables().items():
        connection.register(name, table)
    connection.register("truth", firm.truth.customers)
    connection.execute(BOOKED)
    return lambda text: connection.execute(text).fetchall()


def test_revenue_is_the_sum_of_lines_less_credit_notes(firm, sql):
    assert sql(IN_EUR.format(what=EUR))[0][0] == firm.truth.revenue
    assert sum(firm.truth.customers["revenue"].to_pylist()) == firm.truth.revenue


def test_margin_is_revenue_less_costs(firm, sql):
    assert sql(IN_EUR.format(what=EUR.replace("amount", "(amount - cost)")))[0][0] == firm.truth.margin
    assert Decimal("0.25") < firm.truth.margin / firm.truth.revenue < Decimal("0.40")


def test_sums_by_currency(firm, sql):
    lines = dict(
        sql("select currency, sum(net_amount) from order_line join order_header using (order_id) group by 1")
    )
    credits = dict(sql("select currency, sum(net_amount) from credit_note_line group by 1"))
    assert lines == firm.truth.invoiced
    assert credits == firm.truth.credited


def test_every_customer_s_revenue(sql):
    off = f"""
        with own as ({IN_EUR.format(what="b.customer_id, " + EUR + " as revenue")} group by 1)
        select count(*) from truth left join own using (customer_id)
        where truth.revenue <> coalesce(own.revenue, 0)
    """
    assert sql(off) == [(0,)]


def test_counts(firm, sql):
    assert firm.truth.orders == firm.orders.num_rows
    assert firm.truth.order_lines == firm.order_lines.num_rows
    assert sql(
        "with o as (select customer_id, count(*) n from order_header group by 1) "
        "select count(*) from truth t left join o using (customer_id) where t.orders <> coalesce(o.n, 0)"
    ) == [(0,)]


def test_a_line_is_quantity_times_price_less_discount(sql):
    wrong = "select count(*) from order_line "
    wrong += "where abs(net_amount - qty * invoice_price * (1 - discount_share)) > 0.0051"
    assert sql(wrong) == [(0,)]
    assert sql(
        "select count(*) from order_line where qty < 1 or net_amount < 0 or invoice_price > list_price"
    ) == [(0,)]


def test_no_order_before_the_first_day_or_after_the_last(sql):
    strangers = """
        select count(*) from order_header o join truth t using (customer_id)
        where o.order_date < t.acquired_on or o.order_date >= t.dropout_on
           or (o.order_date >= t.pause_start and o.order_date < t.pause_end)
           or o.order_date >= t.merged_on
    """
    assert sql(strangers) == [(0,)]
    assert sql("select count(*) from truth where dropout_on < date '2024-10-01' and not lost")[0][0] == 0


def test_those_who_come_back_order_on_that_day(sql):
    back = "select count(*), count(o.order_date) from truth t left join order_header o "
    back += "on o.customer_id = t.customer_id and o.order_date = t.pause_end where t.pause_end is not null"
    returned, ordered = sql(back)[0]
    assert returned == ordered >= 5


def test_newcomers_order_on_their_first_day(sql):
    first = "select count(*) from truth t where newcomer and acquired_on <> "
    first += "(select min(order_date) from order_header o where o.customer_id = t.customer_id)"
    assert sql(first) == [(0,)]


def test_a_merger_moves_the_orders(sql):
    for old, new, day, kind in sql("select from_id, to_id, valid_from, kind from customer_succession"):
        assert kind == "merger"
        assert sql(
            f"select max(order_date) < date '{day}' from order_header where customer_id = '{old}'"
        ) == [(True,)]
        assert sql(f"select merged_into, merged_on from truth where customer_id = '{old}'") == [(new, day)]
        assert sql(
            f"select count(*) > 0 from order_header "
            f"where customer_id = '{new}' and order_date >= date '{day}'"
        )[0][0]


def test_credit_notes_follow_their_order_and_do_not_exceed_it(sql):
    late = "select count(*) from credit_note_line c "
    late += "join order_header o on o.order_id = c.original_order_id where {}"
    assert sql(late.format("c.date <= o.order_date or c.currency <> o.currency")) == [(0,)]
    assert sql(
        "select count(*) from credit_note_line where net_amount <= 0 or date >= date '2024-10-01'"
    ) == [(0,)]


def test_a_credited_line_is_never_given_back_twice_over(sql):
    too_much = """
        with back as (select original_order_id as order_id, product_id, sum(net_amount) as amount
                      from credit_note_line where original_order_id is not null group by 1, 2),
             sold as (select order_id, product_id, sum(net_amount) as amount from order_line group by 1, 2)
        select count(*) from back join sold using (order_id, product_id) where back.amount > sold.amount
    """
    assert sql(too_much) == [(0,)]


def test_some_customers_are_negative(firm, sql):
    window = (
        IN_EUR.format(what="b.customer_id, " + EUR + " as revenue")
        + "where day >= date '2023-10-01' group by 1"
    )
    negative = sql(f"select count(*) from ({window}) where revenue < 0")[0][0]
    assert 2 <= negative <= 12
    assert pc.sum(pc.less(firm.truth.customers["revenue"], 0)).as_py() >= 1


def test_loss_makers_lose_money(sql):
    margins = dict(
        sql("""
        select t.loss_maker, 1 - sum(b.cost) / sum(b.amount) from booked b join truth t using (customer_id)
        where b.amount > 0 and b.contract_id is null group by 1
    """)
    )
    assert margins[True] < 0 < 0.25 < margins[False]


def test_contracts_of_one_customer_follow_each_other(sql):
    rows = sql("""select count(*) filter (where start >= "end"), count(*) filter (where next < "end") from
        (select *, lead(start) over (partition by customer_id order by start) as next
         from project_contract)""")
    assert rows == [(0, 0)]
    running = sql(
        "select status, count(*) filter (where \"end\" <= date '2024-10-01') from project_contract group by 1"
    )
    assert dict(running)["running"] == 0


def test_flat_rates_are_billed_as_agreed(sql):
    wrong = """
        select count(*), count(*) filter (where l.net_amount <> c.recurring_amount or h.order_date < c.start
                                           or h.order_date >= c."end" or h.customer_id <> c.customer_id)
        from order_header h join order_line l using (order_id) join project_contract c using (contract_id)
    """
    billed, off = sql(wrong)[0]
    assert billed > 1000
    assert off == 0


def test_asking_for_one_customer(firm):
    told = firm.truth.of("100001")
    assert told["customer_id"] == "100001"
    assert told["rate"] > 0
    with pytest.raises(BadParameter, match="4711"):
        firm.truth.of("4711")
