"""Runs an analysis on a Book: parameters checked, needs handed over, quality told, recipe written."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from klientel.analysis import Analysis, Estimate, Outcome, Param
from klientel.book import CANONICAL, DERIVED
from klientel.declared import check_outcome
from klientel.engine import failed
from klientel.errors import (
    AnalysisFailed,
    BadParameter,
    EngineFailed,
    KlientelError,
    MissingInput,
    NotEnoughData,
    nearest,
)
from klientel.periods import window_months
from klientel.quality import Quality, covered
from klientel.result import Recipe, Result, ResultTable, Tables
from klientel.schema import TABLES
from klientel.words import Sentence, Share, mark, say

if TYPE_CHECKING:
    import pyarrow as pa

    from klientel.analysis import Table
    from klientel.book import Book


def answer(book: Book, analysis: Analysis, **parameters: Any) -> Result:
    """The Result of an analysis on a Book.

    Raises MissingInput if the Book lacks a needed table or column, BadParameter for a wrong parameter,
    EngineFailed if the engine broke. Too little data is not an error but a Result with a red flag.
    """
    values = check_parameters(analysis, parameters)
    if not book.dated and "window" in values:
        values["window"] = "all"
    missing = lacking(book, analysis)
    if missing:
        raise MissingInput(missing.sentence)
    window = values.get("window", 12)
    try:
        outcome = _run(book, analysis, values, window)
    except NotEnoughData as thin:
        outcome = Outcome(tables={}, reasons=(("red", thin.sentence),), n=0)
    except EngineFailed as broke:
        damaged = _damaged(book)
        if damaged is not None:
            raise damaged from broke
        raise
    except KlientelError:
        raise
    except Exception as broke:
        if os.environ.get("KLIENTEL_DEBUG"):
            raise
        if type(broke).__module__.split(".")[0] in (
            "duckdb",
            "_duckdb",
            "ibis",
            "pyspark",
            "psycopg",
            "adbc_driver_manager",
        ):
            raise _damaged(book) or failed(broke) from broke
        raise AnalysisFailed(
            say(
                "The analysis {name} failed inside ({kind}: {text}). KLIENTEL_DEBUG=1 shows where; please report it.",
                name=analysis.name,
                kind=type(broke).__name__,
                text=(str(broke).splitlines() or [""])[0][:300],
            )
        ) from broke
    return _result(book, analysis, values, outcome)


def _damaged(book: Book) -> KlientelError | None:
    """BadFile if the engine broke because a source cannot be read to its end; large files are read where they are."""
    found: KlientelError | None = book.intake.damaged() if book.intake is not None else None
    return found


@dataclass(frozen=True)
class Missing:
    """What a Book lacks for an analysis: canonical columns to bring, and the sentence that says so."""

    columns: tuple[str, ...]
    sentence: Sentence


# What a person has to bring for a derived column that is missing, in the words of the schema.
_BRINGS = {
    "margin": ("order_line.direct_cost", mark("costs or margins")),
    "margin_base": ("order_line.direct_cost", mark("costs or margins")),
}


def lacking(book: Book, analysis: Analysis) -> Missing | None:
    """What is missing for an analysis; None if nothing is."""
    there = {need.table for need in analysis.needs if not book.lacks(need)}
    gaps = [
        g
        for need in analysis.needs
        if not need.optional and need.instead not in there
        for g in book.lacks(need)
    ]
    if not gaps:
        return None
    brings = dict(_brings(book, gap) for gap in gaps)
    sentence = say(
        "{title} needs {what} ({columns}). `klientel check` shows what was recognised; "
        '--map TABLE.COLUMN="Header" names a column that was not.',
        title=analysis.title,
        what=list(dict.fromkeys(brings.values())),
        columns=", ".join(brings),
    )
    return Missing(tuple(brings), sentence)


def _brings(book: Book, gap: str) -> tuple[str, str]:
    """The canonical column for a gap, and what it is in plain words."""
    table, _, column = gap.partition(".")
    if table in DERIVED and table != "customers":
        if "lines" not in book.tables:
            return "order_line.net_amount", mark("an amount for each customer")
        if column in _BRINGS:
            return _BRINGS[column]
        return "order_line.order_date", mark("a date for each sale")
    canonical = "customer" if table == "customers" else CANONICAL.get(table, table)
    entity = TABLES.get(canonical)
    if entity is None:
        return gap, gap
    if column == "attribute":
        return "customer.industry_code", mark(
            "an attribute of the customers, such as industry, size or region"
        )
    if column in entity.names():
        return f"{canonical}.{column}", entity.field(column).title
    return f"{canonical}.{column or entity.required[0][0]}", entity.title


def check_parameters(analysis: Analysis, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters with their values, defaults filled in; BadParameter with the cure otherwise."""
    known = {p.name: p for p in analysis.params}
    for name in given:
        if name not in known:
            near = nearest(name, known)
            cure = (
                say("did you mean {near}?", near=near)
                if near
                else say("it takes: {names}.", names=list(known) or "–")
            )
            raise BadParameter(
                say(
                    "{analysis} has no parameter {name}; {cure}", analysis=analysis.name, name=name, cure=cure
                )
            )
    return {name: _value(param, given.get(name, param.default)) for name, param in known.items()}


