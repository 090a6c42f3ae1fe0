"""Narrows a Book to the customers that a person may see; what is not narrowed here is not handed over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from klientel import hierarchy
from klientel.book import Book, Facts
from klientel.web.rights.reach import Access, access

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Tables that tell nothing of a customer.
NEUTRAL = frozenset({"product", "product_group", "fx_rate", "campaign", "survey"})
# Tables without customers of their own: the first of these columns that is there leads to the table that decides.
PARENTS = {"opportunity_id": "opportunity", "contact_id": "contact", "lead_id": "lead"}
# The numbers of contacts are often their names or addresses.
_TELLING = ("contact_id",)
# The lines are put together out of these and carry their costs.
_OF_LINES = ("order_line", "order_header", "credit_note_line", "product")


def narrow(book: Book, actor: Any, action: str = "read") -> Book:
    """The Book of the customers that `actor` may read (or export), without what is to stay hidden.

    actor: a user, None (everything) or an Access. Every table is narrowed by its customers, records without one by
    their sales person; a table that has neither and is not known to be neutral is left out. Costs, margins and
    personal data of customers whose costs or personal data are out of reach become NULL, their columns are gone
    where nobody's are in reach. What was told of the whole (rows, days, notes, rejections) is told of the part.
    The as-of date stays. Needs one pass over the lines.
    """
    found = access(actor)
    if found.unlimited:
        return book
    if not found.everything(action):
        book = only(book, found.numbers(action), found.rep_numbers(action))
    tables = _hide(book, dict(book.tables), found, action, "margin")
    tables = _hide(book, tables, found, action, "personal")
    return replace(book, tables=tables, intake=_told(book.intake, tables, book.facts))


def only(book: Book, customers: frozenset[str] | None, reps: frozenset[str] | None) -> Book:
    """The Book of some customers and sales people, given by number, told of as if there were no others."""
    tables = _Narrowing(book, customers, reps).tables()
    facts = _facts(book, tables.get("lines"))
    return replace(book, tables=tables, facts=facts, notes=[], intake=_told(book.intake, tables, facts))


class _Narrowing:
    """The tables of a Book, one after the other, down to some customers."""

    def __init__(self, book: Book, customers: frozenset[str] | None, reps: frozenset[str] | None) -> None:
        self.book = book
        self.customers = _keys(book, customers, "customers")
        self.reps = _keys(book, reps, "reps")
        self.done: dict[str, ir.Table] = {}

    def tables(self) -> dict[str, ir.Table]:
        """Every table that may be handed over."""
        whole = dict(self.book.tables)
        if "customer_succession" in whole and "lines" in whole:
            # Whose a line is says its customer of today, so successions come first and are not needed again.
            whole["lines"] = hierarchy.succeed(whole["lines"], whole["customer_succession"], self.book.as_of)
        own = [n for n, t in whole.items() if "customer_id" in t.columns or n in ("rep", *NEUTRAL)]
        for name in [*own, *(n for n in whole if n not in own)]:
            narrowed = self._table(name, whole[name])
            if narrowed is not None:
                self.done[name] = narrowed
        return self.done

    def _table(self, name: str, table: ir.Table) -> ir.Table | None:
        if name in NEUTRAL:
            return table
        if "customer_id" in table.columns:
            kept = table.semi_join(self.customers, [table.customer_id.cast("string") == self.customers.key])
            if "rep_id" in table.columns and name != "lines":
                free = table.filter(table.customer_id.isnull())
                return kept.union(free.semi_join(self.reps, [free.rep_id.cast("string") == self.reps.key]))
            return kept
        if name == "rep":
            return table.semi_join(self.reps, [table.rep_id.cast("string") == self.reps.key])
        for column, parent in PARENTS.items():
            if column in table.columns and column in (
                self.done[parent].columns if parent in self.done else ()
            ):
                decides = self.done[parent]
                return table.semi_join(
                    decides, [table[column].cast("string") == decides[column].cast("string")]
                )
        return None


def _keys(book: Book, numbers: frozenset[str] | None, name: str) -> ir.Table:
    import pyarrow as pa

    return book.engine.view(
        pa.table({"key": pa.array(sorted(numbers or ()), pa.string())}), f"may_see_{name}"
    )


def _facts(book: Book, lines: ir.Table | None) -> Facts:
    """What is known of the narrowed lines; an empty Book has the last day before its as-of date."""
    last = book.as_of - timedelta(days=1) if book.as_of is not None else None
    nothing = Facts(0, last, last, book.facts.credits, book.facts.source)
    if lines is None:
        return nothing
    days = {"first": lines.day.min(), "last": lines.day.max()} if "day" in lines.columns else {}
    row = lines.agg(rows=lines.count(), **days).to_pyarrow().to_pylist()[0]
    if not row["rows"]:
        return nothing
    return replace(nothing, rows=row["rows"], first_day=row.get("first"), last_day=row.get("last"))


def _told(intake: Any, tables: dict[str, ir.Table], facts: Facts) -> Any:
    """What was recognised, of the tables, columns and rows that are left; nothing of what was rejected."""
    if intake is None:
        return None
    told = type(intake)()
    for name, report in intake.tables.items():
        table = tables.get("lines" if name in _OF_LINES[:3] else name)
        if table is None:
            continue
        rows = facts.rows if name in _OF_LINES[:3] else int(table.count().to_pyarrow().as_py())
        matches = {c: m for c, m in report.matches.items() if c in table.columns}
        told.tables[name] = replace(
            report, files=list(report.files), rows=rows, rejected=0, again=0, matches=matches, unmapped=[]
        )
    return told


def _hide(
    book: Book, tables: dict[str, ir.Table], found: Access, action: str, kind: str
) -> dict[str, ir.Table]:
    """Take costs ("margin") or personal data ("personal") away where they are out of reach."""
    own, wider = found.reach(action), found.reach(kind)
    if wider.everybody or (not own.everybody and own.reps <= wider.reps and own.users <= wider.users):
        return tables
    hidden = {name: _hidden_columns(name, table, kind) for name, table in tables.items()}
    if not any(hidden.values()):
        return tables
    keys: tuple[ir.Table, ir.Table] | None = None
    if not wider.nobody:
        keys = (
            _keys(book, found.numbers(kind), f"{kind}_customers"),
            _keys(book, found.rep_numbers(kind), f"{kind}_reps"),
        )
    return {
        name: _without(table, hidden[name], keys) if hidden[name] else table for name, table in tables.items()
    }


def _hidden_columns(name: str, table: ir.Table, kind: str) -> list[str]:
    from klientel.schema import TABLES
    from klientel.web.privacy.fields import personal_customs
    from klientel.web.records.models import CANONICAL

    sources = _OF_LINES if name == "lines" else (name,) if name in TABLES else tuple(TABLES)
    entities = [TABLES[source] for source in sources]
    if kind == "margin":
        wanted = {f.name for e in entities for f in e.fields if f.cost} | {"margin_base", "cost"}
    else:
        wanted = {f.name for f in TABLES[name].fields if f.personal} if name in TABLES else set()
        if name in CANONICAL:
            wanted |= personal_customs(CANONICAL[name].__name__)
        wanted |= set(_TELLING)
    return [c for c in table.columns if c in wanted]


def _without(table: ir.Table, columns: list[str], keys: tuple[ir.Table, ir.Table] | None) -> ir.Table:
    """The table without what the columns hold, but for the rows of the customers (or sales people) in `keys`."""
    import ibis

    telling = [c for c in columns if c in _TELLING]
    owner, index = ("customer_id", 0) if "customer_id" in table.columns else ("rep_id", 1)
    if keys is None or owner not in table.columns:
        table = table.mutate(**{c: _token(table[c]) for c in telling})
        return table.drop(*(c for c in columns if c not in telling))
    seen = keys[index].mutate(seen=ibis.literal(True)).rename(seen_key="key")
    joined = table.left_join(seen, [table[owner].cast("string") == seen.seen_key])
    may = joined.seen.notnull()
    changed = {c: may.ifelse(joined[c], ibis.null(table[c].type())) for c in columns if c not in telling}
    changed |= {c: may.ifelse(joined[c].cast("string"), _token(joined[c])) for c in telling}
    return joined.mutate(**changed).select(*table.columns)


def _token(column: Any) -> Any:
    """A number that stands for another one and tells nothing of it but whether two are equal."""
    return column.cast("string").hexdigest("md5")
