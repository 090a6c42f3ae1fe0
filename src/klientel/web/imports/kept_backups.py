"""Backups that were made in the browser: kept in the workspace's folder until they are downloaded or a week old."""

from __future__ import annotations

import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from klientel.web.home import Home

KEPT = 3  # the newest ones
_NAME = re.compile(r"klientel-\d{8}-\d{6}\.zip")
OLD = timedelta(days=7)


def folder(home: Home) -> Path:
    """Where they lie; only the owner of the folder can look there."""
    place = home.folder / "backups"
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def place(home: Home, at: datetime) -> Path:
    """The path of a backup made at a moment."""
    return folder(home) / f"klientel-{at:%Y%m%d-%H%M%S}.zip"


def listed(home: Home) -> list[Path]:
    """The backups that are there, newest first."""
    found = [path for path in folder(home).iterdir() if _NAME.fullmatch(path.name)]
    return sorted(found, reverse=True)


def find(home: Home, name: str) -> Path | None:
    """The backup of that name."""
    return next((path for path in listed(home) if path.name == name), None)


def bound(home: Home) -> None:
    """Keep only the newest."""
    for path in listed(home)[KEPT:]:
        path.unlink(missing_ok=True)


def clear(home: Home) -> None:
    """Delete them all: whatever they hold is to be gone."""
    shutil.rmtree(home.folder / "backups", ignore_errors=True)


def tidy(home: Home, at: datetime) -> None:
    """Delete those that are a week old, and what was never finished."""
    for path in folder(home).iterdir():
        age = at.timestamp() - path.stat().st_mtime
        if age > OLD.total_seconds() or (path.suffix == ".part" and age > timedelta(days=1).total_seconds()):
            path.unlink(missing_ok=True)