_KINDS = {int: mark("a whole number"), float: mark("a number"), bool: mark("yes or no"), str: mark("text")}


def _value(param: Param, value: Any) -> Any:
    if param.unit == "months" and param.name == "window":
        months = window_months(value)
        return "all" if months is None else months
    if value is None:
        return None
    try:
        value = _coerced(param, value)
    except (TypeError, ValueError):
        raise BadParameter(
            say(
                "{name} must be {kind}, not {value}.",
                name=param.name,
                kind=_KINDS.get(param.type, "text"),
                value=repr(value),
            )
        ) from None
    if param.choices and value not in param.choices:
        near = nearest(str(value), param.choices)
        raise BadParameter(
            say(
                "{name} is one of {choices}, not {value}.{hint}",
                name=param.name,
                choices=list(param.choices),
                value=repr(value),
                hint=say(" Did you mean {near}?", near=near) if near else "",
            )
        )
    low, high = param.min, param.max
    if (low is not None and value < low) or (high is not None and value > high):
        raise BadParameter(
            say(
                "{name} lies between {low} and {high}, not {value}.",
                name=param.name,
                low=_shown(low),
                high=_shown(high),
                value=_shown(value),
            )
        )
    return value


def _shown(value: Any) -> str:
    return "…" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _coerced(param: Param, value: Any) -> Any:
    if param.type is bool and isinstance(value, str):
        if value.lower() in ("1", "true", "yes", "ja"):
            return True
        if value.lower() in ("0", "false", "no", "nein"):
            return False
        raise ValueError
    if param.type in (int, float) and isinstance(value, bool):
        raise TypeError
    made = param.type(value)
    if isinstance(made, float) and made != made:
        raise ValueError
    return made


def _run(book: Book, analysis: Analysis, values: dict[str, Any], window: Any) -> Outcome:
    tables = [book.provide(need, window) for need in analysis.needs]
    extra = (
        {"context": book.context(window if "window" in values else None)} if analysis.takes_context else {}
    )
    found = analysis.function(*tables, **values, **extra)
    outcome = found if isinstance(found, Outcome) else Outcome(tables=found)
    check_outcome(analysis, outcome)
    return outcome


def _result(book: Book, analysis: Analysis, values: dict[str, Any], outcome: Outcome) -> Result:
    tables = Tables({t.name: ResultTable(t, outcome.tables.get(t.name, _empty(t))) for t in analysis.tables})
    figures: dict[str, Any] = {}
    estimates: dict[str, Estimate] = {}
    for figure in analysis.figures:
        value = outcome.figures.get(figure.name)
        if isinstance(value, Estimate):
            if value.low is not None or value.high is not None:
                estimates[figure.name] = value
            value = value.value
        figures[figure.name] = value
    return Result(
        analysis=analysis,
        as_of=book.as_of,
        currency=book.currency,
        parameters=values,
        tables=tables,
        figures=figures,
        quality=_quality(book, analysis, outcome, tables),
        estimates=estimates,
        lines=tuple(outcome.lines),
        reproduce=_recipe(book, analysis, values, tables),
    )


