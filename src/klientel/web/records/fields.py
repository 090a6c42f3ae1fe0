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


# Letters that are written one way or the other when people look for them, and how they are compared. The parser of
# SQLite takes no deeper nest of replacements than this; the letters of the languages around come first.
LETTERS: dict[str, str] = {
    "ä": "ae", "Ä": "ae", "ö": "oe", "Ö": "oe", "ü": "ue", "Ü": "ue", "ß": "ss", "é": "e", "É": "e", "è": "e", "ê": "e",
    "á": "a", "à": "a", "â": "a", "ç": "c", "ñ": "n", "ó": "o", "ô": "o", "í": "i", "å": "a", "ø": "oe", "ł": "l",
    "š": "s", "č": "c",
}  # fmt: skip
_TABLE = str.maketrans(LETTERS)


def fold(text: str) -> str:
    """A text as the columns `folded` hold it: small letters, umlauts written out, no accents."""
    return text.translate(_TABLE).lower()


class Folded(models.GeneratedField):
    """Some text columns of a row, folded and put together by the database itself, so that no writer forgets it.

    Lists search and sort by it: "müller", "Mueller" and "MÜLLER" are one, and Ä stands beside Ae. What is typed is
    folded by `fold` in the same way.
    """

    def __init__(self, *columns: str, **options: Any) -> None:
        self.folds = columns
        options.setdefault("expression", _folding(columns))
        options.setdefault("output_field", models.TextField())
        options.setdefault("db_persist", True)
        super().__init__(**options)

    def deconstruct(self) -> Any:
        """For migrations: the columns say everything."""
        name, path, _args, options = super().deconstruct()
        for known in ("expression", "output_field", "db_persist"):
            options.pop(known, None)
        return name, path, list(self.folds), options


def _folding(columns: tuple[str, ...]) -> Any:
    """The expression: joined by blanks, umlauts and accents replaced, then small letters (of ASCII on SQLite)."""
    from django.db.models import F, Value
    from django.db.models.functions import Lower, Replace

    text = models.TextField()
    made: Any = F(columns[0])
    for column in columns[1:]:
        made = _Joined(_Joined(made, Value(" "), output_field=text), F(column), output_field=text)
    for letter, to in LETTERS.items():
        made = Replace(made, Value(letter), Value(to), output_field=text)
    return Lower(made, output_field=text)


class _Joined(models.Func):
    """Two texts in a row; unlike Concat without COALESCE, as the columns are never NULL."""

    template = "(%(expressions)s)"
    arg_joiner = " || "
