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


def hosts(name: str) -> list[str]:
    """The hosts that a setting of the environment lists, separated by commas."""
    return [host.strip() for host in (setting(name) or "").split(",") if host.strip()]


SECRET_KEY = setting("KLIENTEL_SECRET") or os.urandom(32).hex()  # a workspace brings its own, see home.py
DEBUG = False
USE_TZ = True
TIME_ZONE = setting("KLIENTEL_TIME_ZONE") or "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "heroicons",
    "klientel.web.accounts",
    "klientel.web.records",
    "klientel.web.imports",
    "klientel.web.privacy",
    "klientel.web.jobs",
    "klientel.web.inbound",
    "klientel.web.pages",
    "klientel.web.api",
]
DATABASES = {"default": database(None)}
AUTHENTICATION_BACKENDS = ["klientel.web.accounts.backends.NameOrMail"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600  # seconds that an invitation holds
_RULES = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{_RULES}MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_RULES}UserAttributeSimilarityValidator"},
    {"NAME": f"{_RULES}CommonPasswordValidator"},
    {"NAME": f"{_RULES}NumericPasswordValidator"},
]

# The pages. Every page needs a signed-in person unless it says otherwise (LoginRequiredMiddleware).
ROOT_URLCONF = "klientel.web.urls"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "klientel.web.pages.policy.Policy",
    "klientel.web.pages.incoming.Incoming",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "klientel.web.pages.language.Language",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "klientel.web.pages.people.doorkeeper.Doorkeeper",
    "django_htmx.middleware.HtmxMiddleware",
    "klientel.web.pages.refusals.Refusals",
    "klientel.web.api.middleware.Api",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["django.contrib.messages.context_processors.messages"],
            "builtins": ["klientel.web.pages.templatetags.texts", "heroicons.templatetags.heroicons"],
        },
    }
]
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # files come from the packages as they are: nothing to build or to collect
WHITENOISE_MAX_AGE = 7 * 24 * 3600  # seconds; their addresses carry the version
LOGIN_URL = "people:sign-in"
LOGIN_REDIRECT_URL = "/"
# Letters (invitations, forgotten passwords): KLIENTEL_MAIL_HOST turns them on.
EMAIL_HOST = setting("KLIENTEL_MAIL_HOST") or "localhost"
EMAIL_USE_TLS = (setting("KLIENTEL_MAIL_TLS") or "starttls") == "starttls"  # or "tls", or "none"
EMAIL_USE_SSL = setting("KLIENTEL_MAIL_TLS") == "tls"
EMAIL_PORT = int(setting("KLIENTEL_MAIL_PORT") or (465 if EMAIL_USE_SSL else 587))
EMAIL_HOST_USER = setting("KLIENTEL_MAIL_USER") or ""
EMAIL_HOST_PASSWORD = setting("KLIENTEL_MAIL_PASSWORD") or ""
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = setting("KLIENTEL_MAIL_FROM") or "klientel@localhost"
# Hosts that the pages answer to; `klientel serve` adds the one it listens at.
ALLOWED_HOSTS: list[str] = ["localhost", "127.0.0.1", "[::1]", *hosts("KLIENTEL_HOSTS")]
SECURE = setting("KLIENTEL_SECURE") == "1"  # behind HTTPS: cookies travel on nothing else
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in hosts("KLIENTEL_HOSTS")] if SECURE else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "klientel.web.pages.refusals.forbidden"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
FILE_UPLOAD_HANDLERS = ["klientel.web.pages.incoming.NoFiles"]  # views that take files say so themselves
UPLOAD_LIMIT = int(setting("KLIENTEL_UPLOAD_MB") or 2048) * 10**6  # bytes of the files of one import
JOBS_AT_ONCE = setting("KLIENTEL_JOBS") == "at-once"  # long work runs inside the request: for tests
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
# Faults go to the error output with their trace; Django alone would say nothing. Its warnings and "security" are
# what strangers send (addresses that are not there, names of other hosts): answered, and not worth a line each.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"errors": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "django": {"handlers": ["errors"], "level": "ERROR"},
        "django.security": {"level": "CRITICAL"},
        "klientel": {"handlers": ["errors"], "level": "WARNING"},
    },
}
