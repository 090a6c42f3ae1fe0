"""Results as notebooks show them: a small HTML block with figures, the first rows and the quality."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from klientel.quality import FLAGS
from klientel.show.figures import NUMERIC, cell, interval, written
from klientel.words import language, translate

if TYPE_CHECKING:
    from klientel.result import Result, ResultTable

_ROWS = 10


def result_html(result: Result) -> str:
    """A result as HTML: title, sentences, figures with intervals, first rows of the first table, quality."""
    lang = language()
    lines = "".join(f"<li>{escape(translate(line, lang))}</li>" for line in result.lines)
    figures = ""
    for figure in result.analysis.figures:
        value = written(result.figures.get(figure.name), figure.unit, lang, result.currency)
        estimate = result.estimates.get(figure.name)
        spread = interval(estimate, figure.unit, lang, result.currency) if estimate else ""
        title = escape(translate(figure.title, lang))
        meaning = escape(translate(figure.meaning, lang))
        figures += (
            f'<tr title="{meaning}"><td>{title}</td><td style="text-align:right"><b>{escape(value)}</b></td>'
        )
        figures += f"<td>{escape(spread)}</td></tr>"
    first = next(iter(result.tables.values()), None)
    flag = escape(translate(FLAGS[result.quality.flag], lang))
    reasons = "".join(f"<li>{escape(translate(r, lang))}</li>" for r in result.quality.reasons)
    return (
        f"<h4>{escape(translate(result.analysis.title, lang))}</h4><ul>{lines}</ul>"
        f"<table>{figures}</table>"
        f"{table_html(first) if first is not None else ''}"
        f"<p>{flag} (n = {result.quality.n})</p><ul>{reasons}</ul>"
    )


def table_html(table: ResultTable) -> str:
    """The first rows of a result table as HTML."""
    lang = language()
    columns = table.table.columns
    head = "".join(f"<th>{escape(translate(c.title, lang))}</th>" for c in columns)
    rows = table.head(_ROWS).to_pydict()
    body = ""
    for i in range(min(_ROWS, len(table))):
        cells = ""
        for column in columns:
            align = "right" if column.unit in NUMERIC else "left"
            value = escape(cell(rows[column.name][i], column, lang))
            cells += f'<td style="text-align:{align}">{value}</td>'
        body += f"<tr>{cells}</tr>"
    title = escape(translate(table.table.title, lang))
    return f"<table><caption>{title} ({len(table)})</caption><tr>{head}</tr>{body}</table>"
