"""The tables behind an address or among Ibis tables, on one engine, with the columns that can be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.engine import Engine, adopt, connect, failed
from klientel.engines.addresses import SCHEMES, Address, is_address, parse
from klientel.errors import BadFile, BadParameter, KlientelError, nearest
from klientel.words import say

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST = 200  # tables of one source; a warehouse has thousands, and each is looked at


@dataclass(frozen=True)
class Remote:
    """A table of an engine with the columns that can be used, under the name that a person knows."""

    name: str
    table: ir.Table
    left_out: tuple[str, ...] = ()  # columns of kinds that hold no single value


def elsewhere(source: Any, engine: str | None) -> bool:
    """True for a source whose tables stay where they are: an address, or Ibis tables of another engine.

    With engine="duckdb" they are read into the embedded engine like frames.
    """
    if engine == "duckdb":
        return False
    listed = _listed(source)
    return bool(listed) and all(is_address(s) or _is_far(s) for _, s in listed)


def _listed(source: Any) -> list[tuple[str, Any]]:
    if isinstance(source, Mapping):
        return [(str(k), v) for k, v in source.items()]
    if isinstance(source, list | tuple):
        return [pair for s in source for pair in (_listed(s) if isinstance(s, Mapping) else [("", s)])]
    return [("", source)]


def _is_far(source: Any) -> bool:
    """True for an Ibis table of an engine that is not the embedded one."""
    if not any(c.__module__.startswith("ibis.") and c.__name__ == "Table" for c in type(source).__mro__):
        return False
    try:
        return str(source.get_backend().name) != "duckdb"
    except Exception:  # noqa: BLE001 - an in-memory table has no engine of its own
        return False


def find(source: Any, engine: str | None) -> tuple[Engine, list[Remote]]:
    """The engine of a source that stays where it is, and its tables.

    Raises BadParameter for tables of several engines, EngineFailed if the server cannot be reached, BadFile
    if there is no table.
    """
    listed = _listed(source)
    addresses = [s for _, s in listed if is_address(s)]
    if len(addresses) > 1 or (addresses and len(listed) > 1):
        raise BadParameter(say("Name one address, without other sources: all tables must be on one engine."))
    try:
        if addresses:
            return _at(parse(addresses[0]), engine)
        backends = {id(s.get_backend()): s.get_backend() for _, s in listed}
        if len(backends) > 1:
            raise BadParameter(say("The tables are on several engines: bring them onto one."))
        own = adopt(next(iter(backends.values())))
        _same_engine(Address(SCHEMES[own.kind]) if own.kind in SCHEMES else Address(own.kind), engine)
        found = [Remote(n or _name(s, i), *_usable(own.bring(s))) for i, (n, s) in enumerate(listed)]
    except KlientelError:
        raise
    except Exception as broke:  # every backend has its own family of errors
        raise failed(broke) from broke
    return own, found


def _name(table: Any, number: int) -> str:
    try:
        return str(table.get_name())
    except Exception:  # noqa: BLE001 - only tables that are no expressions have a name
        return f"table_{number + 1}"


def _at(address: Address, engine: str | None) -> tuple[Engine, list[Remote]]:
    _same_engine(address, engine)
    made = connect(address)
    paths = address.options.get("path")
    if address.kind == "spark" and paths:
        return made, _folders(made, paths)
    schema = address.options.get("schema") or (address.path if address.kind == "spark" else None)
    known = made.names(schema or None)
    wanted = [t.strip() for t in address.options.get("tables", "").split(",") if t.strip()] or known
    for name in wanted:
        if name not in known:
            raise BadFile(_no_table(name, known, address))
    if not wanted:
        raise BadFile(
            say("There is no table at {address}. Name a schema with ?schema=NAME.", address=address.shown)
        )
    if len(wanted) > MOST:
        raise BadFile(
            say(
                "There are {n} tables at {address}: name those that matter with ?tables=orders,customers.",
                n=len(wanted), address=address.shown,
            )
        )  # fmt: skip
    where = {"database": schema} if schema else {}
    return made, [Remote(name, *_usable(made.connection.table(name, **where))) for name in wanted]


def _same_engine(address: Address, engine: str | None) -> None:
    if engine and parse(engine).kind != address.kind:
        raise BadParameter(
            say(
                "The tables at {address} are computed where they are; leave --engine away, or write "
                "--engine duckdb to copy them to this machine.",
                address=address.shown,
            )
        )


def _no_table(name: str, known: list[str], address: Address) -> str:
    near = nearest(name, known)
    if near:
        return say(
            "There is no table {name} at {address}; did you mean {near}?",
            name=name, address=address.shown, near=near,
        )  # fmt: skip
    return say("There is no table {name} at {address}.", name=name, address=address.shown)


def _folders(engine: Engine, paths: str) -> list[Remote]:
    """Parquet files, folders of Parquet files and Delta tables below the paths, each one table of Spark."""
    found: list[Remote] = []
    for path in [p.strip() for p in paths.split(",") if p.strip()]:
        here = Path(path)
        local = "://" not in path
        if local and not here.exists():
            raise BadFile(say("{file} does not exist: check the path.", file=path))
        if local and here.is_dir() and not (here / "_delta_log").is_dir() and not any(here.glob("*.parquet")):
            inside: list[Path | str] = sorted(p for p in here.iterdir() if _holds_rows(p))
        else:
            inside = [here if local else path]
        found += [Remote(Path(str(p)).stem, *_usable(_folder(engine, p))) for p in inside]
    if not found:
        raise BadFile(say("There is neither a Parquet file nor a Delta table in {path}.", path=paths))
    return found


def _holds_rows(path: Path) -> bool:
    if path.is_dir():
        return (path / "_delta_log").is_dir() or any(path.rglob("*.parquet"))
    return path.suffix == ".parquet"


def _folder(engine: Engine, path: Any) -> ir.Table:
    """A folder or file as a table; of a Delta table the files that its log names, which needs no jar."""
    if isinstance(path, Path) and (path / "_delta_log").is_dir():
        from deltalake import DeltaTable

        delta = DeltaTable(str(path))
        if "deletionVectors" in (delta.protocol().reader_features or []):
            raise BadFile(
                say(
                    "{file} is a Delta table with deletion vectors, which cannot be read from its files: "
                    "run OPTIMIZE or REORG on it, or name it by its catalog.",
                    file=str(path),
                )
            )
        return engine.read_parquet([Path(p) for p in delta.file_uris()])
    return engine.read_parquet([path])


def _usable(table: ir.Table) -> tuple[ir.Table, tuple[str, ...]]:
    """The columns of kinds that hold one value, numerics without limits with some, and what was left out."""
    chosen: dict[str, Any] = {}
    left_out = []
    for name, kind in table.schema().items():
        column = table[name]
        if kind.is_decimal() and (kind.precision is None or kind.scale is None):
            chosen[name] = column.cast("decimal(38, 10)")
        elif kind.is_uuid():
            chosen[name] = column.cast("string")
        elif (
            kind.is_string()
            or kind.is_numeric()
            or kind.is_boolean()
            or kind.is_date()
            or kind.is_timestamp()
        ):
            chosen[name] = column
        else:
            left_out.append(name)
    return table.select(**chosen), tuple(left_out)
