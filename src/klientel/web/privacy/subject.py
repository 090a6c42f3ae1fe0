"""All that is known of one person, for the person: records, history, changes, texts, consents, files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from klientel.web.privacy import cleaning
from klientel.web.privacy.erasing import cutters
from klientel.web.privacy.persons import Person, person
from klientel.web.privacy.redacting import Cutter, text_columns
from klientel.words import Word, mark, translate

if TYPE_CHECKING:
    from pathlib import Path

    from klientel.web.home import Home

SECTIONS: dict[str, Word] = {
    "records": mark("Records"),
    "consents": mark("Consents"),
    "interactions": mark("Interactions"),
    "notes": mark("Notes"),
    "answers": mark("Survey answers"),
    "history": mark("Values over time"),
    "changes": mark("Changes"),
    "mentions": mark("Mentions in other records"),
    "facts": mark("Order lines"),
    "files": mark("Files of imports"),
}
_LIMIT = 1000  # lines of facts and files that are quoted; all are counted
_INNER = frozenset({"id", "created_at", "updated_at", "imported_by_id", "merged_into_id"})


def subject_report(home: Home, record: Any, *, actor: Any = None) -> dict[str, Any]:
    """All that the workspace knows of a person: section (`SECTIONS`) -> list of JSON objects.

    record: a `Contact`, `Lead`, `Rep` or the `Company` of a sole trader. Values are JSON; facts and files quote at
    most 1,000 lines each, `counts` has them all. Raises NotAllowed unless `actor` may see the personal data of this
    person and export them.
    """
    from klientel.web import rights

    rights.demand(actor, "personal", record)
    rights.demand(actor, "export", record)
    one = person(record)
    everywhere, close = cutters([one], ["█"])
    about = list(cleaning.about([one]))
    found: dict[str, Any] = {
        "records": [_told(r) for r in one.records],
        "consents": list(_consents(one)),
        "interactions": [_told(r) for r in about if type(r).__name__ == "Interaction"],
        "notes": [_told(r) for r in about if type(r).__name__ == "Note"],
        "answers": [_told(r) for r in about if type(r).__name__ == "SurveyAnswer"],
        "history": list(_history(one)),
        "changes": list(_changes(one)),
        "mentions": list(_mentions(one, about, everywhere, close)),
    }
    found["facts"], lines = _facts(home, everywhere)
    found["files"], places = _files(home, everywhere)
    found["counts"] = {name: len(rows) for name, rows in found.items()} | {"facts": lines, "files": places}
    return found


def readable(report: dict[str, Any], lang: str = "en") -> str:
    """A report as text that a person can read."""
    out = []
    for name, title in SECTIONS.items():
        out += [f"{translate(title, lang)} ({report['counts'][name]})", ""]
        for row in report[name]:
            out += [f"  {key}: {value}" for key, value in row.items() if value not in (None, "", {}, [])]
            out.append("")
    return "\n".join(out)


def _told(record: Any) -> dict[str, Any]:
    """What a record holds, as JSON, references by number."""
    from klientel.web.records.values import name_of, plain

    found: dict[str, Any] = {"kind": name_of(type(record))}
    for field in record._meta.concrete_fields:
        if field.attname in _INNER or field.generated:
            continue
        value = getattr(record, field.attname)
        if value is not None and field.is_relation:
            target = getattr(record, field.name)
            found[field.name] = str(getattr(target, "number", target))
        elif value not in (None, "", {}):
            found[field.name] = plain(value)
    return found


def _consents(one: Person) -> Iterator[dict[str, Any]]:
    from klientel.web.records.models import Consent

    for row in Consent.objects.filter(contact__in=one.ids("Contact")).order_by("on", "pk"):
        yield _told(row)


def _history(one: Person) -> Iterator[dict[str, Any]]:
    from klientel.web.records.models import DatedValue

    for row in DatedValue.objects.filter(company__in=one.ids("Company")).order_by("attribute", "pk"):
        yield _told(row)


def _changes(one: Person) -> Iterator[dict[str, Any]]:
    from klientel.web.records.models import Change
    from klientel.web.records.values import name_of

    for record in one.records:
        log = Change.objects.filter(model=name_of(type(record)), object_id=record.pk).order_by("pk")
        for change in log.select_related("actor"):
            yield {
                "at": change.at.isoformat(),
                "by": str(change.actor or ""),
                "why": change.why,
                "before": change.before,
                "after": change.after,
            }


def _mentions(one: Person, about: list[Any], everywhere: Cutter, close: Cutter) -> Iterator[dict[str, Any]]:
    told = {(type(r).__name__, r.pk) for r in [*one.records, *about]}
    for record, fields in cleaning.mentioned([one], everywhere, close):
        if (type(record).__name__, record.pk) not in told:
            yield {
                "kind": type(record).__name__,
                "number": str(getattr(record, "number", record.pk)),
                **{name: getattr(record, name) for name in fields},
            }


def _facts(home: Home, cutter: Cutter) -> tuple[list[dict[str, Any]], int]:
    from klientel.engine import connect
    from klientel.result import plain
    from klientel.web.imports.writing import newest, tables
    from klientel.web.privacy.redacting import matching

    snapshot = newest()
    con = connect(None).connection.con
    rows: list[dict[str, Any]] = []
    total = 0
    for name, table in tables(home).items():
        stored = table.select((snapshot.facts if snapshot else {}).get(name, -1))
        if not stored:
            continue
        columns = [c for c in text_columns(con, stored) if c != "file"]
        held, count = matching(con, stored, columns, cutter, _LIMIT)
        total += count
        rows += [{k: plain(v) for k, v in row.items() if v is not None and k != "file"} for row in held]
    return rows, total


def _files(home: Home, cutter: Cutter) -> tuple[list[dict[str, Any]], int]:
    """Lines of what imports keep: rejected rows, and what was there before a change."""
    folder = home.folder / "imports"
    rows: list[dict[str, Any]] = []
    total = 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else ():
        found = _parquet_rows(path, cutter) if path.suffix == ".parquet" else _text_rows(path, cutter)
        total += len(found)
        rows += [{"file": str(path.relative_to(home.folder)), "text": text} for text in found[:_LIMIT]]
    return rows[:_LIMIT], total


def _text_rows(path: Path, cutter: Cutter) -> list[str]:
    if cutter.pattern is None:
        return []
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    return [line for line in text.splitlines() if cutter.pattern.search(line)]


def _parquet_rows(path: Path, cutter: Cutter) -> list[str]:
    from klientel.engine import connect
    from klientel.web.imports.lines import path_sql
    from klientel.web.privacy.redacting import matching

    con = connect(None).connection.con
    source = f"SELECT * FROM read_parquet({path_sql(path)})"  # noqa: S608 - a quoted literal
    held, _ = matching(con, source, text_columns(con, source), cutter, _LIMIT)
    return [", ".join(f"{k}={v}" for k, v in row.items() if v is not None) for row in held]
