"""Tables and charts of answers as files, in the form that the address or the Accept header asks for."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from django.http import HttpResponse

from klientel.result import Result
from klientel.web.api.problems import Missing

# Forms of a table and of a chart -> media type. The first one that fits is taken.
TABLES = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
CHARTS = {"svg": "image/svg+xml", "png": "image/png"}


def documented(forms: dict[str, str]) -> dict[str, Any]:
    """What the OpenAPI document says of the forms."""
    kept = {"schema": {"type": "string", "format": "binary"}}
    return {"responses": {200: {"content": dict.fromkeys(forms.values(), kept)}}}


def wanted(request: Any, forms: dict[str, str]) -> str | None:
    """The form that the Accept header prefers before JSON; None if it names none."""
    best: tuple[float, str | None] = (0.0, None)
    for part in request.headers.get("Accept", "").split(","):
        media, *options = (piece.strip() for piece in part.split(";"))
        weight = next((_number(o[2:]) for o in options if o.startswith("q=")), 1.0)
        form = next((name for name, known in forms.items() if known == media.lower()), None)
        if (form is not None or media == "application/json") and weight > best[0]:
            best = (weight, form)
    return best[1]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def table(request: Any, result: Result, name: str, form: str) -> HttpResponse:
    """A table of an answer as a file; cells that a spreadsheet would take for formulas are made harmless."""
    chosen = result.tables[name]
    sink = BytesIO()
    match form:
        case "csv":
            from klientel.show.delimited import csv_text

            sink.write(csv_text(chosen).encode())
        case "parquet":
            import pyarrow.parquet as pq

            pq.write_table(chosen.to_pyarrow(), sink)
        case "arrow":
            import pyarrow as pa

            content = chosen.to_pyarrow()
            with pa.ipc.new_stream(sink, content.schema) as writer:
                writer.write_table(content)
        case _:
            sink.write(_workbook(result, request.lang))
    made = HttpResponse(sink.getvalue(), content_type=TABLES[form])
    day = f"-{result.as_of.isoformat()}" if result.as_of else ""
    made["Content-Disposition"] = f'attachment; filename="{result.name}-{name}{day}.{form}"'
    return made


def _workbook(result: Result, lang: str) -> bytes:
    from klientel.show.workbook import workbook

    with tempfile.TemporaryDirectory(prefix="klientel-") as folder:
        target = Path(folder) / "answer.xlsx"
        workbook([result], target, lang)
        return target.read_bytes()


def chart(request: Any, result: Result, name: str, form: str | None) -> HttpResponse:
    """A chart of an answer as a picture."""
    from klientel.show.charts import draw, save, svg

    if name not in {c.name for c in result.analysis.charts}:
        raise Missing
    chosen = form or wanted(request, CHARTS) or "svg"
    drawn = draw(result, name, lang=request.lang)
    if chosen == "svg":
        return HttpResponse(svg(drawn), content_type=CHARTS["svg"])
    with tempfile.TemporaryDirectory(prefix="klientel-") as folder:
        place = save(drawn, Path(folder) / "chart.png")
        return HttpResponse(place.read_bytes(), content_type=CHARTS["png"])
