"""What a file of the firm looks like: its columns, their headers in two languages, how values are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Format = Literal["text", "word", "count", "money", "percent", "rate", "date", "time", "flag"]


@dataclass(frozen=True)
class Header:
    """A column of a file: canonical column, header in English and German, how its values are written."""

    column: str
    english: str
    german: str
    format: Format = "text"

    def spoken(self, lang: str) -> str:
        """The header in `lang`."""
        return self.german if lang == "de" else self.english


@dataclass(frozen=True)
class Layout:
    """A file: canonical table, name in English and German, columns; title rows and a total only in XLSX.

    old_encoding: Windows-1252 instead of UTF-8 in German. total: column summed below the rows.
    """

    table: str
    english: str
    german: str
    headers: tuple[Header, ...]
    old_encoding: bool = False
    title: tuple[str, str] | None = None
    total: str = ""

    def name(self, lang: str) -> str:
        """Name of the file in `lang`."""
        return self.german if lang == "de" else self.english
