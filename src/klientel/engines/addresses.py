"""Addresses of engines: which server, which tables, which settings; no password is ever shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from klientel.errors import BadParameter, nearest
from klientel.words import say

SCHEMES = {
    "duckdb": "duckdb",
    "postgres": "postgres",
    "postgresql": "postgres",
    "spark": "spark",
    "pyspark": "spark",
}
_MARKED = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LOCAL_MASTER = re.compile(r"local(-cluster)?(\[[^\]]*\])?", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """An engine's address taken apart.

    kind: duckdb, postgres or spark; place: "host:port" of a server, the master of Spark ("local[2]",
    "spark://host:7077"); path: database, file or catalog schema behind the place; options: what follows the
    question mark (for a source: `schema`, `tables`, `path`; the rest is for the driver).
    """

    kind: str
    place: str = ""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    path: str = ""
    options: dict[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The address as it may be printed, logged and put into recipes: without the password."""
        who = f"{quote(self.user, safe='')}@" if self.user else ""
        place = self.place.removeprefix("spark://")
        behind = f"/{self.path}" if self.path and self.kind != "duckdb" else self.path
        secret = ("password", "passfile", "token", "secret")
        kept = [f"{k}={v}" for k, v in self.options.items() if not any(s in k.lower() for s in secret)]
        asked = f"?{'&'.join(kept)}" if kept else ""
        return f"{self.kind}://{who}{place}{behind}{asked}"

    def choose(self, *names: str) -> dict[str, str]:
        """The options of these names that were given."""
        return {n: self.options[n] for n in names if n in self.options}


def is_address(source: object) -> bool:
    """True for a text that is an address of an engine and not the path of a file."""
    return isinstance(source, str) and bool(_MARKED.match(source))


def parse(text: str) -> Address:
    """Take an address apart. Raises BadParameter for one that no engine knows."""
    scheme = text.partition("://")[0].lower()
    kind = SCHEMES.get(scheme)
    if kind is None:
        near = nearest(scheme, tuple(SCHEMES))
        hint = (
            say("did you mean {near}?", near=near)
            if near
            else say("there are: {names}.", names=list(SCHEMES))
        )
        raise BadParameter(
            say("No engine has the address {address}; {hint}", address=_hidden(text), hint=hint)
        )
    rest = text.partition("://")[2]
    if kind == "duckdb":
        where, _, asked = rest.partition("?")
        return Address(kind, path=unquote(where), options=dict(parse_qsl(asked)))
    if kind == "spark":
        return _spark(rest)
    try:
        parts = urlsplit(f"postgres://{rest}")
        port = parts.port
    except ValueError as wrong:
        raise BadParameter(
            say("The address {address} cannot be read: {text}.", address=_hidden(text), text=str(wrong))
        ) from None
    return Address(
        kind,
        place=f"{parts.hostname or ''}{f':{port}' if port else ''}",
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        path=unquote(parts.path.strip("/")),
        options=dict(parse_qsl(parts.query)),
    )


def _spark(rest: str) -> Address:
    """spark://local[2], spark://host:7077, spark://yarn, spark:// (the session that runs), ?settings."""
    where, _, asked = rest.partition("?")
    master, _, path = unquote(where).partition("/")
    if master and not _LOCAL_MASTER.fullmatch(master) and master != "yarn":
        master = f"spark://{master}" if ":" in master else f"spark://{master}:7077"
    return Address("spark", place=master, path=path.strip("/"), options=dict(parse_qsl(asked)))


def _hidden(text: str) -> str:
    """An address that could not be read, without what may be a password."""
    return re.sub(r"://[^/]*@", "://…@", text)
