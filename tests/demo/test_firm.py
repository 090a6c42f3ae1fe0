"""The firm is the same for the same seed, its tables are canonical and fit together."""

from dataclasses import replace

import pyarrow.compute as pc
import pytest

from klientel.demo import firm as firm_module
from klientel.demo import streams as streams_module
from klientel.demo.firm import simulate
from klientel.demo.layouts import NOT_YET
from klientel.demo.settings import DEFAULT
from klientel.errors import BadParameter
from klientel.schema import TABLES


def same(a, b, but=()):
    return {name: a.tables()[name].equals(b.tables()[name]) for name in a.tables() if name not in but}


def test_same_seed_same_firm(firm):
    again = simulate()
    assert all(same(firm, again).values())
    assert again.truth == firm.truth


def test_another_seed_is_another_firm(firm):
    other = same(firm, simulate(seed=8), but=("product_group", "customer_succession"))
    assert not any(other.values())


@pytest.mark.parametrize("customers", [20, 57, 300])
@pytest.mark.parametrize("years", [1, 4])
def test_small_and_long_firms(customers, years):
    made = simulate(3, customers, years)
    assert made.truth.customers.num_rows == customers
    assert made.start.year == 2024 - years
    assert pc.min(made.orders["order_date"]).as_py() >= made.start
    assert pc.max(made.orders["order_date"]).as_py() < made.as_of


@pytest.mark.parametrize(("customers", "years"), [(19, 3), (0, 3), (100, 0), (100, 21)])
def test_impossible_firms_are_refused(customers, years):
    with pytest.raises(BadParameter, match="simulated firm"):
        simulate(1, customers, years)


def test_columns_are_canonical(firm):
    for name, table in firm.tables().items():
        if name not in TABLES:
            continue  # written for later
        extra = NOT_YET.get(name, frozenset())
        assert set(table.column_names) <= set(TABLES[name].names()) | extra, name
        for group in TABLES[name].required:
            assert set(group) & set(table.column_names), (name, group)


def test_keys_are_unique_and_found(firm):
    tables = firm.tables()
    for name in ("customer", "order_header", "product", "project_contract", "rep"):
        key = TABLES[name].key[0]
        assert len(set(tables[name][key].to_pylist())) == tables[name].num_rows, name
    customers = set(firm.customers["customer_id"].to_pylist())
    orders = set(firm.orders["order_id"].to_pylist())
    assert set(firm.order_lines["order_id"].to_pylist()) == orders
    assert set(firm.order_lines["product_id"].to_pylist()) <= set(firm.products["product_id"].to_pylist())
    reps = set(firm.reps["rep_id"].to_pylist())
    assert set(firm.customers["owner_rep_id"].to_pylist()) == set(firm.orders["rep_id"].to_pylist()) == reps
    for table, column, known in (
        (firm.orders, "customer_id", customers),
        (firm.credit_notes, "customer_id", customers),
        (firm.contracts, "customer_id", customers),
        (firm.customers, "parent_customer_id", customers),
        (firm.credit_notes, "original_order_id", orders),
        (firm.orders, "contract_id", set(firm.contracts["contract_id"].to_pylist())),
    ):
        found = set(table[column].to_pylist()) - {None}
        assert found
        assert found <= known, column


def test_names_are_different(firm):
    inside = firm.customers["name"].to_pylist()[:1200]
    assert len(set(inside)) == 1200


def test_the_size_that_was_promised(firm):
    assert firm.reps.num_rows == 8
    assert len(set(firm.reps["team_id"].to_pylist())) == 3
    assert firm.products.num_rows == 150
    assert firm.product_groups.num_rows == 12
    assert set(firm.orders["currency"].to_pylist()) == {"EUR", "CHF"}
    assert firm.successions.num_rows == 3
    assert 1200 < firm.customers.num_rows < 1320


def test_outsiders_never_buy(firm):
    outside = firm.customers.filter(pc.field("relation_type") != "customer")
    assert set(outside["relation_type"].to_pylist()) == {"lead", "prospect", "partner"}
    ids = set(outside["customer_id"].to_pylist())
    assert not ids & set(firm.orders["customer_id"].to_pylist())
    assert not ids & set(firm.contracts["customer_id"].to_pylist())


CHANGES = [
    (replace(DEFAULT, credit_share=0.05), {"credit_note_line"}),
    (replace(DEFAULT, order_sigma=0.9), {"order_line", "credit_note_line"}),
    (replace(DEFAULT, chf_drift=0.01), {"fx_rate", "order_line", "credit_note_line"}),
    (replace(DEFAULT, price_increase=(0.2, 0.034)), {"product", "order_line", "credit_note_line"}),
]


@pytest.mark.parametrize(("settings", "touched"), CHANGES)
def test_a_change_stays_where_it_belongs(firm, settings, touched):
    other = simulate(settings=settings)
    assert {name for name, equal in same(firm, other).items() if not equal} == touched


def test_a_new_kind_of_record_leaves_the_others_alone(firm, monkeypatch):
    names = (*streams_module.NAMES, "visits", "opportunities")
    monkeypatch.setattr(streams_module, "NAMES", names)
    assert all(same(firm, simulate()).values())


def test_drawing_more_from_one_stream_leaves_the_others_alone(firm, monkeypatch):
    def thirstier(seed):
        made = streams_module.streams(seed)
        made["names"].random(1_000)
        return made

    monkeypatch.setattr(firm_module, "streams", thirstier)
    other = same(firm, simulate())
    # Those that hold a company's name, its address for mail, or the channel it came by, follow it.
    follow = (
        "customer",
        "contact",
        "lead",
        "opportunity",
        "opportunity_stage_hist",
        "interaction",
        "touchpoint",
    )
    for name in (*follow, "competitor_observation"):
        other.pop(name)
    assert all(other.values())


def test_the_summary_speaks_german(firm):
    assert "1,200 customers" in firm.summary()
    assert firm.summary().values["revenue"] == firm.truth.revenue
