# ruff: noqa: E501 - headers and expectations of one case belong on one line
"""What a person says with --map wins, and what is wrong about it is said with the nearest name."""

from __future__ import annotations

import pytest
from making import Table, make, run, taken

from klientel.errors import BadParameter

LINES = "Kunde=customer>-; Datum=date>-; Betrag=money>-; Bonus=money>-; Sparte=group>-"


def _lines(file: str = "export.csv") -> Table:
    return make(LINES, file)[0]


def test_a_named_column_wins() -> None:
    found = run(_lines(), overrides={"order_line.net_amount": "Bonus"})
    assert taken(found)["Bonus"] == "net_amount"
    assert found[0].columns["net_amount"].confidence == 1.0
    assert found[0].columns["net_amount"].why == "as you said"
    assert "Betrag" in found[0].unmapped


@pytest.mark.parametrize(
    "left", ["order_lines.revenue", "lines.amount", "sales.value", "Order_Line.net_amount"]
)
@pytest.mark.parametrize("header", ["Bonus", "bonus", " BONUS "])
def test_aliases_and_spellings_are_accepted(left: str, header: str) -> None:
    assert taken(run(_lines(), overrides={left: header}))["Bonus"] == "net_amount"


def test_a_dash_leaves_a_column_out() -> None:
    found = run(_lines(), overrides={"order_line.order_date": "-"})
    assert "order_date" not in found[0].columns


@pytest.mark.parametrize("left", ["-.Betrag", "export.csv:-.Betrag", "-.betrag"])
def test_a_header_can_be_left_out(left: str) -> None:
    """Nothing is made of it, and the column that it would have been goes to the next that fits, if any does."""
    plain = run(_lines())
    assert plain[0].columns["net_amount"].header == "Betrag"
    found = run(_lines(), overrides={left: "-"})
    assert all(m.header != "Betrag" for r in found for m in [*r.columns.values(), *r.attributes.values()])
    assert "Betrag" in found[0].unmapped


def test_a_header_that_is_not_there_cannot_be_left_out() -> None:
    with pytest.raises(BadParameter, match="Betrag"):
        run(_lines(), overrides={"-.Betrga": "-"})
    with pytest.raises(BadParameter, match="There is no file"):
        run(_lines(), overrides={"other.csv:-.Betrag": "-"})


def test_a_file_can_be_named_a_table() -> None:
    made, _ = make("Kd=unique>-; Firma=firm>-; Ort=city>-", "liste.csv", 15)
    assert run(made, overrides={"liste.csv": "lead"})[0].table == "lead"
    left_out = run(made, overrides={"liste.csv": "-"})[0]
    assert left_out.table is None
    assert "as you said" in left_out.why


def test_a_column_can_be_named_for_one_file() -> None:
    found = run(_lines("a.csv"), _lines("b.csv"), overrides={"a.csv:order_line.net_amount": "Bonus"})
    primary = [r for r in found if not r.secondary]
    assert [r.columns["net_amount"].header for r in primary] == ["Bonus", "Betrag"]


def test_a_column_of_the_customer_inside_a_flat_file() -> None:
    found = run(_lines(), overrides={"customer.industry": "Sparte"})
    assert found[0].table == "order_line"
    assert taken(found)["Sparte"] == "@customer.industry_code"


def test_named_columns_turn_a_file_that_would_be_nothing_into_lines() -> None:
    made, _ = make(
        "a b c=firm>-; d e f=unique>-; g h i=money>-; j k=money>-; l m=money>-; n=text>-; o p=text>-; q r=text>-; s t=text>-",
        rows=15,
    )
    assert run(made)[0].table is None
    found = run(made, overrides={"order_line.customer": "a b c", "order_line.revenue": "j k"})
    assert found[0].table == "order_line"
    assert {n: m.header for n, m in found[0].columns.items()} == {"customer_id": "a b c", "net_amount": "j k"}


def test_a_customer_list_can_be_told_to_be_sales() -> None:
    made, _ = make(
        "account=firm>-; sector=industry>-; year_established=founded>-; revenue=dot>-; employees=employees>-",
        "accounts.csv",
        15,
    )
    found = run(made, overrides={"order_line.net_amount": "revenue"})
    assert [r.table for r in found] == ["order_line", "customer"]
    assert taken(found)["revenue"] == "net_amount"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"order_lin.net_amount": "Betrag"}, 'did you mean "order_line"'),
        ({"order_line.net_amout": "Betrag"}, 'did you mean "net_amount"'),
        ({"order_line.net_amount": "Betrg"}, 'did you mean "Betrag"'),
        ({"exprt.csv:order_line.net_amount": "Betrag"}, 'did you mean "export.csv"'),
        ({"export.csv": "custmer"}, 'did you mean "customer"'),
        ({"nonsense": "Betrag"}, "not of the form"),
        ({"order_line.net_amount": "zzzzzz"}, "there are Kunde, Datum"),
        ({"order_line.qqqq": "Betrag"}, "it has order_id"),
        ({"qqqq.net_amount": "Betrag"}, "the tables are customer"),
    ],
)
def test_wrong_names_are_answered_with_the_nearest(overrides: dict[str, str], said: str) -> None:
    with pytest.raises(BadParameter) as wrong:
        run(_lines(), overrides=overrides)
    assert said in str(wrong.value)
    assert wrong.value.exit_code == 2


def test_a_header_in_several_files_asks_which() -> None:
    one = make(
        "Nr=unique>-; Wert=money>-; Thema=text>-; x1=text>-; x2=text>-; x3=text>-; x4=text>-; x5=text>-; x6=text>-",
        "a.csv",
        15,
    )[0]
    two = make(
        "Nr=unique>-; Wert=money>-; Grund=text>-; y1=text>-; y2=text>-; y3=text>-; y4=text>-; y5=text>-; y6=text>-",
        "b.csv",
        15,
    )[0]
    with pytest.raises(BadParameter, match="say which with --map"):
        run(one, two, overrides={"project_contract.recurring_amount": "Wert"})
