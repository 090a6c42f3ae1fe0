"""A progress bar on stderr, shown only for work that takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from typing import Any

from klientel.words import language, translate

_PATIENCE = 2.0  # seconds before a bar is worth the attention


class Bar:
    """Called as bar(what, done, total) by long work; silent when stderr is no terminal."""

    def __init__(self, lang: str | None = None) -> None:
        self._began = time.monotonic()
        self._bar: Any = None
        self._task: Any = None
        self._what = ""
        self._lang = language(lang)

    def __call__(self, what: str, done: int, total: int | None = None) -> None:
        """Tell how far `what` is; total None if nobody knows."""
        if not sys.stderr.isatty():
            return
        if self._bar is None and time.monotonic() - self._began > _PATIENCE:
            self._bar = _rich_bar()
            self._bar.start()
        if self._bar is None:
            return
        if what != self._what:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._what = what
            self._task = self._bar.add_task(translate(what, self._lang), total=total)
        self._bar.update(self._task, completed=done, total=total)

    def done(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            self._task = None


def _rich_bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
