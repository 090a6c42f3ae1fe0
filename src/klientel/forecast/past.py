"""What was known at each origin: histories, fits and spend, computed once for all forecasts of a Book."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from klientel.errors import NotEnoughData
from klientel.forecast.candidates import Candidate, OrderModel
from klientel.order_histories import Grouped, at_origin, grouped, order_days

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from klientel.analysis import Context


class Past:
    """Order days of a Book, and what follows from them at any origin; every part is made once.

    orders: as from `order_days`; keep: computes a table now and keeps it on the engine.
    """

    def __init__(self, orders: ir.Table, keep: Callable[[Any, str], Any] | None = None) -> None:
        self.orders = orders
        self._keep = keep
        self._made: dict[Any, Any] = {}

    @classmethod
    def of(cls, purchases: ir.Table, context: Context) -> Past:
        """The one of the Book behind a context."""
        found: Past = context.once(
            "past of orders", lambda: cls(context.keep(order_days(purchases), "order_days"), context.keep)
        )
        return found

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives, made once per key."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def kept(self, table: ir.Table, name: str) -> ir.Table:
        """The table, computed now where there is an engine to keep it on."""
        found: ir.Table = table if self._keep is None else self._keep(table, name)
        return found

    def histories(self, origin: date, since: date, until: date) -> ir.Table:
        """`at_origin` of the orders, kept on the engine."""
        found: ir.Table = self.once(
            ("histories", origin, since, until),
            lambda: self.kept(at_origin(self.orders, origin, since, until), "at_origin"),
        )
        return found

    def rows(self, origin: date, since: date, until: date, *, windows: bool = True) -> Grouped:
        """The distinct histories of an origin (`grouped`)."""
        found: Grouped = self.once(
            ("rows", origin, since, until, windows),
            lambda: grouped(self.histories(origin, since, until), windows=windows),
        )
        return found

    def fit(self, candidate: Candidate, origin: date, rows: Grouped) -> OrderModel:
        """The candidate fitted to the histories of an origin, whichever way `rows` counts them.

        Raises NotEnoughData as the model does, each time it is asked for.
        """

        def make() -> OrderModel | NotEnoughData:
            try:
                return candidate.fit(rows)
            except NotEnoughData as thin:
                return thin

        found: OrderModel | NotEnoughData = self.once(("fit", candidate.name, origin), make)
        if isinstance(found, NotEnoughData):
            raise found
        return found
