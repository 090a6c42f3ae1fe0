"""SQL that reads raw columns as canonical ones and computes the amount of a line (handbook G4, G5)."""

from __future__ import annotations

from klientel.ingest.values import Profile, date_end_sql, date_sql, flag_sql, key_sql, number_sql, share_sql
from klientel.ingest.values.shapes import identifier, quoted
from klientel.money import SYMBOLS
from klientel.schema import Field

AMOUNT = "amount"
CREDIT_WORDS = (
    "gutschrift", "storno", "korrektur", "retoure", "rückgabe", "rücksendung", "credit", "cancel", "return", "refund",
    "reversal",
)  # fmt: skip


def text_sql(sql: str) -> str:
    """SQL of a value as text."""
    return f"CAST({sql} AS VARCHAR)"


def read_sql(wanted: Field, column: str, profile: dict[str, Profile]) -> str:
    """SQL that reads a raw column as the kind of a canonical field; NULL where it cannot be read."""
    known = profile[column]
    sql = identifier(column)
    match wanted.kind:
        case "money" | "number":
            exact = "DECIMAL(28,10)" if wanted.name == "rate" else "DECIMAL(18,4)"
            return number_sql(sql, known.number, exact) if known.number else f"CAST(NULL AS {exact})"
        case "integer":
            return (
                f"CAST({number_sql(sql, known.number)} AS BIGINT)" if known.number else "CAST(NULL AS BIGINT)"
            )
        case "share":
            return share_sql(sql, known.number) if known.number else "CAST(NULL AS DECIMAL(28,10))"
        case "date":
            return _date_sql(sql, known)
        case "flag":
            return flag_sql(sql, known.flag) if known.flag else "CAST(NULL AS BOOLEAN)"
        case "key":
            return key_sql(sql, known.key)
        case "currency":
            whens = " ".join(f"WHEN {quoted(s)} THEN {quoted(c)}" for s, c in SYMBOLS.items())
            text = f"upper(trim({text_sql(sql)}))"
            return f"nullif(CASE {text} {whens} ELSE {text} END, '')"
        case _:
            return f"nullif(trim({text_sql(sql)}), '')"


def _date_sql(sql: str, known: Profile) -> str:
    if known.date is None:
        return "CAST(NULL AS DATE)"
    if known.date.unit == "day":
        return date_sql(sql, known.date)
    # A month or year stands for its last day, so that the whole period lies before the as-of date.
    return f"CAST({date_end_sql(sql, known.date)} - INTERVAL 1 DAY AS DATE)"


def amounts(columns: dict[str, str]) -> dict[str, str]:
    """SQL of amount and margin of an order line by the columns there are; empty if there is no amount.

    Quantity x price x (1 - discount) - discount amount where there is no net amount: exact in decimals and
    rounded once, to four places. What the document type calls a credit note counts negative.
    """
    if "net_amount" in columns:
        amount = columns["net_amount"]
    elif "invoice_price" in columns:
        amount = _priced(columns)
    else:
        return {}
    if "kind" in columns:
        text = f"lower({columns['kind']})"
        credit = " OR ".join(f"contains({text}, {quoted(word)})" for word in CREDIT_WORDS)
        amount = f"CASE WHEN {credit} THEN -abs({amount}) ELSE {amount} END"
    amount = f"TRY(CAST({amount} AS DECIMAL(18,4)))"  # too large is unreadable, not a crash
    return {AMOUNT: amount} | _margin(columns, amount)


def _priced(columns: dict[str, str]) -> str:
    amount = columns["invoice_price"]
    if "qty" in columns:
        amount = f"CAST({columns['qty']} AS DECIMAL(28,4)) * ({amount})"
    if "discount_share" in columns:
        left = f"CAST(1 - coalesce({columns['discount_share']}, 0) AS DECIMAL(12,8))"
        amount = f"CAST({amount} AS DECIMAL(26,8)) * {left}"
    if "on_invoice_discount" in columns:
        amount = f"({amount}) - coalesce({columns['on_invoice_discount']}, 0)"
    return amount


def _margin(columns: dict[str, str], amount: str) -> dict[str, str]:
    if "margin" in columns:
        return {}
    margin = ""
    if "margin_share" in columns:
        margin = f"CAST({amount} AS DECIMAL(26,4)) * CAST({columns['margin_share']} AS DECIMAL(12,6))"
    elif "direct_cost" in columns:
        # A credit note takes its cost back, whatever sign the file gives it.
        cost = columns["direct_cost"]
        margin = f"({amount}) - CASE WHEN ({amount}) < 0 THEN -abs({cost}) ELSE {cost} END"
    elif "unit_cost" in columns and "qty" in columns:
        margin = f"({amount}) - CAST({columns['qty']} AS DECIMAL(28,4)) * ({columns['unit_cost']})"
    return {"margin": f"TRY(CAST({margin} AS DECIMAL(18,4)))"} if margin else {}
