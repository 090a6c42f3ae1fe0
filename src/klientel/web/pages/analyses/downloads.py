"""Answers as files: tables, charts, workbooks and reports, of the customers that the person may export."""

from __future__ import annotations

import tempfile
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

from django.http import FileResponse, Http404
from django.urls import reverse

from klientel.errors import BadParameter
from klientel.result import Result
from klientel.show.report import FORMATS
from klientel.web import books, results, rights
from klientel.web.pages import shell
from klientel.web.pages.analyses import answers, asked, waiting
from klientel.web.pages.analyses.show import declared

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "svg": "image/svg+xml",
    "png": "image/png",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
}
REPORTS = tuple(suffix.removeprefix(".") for suffix in FORMATS)


def download(request: Any, name: str) -> Any:
    """A table (csv, parquet), all of them (xlsx, json), a chart (svg, png) or the whole page (html, pdf)."""
    analysis = declared(name)
    rights.demand(shell.reach(request), "export")
    form = request.GET.get("form", "csv")
    if form not in _TYPES:
        raise Http404
    wanted = asked.read(request, analysis)
    if wanted.errors:
        raise BadParameter(next(iter(wanted.errors.values())))
    result = results.give(wanted.question(action="export"))
    what = request.GET.get("chart" if form in ("svg", "png") else "table", "")
    if form in ("svg", "png"):
        result.chart(what or None)  # names the charts there are if this one is not
    elif what:
        result.tables[what]
    target = Path(tempfile.mkdtemp(prefix="klientel-")) / "file"
    try:
        _write(result, form, what, target.with_suffix(f".{form}"), request.lang)
        content = target.with_suffix(f".{form}").open("rb")
    finally:
        for file in target.parent.iterdir():
            file.unlink()  # open files stay readable
        target.parent.rmdir()
    day = f"-{result.as_of.isoformat()}" if result.as_of else ""
    title = f"{name}{f'-{what}' if what else ''}{day}.{form}"
    return FileResponse(content, as_attachment=True, filename=title, content_type=_TYPES[form])


def _write(result: Result, form: str, what: str, target: Path, lang: str) -> None:
    from klientel.show import report, write
    from klientel.show.charts import draw, save

    if form in ("svg", "png"):
        save(draw(result, what or None, lang=lang), target)
    elif form in ("html", "pdf"):
        summary = report.BookSummary(as_of=result.as_of, currency=result.currency)
        report.report([result], summary, lang, target)
    else:
        write.result(result, form, what or None, str(target), lang)


# -- the report of everything ----------------------------------------------------------------------


def report(request: Any) -> Any:
    """The page from which the report of everything is fetched, once it is written."""
    rights.demand(shell.reach(request), "export")
    form = _form(request)
    one = _writing(request, form, patience=0.3 if request.htmx else 0.0) if form else None
    given: dict[str, Any] = {"forms": REPORTS, "form": form}
    if one is not None and one.why is not None:
        waiting.forget(one.key)
        given["refused"] = one.why.sentence
    elif one is not None and one.ended.is_set():
        given["file"] = reverse("analyses:report-file") + "?" + urlencode({"form": form})
    elif one is not None:
        given["waiting"] = one
    return shell.page(request, "analyses/report_part.html" if request.htmx else "analyses/report.html", given)


def report_file(request: Any) -> Any:
    """The written report."""
    rights.demand(shell.reach(request), "export")
    form = _form(request)
    place = _place(request, form) if form else None
    if place is None or not place.is_file():
        raise Http404
    title = f"klientel-{shell.today().isoformat()}.{form}"
    return FileResponse(place.open("rb"), as_attachment=True, filename=title, content_type=_TYPES[form])


def _form(request: Any) -> str:
    form = str(request.GET.get("form", ""))
    return form if form in REPORTS else ""


def _question(request: Any) -> results.Question:
    from klientel.analyses import ANALYSES

    return asked.Asked(request, next(iter(ANALYSES.values()))).question(action="export")


def _place(request: Any, form: str) -> Path:
    """Where the report of the present content lies, for whom may export the same."""
    return _question(request).place(books.state()).with_suffix(f".{request.lang}.{form}")


def _writing(request: Any, form: str, patience: float) -> answers.Waiting:
    place, question, lang = _place(request, form), _question(request), request.lang
    key = str(place)

    def work(progress: Any) -> str:
        from klientel.show import write

        if place.is_file():
            return key
        with results.computing():
            book, state = results.book_for(question, progress)
            place.parent.mkdir(mode=0o700, exist_ok=True)
            part = place.with_name(f"part-{token_hex(4)}-{place.name}")
            try:
                write.report(book, part, lang, progress)
                _keep(part, place, state)
            finally:
                part.unlink(missing_ok=True)
        return key

    one = answers.soon(key, work, patience=patience)
    if one.ended.is_set() and one.why is None and not place.is_file():  # it was tidied away since
        waiting.forget(key)
        one = answers.soon(key, work, patience=patience)
    return one


def _keep(part: Path, place: Path, state: books.State) -> None:
    """Put a written report to its place, if the workspace still is what it tells of.

    An erasure sweeps what is kept when it is done: a report of before that came later would hold who was erased.
    """
    if books.state() != state:
        return
    part.replace(place)
    if books.state() != state:  # what changes from here on, sweeps after this
        place.unlink(missing_ok=True)
