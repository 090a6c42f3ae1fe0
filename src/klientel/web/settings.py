"""Django's settings, all of them; what differs between installations comes from the environment.

KLIENTEL_DATABASE: address of a PostgreSQL for the records (postgres://user:password@host/name); without it they
lie in the workspace's folder, in SQLite. KLIENTEL_DATABASE_FILE names a file that holds the address instead.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from klientel.errors import BadParameter
from klientel.words import say


def setting(name: str) -> str | None:
    """A setting from the environment: NAME itself, or the content of the file that NAME_FILE names."""
    value = os.environ.get(name)
    file = os.environ.get(f"{name}_FILE")
    if value is None and file:
        value = Path(file).read_text(encoding="utf-8").strip()
    return value or None


def sqlite(file: Path | None) -> dict[str, Any]:
    """Records in a SQLite file (None: in memory)."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file) if file else ":memory:",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        },
    }


def database(home: Path | None) -> dict[str, Any]:
    """The database of the records: the address of the environment, or SQLite in the workspace's folder."""
    address = setting("KLIENTEL_DATABASE")
    if address is None:
        return sqlite(home / "records.sqlite3" if home else None)
    parts = urlsplit(address)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise BadParameter(say("KLIENTEL_DATABASE must look like postgres://user:password@host/name."))
    host = parts.hostname or ""
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", host)),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
    }


SECRET_KEY = setting("KLIENTEL_SECRET") or os.urandom(32).hex()  # a workspace brings its own, see home.py
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "klientel.web.accounts",
    "klientel.web.records",
    "klientel.web.imports",
    "klientel.web.privacy",
]
DATABASES = {"default": database(None)}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600  # seconds that an invitation holds
_RULES = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{_RULES}MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_RULES}UserAttributeSimilarityValidator"},
    {"NAME": f"{_RULES}CommonPasswordValidator"},
    {"NAME": f"{_RULES}NumericPasswordValidator"},
]
MIDDLEWARE: list[str] = []
ALLOWED_HOSTS: list[str] = []
