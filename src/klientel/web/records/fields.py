"""Decimals that stay exact on every database."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models


class Exact(models.DecimalField):
    """A decimal column: NUMERIC where the database has it, whole numbers of the last place on SQLite.

    SQLite keeps decimals as floats, of which 15 digits survive; money has 18. Sorting, comparing and adding
    work on the whole numbers as well.
    """

    def get_internal_type(self) -> str:
        """A name of our own, so that no backend converts the values a second time."""
        return "Exact"

    def db_type(self, connection: Any) -> str:
        """The column's type."""
        if connection.vendor == "sqlite":
            return "bigint"
        return f"numeric({self.max_digits}, {self.decimal_places})"

    def rel_db_type(self, connection: Any) -> str:
        """The type of a column that refers to this one."""
        return self.db_type(connection)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """The value as the database keeps it."""
        if not prepared:
            value = self.get_prep_value(value)
        if value is None or connection.vendor != "sqlite" or not isinstance(value, Decimal):
            return value
        return int(value.scaleb(self.decimal_places).to_integral_value())

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """The value as the database keeps it."""
        return value if hasattr(value, "as_sql") else self.get_db_prep_value(value, connection)

    def from_db_value(self, value: Any, _expression: Any, connection: Any) -> Decimal | None:
        """The value as it was."""
        if value is None:
            return None
        if connection.vendor != "sqlite":
            return Decimal(value)
        return Decimal(int(value)).scaleb(-self.decimal_places)
