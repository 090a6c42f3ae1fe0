"""Klientel: which customers carry, drain or leave the business, and what to do next.

import klientel
book = klientel.open_book("orders.csv")
klientel.abc(book).figures
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["ANALYSES", "Book", "Result", "analyse", "open_book"]

if TYPE_CHECKING:
    from klientel.analyses import ANALYSES
    from klientel.book import Book
    from klientel.ingest.opening import open_book
    from klientel.result import Result

# Loaded at first use, so that `import klientel` and the command line start at once.
_HOMES = {
    "ANALYSES": "klientel.analyses",
    "Book": "klientel.book",
    "Result": "klientel.result",
    "open_book": "klientel.ingest.opening",
}


def analyse(book: Book, name: str, **parameters: Any) -> Result:
    """The Result of the analysis `name` on a Book; parameters by keyword.

    Raises BadParameter for an unknown analysis or parameter, MissingInput if the Book lacks a column.
    """
    from klientel.analyses import find
    from klientel.answer import answer

    return answer(book, find(name), **parameters)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    # One file is one analysis: asking the folder, not the registry, keeps `from klientel import book` free
    # of a circle while the registry itself is being imported.
    home = Path(__file__).parent / "analyses" / name
    if not name.startswith("_") and (home.is_dir() or home.with_suffix(".py").exists()):
        from klientel.analyses import find

        analysis = find(name)

        def ask(book: Book, **parameters: Any) -> Result:
            return analyse(book, name, **parameters)

        ask.__name__ = name
        ask.__doc__ = f"{analysis.title}: {analysis.question}"
        return ask
    raise AttributeError(f"module 'klientel' has no attribute {name!r}")


def __dir__() -> list[str]:
    from klientel.analyses import ANALYSES

    return sorted([*__all__, *ANALYSES])