def _quality(book: Book, analysis: Analysis, outcome: Outcome, tables: Tables) -> Quality:
    n = outcome.n if outcome.n is not None else len(tables[analysis.tables[0].name])
    quality = covered(n, outcome.excluded, outcome.coverage, say("needed input"))
    for flag, reason in outcome.reasons:
        quality = quality.because(flag, reason)
    share = book.facts.value_coverage
    if share is not None and share < 0.995:
        if quality.coverage is None:
            quality = Quality(quality.n, quality.excluded, share, quality.flag, quality.reasons)
        sentence = say(
            "{share} of the value in the file is in this answer; the rest was rejected ({why}).",
            share=Share(share),
            why=book.facts.uncovered or say("see klientel check"),
        )
        quality = quality.because("green" if share >= 0.8 else "amber" if share >= 0.5 else "red", sentence)
    lines = book.facts.rows + sum(n for n, _ in book.facts.unconverted)
    for n, sentence in book.facts.unconverted:  # G3: excluded, counted, said; never at a rate of 1
        quality = quality.because("red" if 2 * n > lines else "amber", sentence)
    return quality


def _empty(table: Table) -> pa.Table:
    import pyarrow as pa

    return pa.table({c.name: pa.nulls(0, _arrow_type(c.unit)) for c in table.columns})


def _arrow_type(unit: str) -> Any:
    import pyarrow as pa

    return {
        "money": pa.decimal128(38, 4),
        "share": pa.float64(),
        "number": pa.float64(),
        "count": pa.int64(),
        "score": pa.int64(),
        "days": pa.float64(),
        "months": pa.float64(),
        "date": pa.date32(),
        "month": pa.date32(),
        "flag": pa.bool_(),
    }.get(unit, pa.string())


def _recipe(book: Book, analysis: Analysis, values: dict[str, Any], tables: Tables) -> Recipe:
    """How to get the same answer again in Python, on the command line and in SQL."""
    changed = {p.name: values[p.name] for p in analysis.params if values[p.name] != _value(p, p.default)}
    if not book.dated:
        changed.pop("window", None)
    as_of = book.as_of.isoformat() if book.as_of else None
    opening = [repr(s) for s in book.sources[:1]] if len(book.sources) == 1 else [repr(list(book.sources))]
    opening += [f"as_of={as_of!r}"] if as_of else []
    opening += [f"{k}={v!r}" for k, v in book.options.items() if k != "narrow" and v]
    narrowed = "".join(f".narrow({k}={v!r})" for k, v in book.options.get("narrow", {}).items())
    call = ", ".join(["book", *(f"{k}={v!r}" for k, v in changed.items())])
    python = f"book = klientel.open_book({', '.join(opening)}){narrowed}\nklientel.{analysis.name}({call})"
    cli = ["klientel", "analyse", analysis.name, *book.sources]
    cli += ["--as-of", as_of] if as_of else []
    for key, header in (book.options.get("map") or {}).items():
        cli += ["--map", f"{key}={header}"]
    if book.options.get("currency"):
        cli += ["--currency", book.options["currency"]]
    for name, value in changed.items():
        cli += [f"--{name.replace('_', '-')}", str(value)]
    return Recipe({"python": python, "cli": shlex.join(cli)}, partial(_sql, tables))


def _sql(tables: Tables) -> str:
    import ibis

    first = next(iter(tables.values()), None)
    if first is None or not hasattr(first.expression, "get_name"):
        return ""
    try:
        return str(ibis.to_sql(first.expression))
    except Exception:  # noqa: BLE001 - an expression over in-memory results has no SQL; the recipe is a courtesy
        return ""
