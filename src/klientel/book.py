"""The Book of business: canonical tables on one engine, as of one day, in one currency.

Lazy: nothing is computed until an answer is asked for; what several answers share is computed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from klientel import hierarchy, status
from klientel import purchases as bought
from klientel.analysis import Context, Need
from klientel.engine import Engine
from klientel.errors import BadParameter, nearest
from klientel.forecast.terms import on_day
from klientel.periods import Window, day_after, window_before, window_months
from klientel.purchases import Lines
from klientel.schema import attributes
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

# What analyses call a canonical table.
CANONICAL = {
    "contracts": "project_contract",
    "opportunities": "opportunity",
    "interactions": "interaction",
    "contacts": "contact",
    "products": "product",
    "product_groups": "product_group",
    "reps": "rep",
    "leads": "lead",
}
# The day from which a row is known: the first of these that is filled.
KNOWN_FROM = {
    "project_contract": ("signed_on", "start"),
    "opportunity": ("created_on",),
    "interaction": ("ts",),
    "lead": ("created_on",),
}
DERIVED = ("totals", "histories", "purchases", "customers", "lines")
DEFAULT_MONTHS = (12, 24)  # windows that are summed on every first pass, since most questions use them


@dataclass
class Facts:
    """What is known of the lines without reading them again.

    source: what the lines were made of ("order_line", "order_header", "opportunity", ...);
    value_coverage: share of the value of all rows that was accepted, None if unknown. rows: without those that
    are left out for want of a rate (`unconverted`).
    """

    rows: int = 0
    first_day: date | None = None
    last_day: date | None = None
    credits: bool = False
    source: str = "order_line"
    value_coverage: float | None = None
    uncovered: str = ""  # why value is missing, a sentence
    unconverted: tuple[tuple[int, Sentence], ...] = ()  # lines left out for want of a rate, and what to do


@dataclass
class Book:
    """Canonical tables, the as-of date (exclusive), the reporting currency, and where they came from.

    Open one with `klientel.open_book`. tables: canonical name -> Ibis table, and "lines": every sale and
    credit note with customer_id and amount (and day, order_id, product_id, qty, margin where known). ends: the first
    day of which the lines know nothing (no later than tomorrow), which is the as-of date unless another is asked for.
    """

    engine: Engine
    tables: dict[str, ir.Table]
    facts: Facts
    as_of: date | None = None
    currency: str | None = None
    sources: tuple[str, ...] = ()
    notes: list[Sentence] = field(default_factory=list)
    intake: Any = None
    fiscal_year_start_month: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    ends: date | None = None

    def __post_init__(self) -> None:
        self._kept: dict[Any, ir.Table] = {}
        self._shared: dict[Any, Any] = {}  # what several analyses compute alike (Context.once)
        self._pieces: list[Window] = []
        if self.ends is None and self.facts.last_day is not None:
            self.ends = day_after(self.facts.last_day)
        self.as_of = self.as_of or self.ends
        if self.as_of is not None and not isinstance(self.as_of, date):
            raise BadParameter(say("as_of must be a date, not {value}.", value=repr(self.as_of)))

    # -- what there is ------------------------------------------------------------------------

    @property
    def dated(self) -> bool:
        """True if the lines have days; without them there are no windows, histories or purchases."""
        return "lines" in self.tables and "day" in self.tables["lines"].columns

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns an analysis can have of a table; empty if the Book has no such table."""
        if table in CANONICAL:
            found = self.tables.get(CANONICAL[table])
            have = tuple(found.columns) if found is not None else ()
            dated = table == "contracts" and {"cancelled_on", "ended_on"} & set(have)
            return (*have, "end") if dated and "end" not in have else have
        if table == "customers":
            return self._customer_columns()
        if "lines" not in self.tables:
            return ()
        if table == "lines":
            return tuple(self.tables["lines"].columns)
        return self._derived_columns(table)

    def _customer_columns(self) -> tuple[str, ...]:
        known = self.tables.get("customer")
        own = tuple(known.columns) if known is not None else ()
        base: tuple[str, ...] = ("customer_id", "name", "status", "status_reason")
        # "attribute" stands for any column that divides customers into kinds.
        base = (*base, "attribute") if attributes(c for c in own if c != "status") else base
        return (*base, *(c for c in own if c not in base)) if own or self._any_ids() is not None else ()

    def _derived_columns(self, table: str) -> tuple[str, ...]:
        if table != "totals" and not self.dated:
            return ()
        margin = ("margin", "margin_base") if "margin" in self.tables["lines"].columns else ()
        revenue = ("customer_id", "revenue", "matched_revenue", "invoiced", *margin, "orders", "lines")
        days = ("order_days",) if self.dated else ()
        return {
            "totals": (*revenue, *days),
            "purchases": (*revenue, "day", "quantity", "is_order"),
            "histories": ("customer_id", "first_day", "last_day", "order_days", "revenue", "months_0"),
        }.get(table, ())

    def lacks(self, need: Need) -> tuple[str, ...]:
        """The columns of a need that the Book does not have, as table.column in the words of the schema."""
        have = self.columns(need.table)
        if not have:
            return (need.table,) if not need.columns else tuple(f"{need.table}.{c}" for c in need.columns)
        return tuple(f"{need.table}.{c}" for c in need.columns if c not in have)

    # -- what analyses get --------------------------------------------------------------------

    def provide(self, need: Need, window: str | int = 12) -> ir.Table | None:
        """The table for a need; None if it is optional and not there."""
        if self.lacks(need) and (need.optional or need.instead or not self.columns(need.table)):
            return None
        match need.table:
            case "totals":
                return self.totals(window, need.back, need.columns)
            case "purchases":
                # What may go unread is not computed ahead.
                lazy = need.optional and "purchases" not in self.__dict__
                return _text_ids(bought.by_day(self.lines)) if lazy else self.purchases
            case "histories":
                return self.histories(need.columns)
            case "customers":
                if need.optional and set(need.columns) <= {"customer_id", "name"} and not self._named:
                    return None  # no source has names: the numbers stand for them
                return self.customers if "status" in need.columns else self.known_customers
            case "lines":
                return _text_ids(self.lines.table)
            case name:
                return self._as_of(CANONICAL[name])

    def context(self, window: str | int | None = None, level: float = 0.95) -> Context:
        """What an analysis may know besides its tables."""
        as_of = self.as_of or date.max
        span = self.window(window) if window is not None and self.dated else Window(None, self.as_of)
        first = self.facts.first_day
        epoch, months = bought.epoch_of(first, as_of) if first and self.as_of else (None, 0)
        return Context(
            as_of=as_of,
            currency=self.currency,
            dated=self.dated,
            first_day=first,
            epoch=epoch,
            months=months,
            start=span.start,
            end=span.end,
            level=level,
            fiscal_year_start_month=self.fiscal_year_start_month,
            statuses=not self.replayed,
            shared=self._shared,
            materialise=self.engine.keep,
        )

    def window(self, window: str | int, back: int = 0) -> Window:
        """The half-open window of a parameter value (months or "all") before as_of."""
        if self.as_of is None:
            return Window(None, None)
        return window_before(self.as_of, window_months(window), back)

    @cached_property
    def lines(self) -> Lines:
        """The lines before as_of."""
        table = self.tables["lines"]
        last = self.facts.last_day
        if self.dated and self.as_of is not None and (last is None or last >= self.as_of):
            table = table.filter(table.day < self.as_of)
        table = hierarchy.succeed(table, self.tables.get("customer_succession"), self.as_of)
        if self.options.get("level") == "group":
            table = hierarchy.to_groups(table, self.tables.get("customer"))
        table = hierarchy.without_partners(table, self.tables.get("customer"))
        return Lines(table, self.dated, self.facts.credits)

    @cached_property
    def purchases(self) -> ir.Table:
        """Purchases, one row per customer and day, computed once."""
        return _text_ids(self._keep("purchases", bought.by_day(self.lines)))

    def histories(self, columns: Sequence[str] = ()) -> ir.Table:
        """First and last order day and month bitmap of each customer; `order_days` only if asked for."""
        context = self.context()
        assert context.epoch is not None
        if self.facts.credits:
            found = bought.histories(self.purchases, context.epoch, context.months)
            return _text_ids(self._keep("histories", found))
        found = bought.wide_histories(self._wide([]), self._pieces)
        if "order_days" in columns:
            found = found.left_join(self._days(Window(None, self.as_of)), "customer_id")
            found = found.drop("customer_id_right")
        return _text_ids(found)

    def totals(self, window: str | int = 12, back: int = 0, columns: Sequence[str] = ()) -> ir.Table:
        """Totals per customer in a window; `order_days`, `orders`, `lines` only if `columns` asks for them."""
        if not self.dated:
            return _text_ids(self._keep("totals", bought.undated_totals(self.lines)))
        span = self.window(window, back)
        if self.facts.credits:
            return _text_ids(self._keep(("totals", span), bought.totals(self.purchases, span)))
        found = bought.wide_totals(self._wide([span]), self._pieces, span)
        if "order_days" in columns:
            days = self._days(span)
            found = found.left_join(days, "customer_id").drop("customer_id_right")
        if "orders" in columns:
            found = self._with_orders(found, span)
        if "lines" in columns:
            counted = self._keep(("lines", span), bought.line_counts(self.lines, span))
            found = found.left_join(counted, "customer_id").drop("customer_id_right")
        return _text_ids(found)

    def _with_orders(self, found: ir.Table, span: Window) -> ir.Table:
        import ibis

        if not self.lines.has("order_id"):
            return found.mutate(orders=ibis.literal(0, "int64"))
        numbers = self._keep(("orders", span), bought.order_numbers(self.lines, span))
        found = found.left_join(numbers, "customer_id").drop("customer_id_right")
        return found.mutate(orders=ibis.coalesce(found.orders, 0))

    def _days(self, span: Window) -> ir.Table:
        # A span that begins before the history is the same as one without a beginning.
        first = self.facts.first_day
        if span.start is not None and first is not None and span.start <= first and span.end == self.as_of:
            span = Window(None, span.end)
        return self._keep(("days", span), bought.order_days(self.lines, span))

    def _wide(self, windows: Iterable[Window]) -> ir.Table:
        assert self.as_of is not None
        usual = [Window(None, self.as_of)]
        usual += [window_before(self.as_of, m) for m in DEFAULT_MONTHS]
        usual += [window_before(self.as_of, 12, back=1)]
        wanted = [*usual, *windows]
        pieces = bought.segments(wanted)
        if not set(pieces) <= set(self._pieces) or ("wide",) not in self._kept:
            context = self.context()
            assert context.epoch is not None
            self._kept.pop(("wide",), None)
            self._pieces = pieces
            self._keep(("wide",), bought.wide(self.lines, wanted, context.epoch, context.months))
        return self._kept[("wide",)]

    def _keep(self, key: Any, expression: ir.Table) -> ir.Table:
        if key not in self._kept:
            name = key if isinstance(key, str) else str(key[0])
            self._kept[key] = self.engine.keep(expression, name)
        return self._kept[key]

    # -- customers ----------------------------------------------------------------------------

    @cached_property
    def known_customers(self) -> ir.Table:
        """Every customer of any table with name and attributes, without status."""
        ids = self._any_ids()
        assert ids is not None
        known = self.tables.get("customer")
        if known is None:
            return self._keep("known", ids)
        rest = ids.anti_join(known, "customer_id")
        empty = {c: None for c in known.columns if c not in ("customer_id", "name")}
        rest = _with_nulls(rest, known, empty)
        own = known if "name" in known.columns else _with_nulls(known, ids, {"name": None})
        named = own.left_join(ids.rename(other="name"), "customer_id").drop("customer_id_right")
        named = named.mutate(name=named.name.fill_null(named.other)).drop("other")
        return self._keep("known", named.select(rest.columns).union(rest))

    def _as_of(self, name: str) -> ir.Table:
        """A canonical table as it was known before as_of: nothing newer, deals closed later still open (G1)."""
        import ibis

        table = self.tables[name]
        begins = [table[c] for c in KNOWN_FROM.get(name, ()) if c in table.columns]
        if self.as_of is not None and begins:
            since = ibis.coalesce(*begins)
            table = table.filter(since.isnull() | (since < self.as_of))
        if name == "project_contract":
            return on_day(table, self.as_of, undated=not begins or not self.replayed)
        if self.as_of is None:
            return table
        if name == "opportunity" and {"close_date", "outcome"} <= set(table.columns):
            later = ibis.coalesce(table.close_date >= self.as_of, False)
            table = table.mutate(outcome=later.ifelse("open", table.outcome))
        return table

    @cached_property
    def replayed(self) -> bool:
        """True if the data know of something on or after the as-of date: then what has no day of its own, such as
        the status of a contract, may be later too and does not count (G1).

        A contract may be known long before it starts, so starts only tell where there are no lines whose end does.
        """
        import ibis

        if self.as_of is None:
            return False
        if self.ends is not None and self.as_of < self.ends:
            return True
        newest = []
        starts = ("signed_on", "start") if self.ends is None else ("signed_on",)
        for name, days in (("project_contract", starts), ("opportunity", ("created_on",))):
            table = self.tables.get(name)
            known = [table[c] for c in days if c in table.columns] if table is not None else []
            if known:
                newest.append(ibis.coalesce(*known).max().to_pyarrow().as_py())
        return any(day is not None and day >= self.as_of for day in newest)

    def ask(self, day: date | None, today: date | None = None) -> None:
        """Answer for the as-of date that somebody set (None: nobody did). Nobody knows of anything after `today`."""
        if day is not None:
            self.as_of = day
            self.ends = day if today is not None and day > today else self.ends

    @property
    def _named(self) -> bool:
        """True if any table has names of customers."""
        return any(
            {"name" if table == "customer" else "customer_name"} & set(self.tables[table].columns)
            for table in ("customer", "lines", "project_contract", "opportunity")
            if table in self.tables
        )

    def _any_ids(self) -> ir.Table | None:
        """customer_id and name of everybody in lines, contracts, opportunities and the customer table."""
        parts = []
        if "lines" in self.tables:
            parts.append(_ids(self.lines.table, "customer_name"))
        parts += [
            _ids(self._as_of(name), "name" if name == "customer" else "customer_name")
            for name in ("project_contract", "opportunity", "customer")
            if name in self.tables and "customer_id" in self.tables[name].columns
        ]
        if not parts:
            return None
        both = parts[0]
        for part in parts[1:]:
            both = both.union(part)
        return both.group_by("customer_id").agg(name=both.name.max())

    @cached_property
    def customers(self) -> ir.Table:
        """Every customer with name, attributes, derived status and its reason (G2)."""
        as_of = self.as_of or date.max
        orders = contracts = deals = None
        if self.dated:
            orders = status.of_orders(status.activity(self.purchases, as_of), as_of)
        elif "lines" in self.tables:
            # Without days nobody can be told to have left: everybody with revenue counts as active.
            found = self.totals("all")
            orders = found.select("customer_id", order_active=found.lines > 0, ordered=found.lines > 0)
        if "project_contract" in self.tables:
            contracts = status.of_contracts(self._as_of("project_contract"), as_of)
            if not self.dated:
                orders = None  # contracts say more than undated amounts
        if "opportunity" in self.tables and {"outcome", "customer_id"} <= set(
            self.tables["opportunity"].columns
        ):
            known = self._as_of("opportunity")
            deals = status.open_deals(known.filter(known.customer_id.notnull()))
        derived = status.derive(self.known_customers, orders, contracts, deals)
        return self._keep("customers", derived)

    def status_counts(self) -> dict[str, int]:
        """How many customers have which status."""
        if not self._customer_columns():
            return {}
        counted = self.customers.group_by("status").agg(n=self.customers.count()).to_pyarrow().to_pylist()
        found = {row["status"]: int(row["n"]) for row in counted}
        return {name: found[name] for name in status.STATUSES if name in found}

    def narrow(self, **attributes: Any) -> Book:
        """The Book of the customers whose attributes have the given values: book.narrow(country="DE")."""
        chosen = self.known_customers if "status" not in attributes else self.customers
        for name, wanted in attributes.items():
            if name not in chosen.columns:
                near = nearest(name, chosen.columns)
                hint = (
                    say("did you mean {near}?", near=near)
                    if near
                    else say("there are: {names}.", names=list(chosen.columns))
                )
                raise BadParameter(say("Customers have no attribute {name}; {hint}", name=name, hint=hint))
            values = wanted if isinstance(wanted, list | tuple | set) else [wanted]
            chosen = chosen.filter(chosen[name].isin(list(values)))
        ids = self.engine.keep(chosen.select("customer_id"), "narrowed")
        tables = {
            name: table.semi_join(ids, [table.customer_id.cast("string") == ids.customer_id])
            if "customer_id" in table.columns
            else table
            for name, table in self.tables.items()
        }
        return replace(self, tables=tables, options={**self.options, "narrow": attributes})

    def __repr__(self) -> str:
        return (
            f"<Book of {', '.join(self.sources) or 'frames'}: {self.facts.rows:,} lines, as of {self.as_of}, "
            f"{self.currency or 'currency unknown'}>"
        )


def _text_ids(table: ir.Table) -> ir.Table:
    """Identifiers become text where a table is handed over: on the few customers, not on the many lines."""
    if "customer_id" in table.columns and not table.customer_id.type().is_string():
        return table.mutate(customer_id=table.customer_id.cast("string"))
    return table


def _ids(table: ir.Table, name: str) -> ir.Table:
    import ibis

    shown = table[name] if name in table.columns else ibis.null("string")
    both = table.select(customer_id=table.customer_id.cast("string"), name=shown)
    return both.filter(both.customer_id.notnull()).distinct()


def _with_nulls(table: ir.Table, like: ir.Table, names: dict[str, None]) -> ir.Table:
    import ibis

    types = like.schema()
    return table.mutate(**{n: ibis.null(types.get(n, "string")) for n in names})
