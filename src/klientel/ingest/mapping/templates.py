"""Saved mappings: which headers of which files go where, and the ready ones for known exports."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from klientel.errors import BadFile, BadParameter, nearest
from klientel.ingest.mapping.assign import Claim, agreement, assign
from klientel.ingest.mapping.draft import Draft, ordered
from klientel.ingest.mapping.names import header, key
from klientel.ingest.raw import RawColumn, RawTable
from klientel.ingest.recognition import Recognition
from klientel.schema import TABLES
from klientel.words import Sentence, say

FORMAT = "klientel-mapping-1"
_PRESETS = Path(__file__).parent / "presets"
_ENOUGH = 0.8


@dataclass(frozen=True)
class Sheet:
    """The mapping of one file or sheet.

    files: name patterns ("*deals*"), used where two mappings fit the same headers; table: canonical table;
    columns: canonical column -> spellings of its header, the first is the usual one; signature: groups of
    headers, of each of which one must be there; leave_out: headers that are never taken.
    """

    table: str
    columns: Mapping[str, tuple[str, ...]]
    signature: tuple[tuple[str, ...], ...] = ()
    files: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()

    def fits(self, raw: RawTable) -> float:
        """How well the headers fit, 0 (not) to 1; order and further columns do not matter."""
        keys = {_key(c.header) for c in raw.columns}
        if self.signature and not all(any(_key(h) in keys for h in group) for group in self.signature):
            return 0.0
        if not self.signature:
            share = sum(any(_key(h) in keys for h in texts) for texts in self.columns.values()) / len(
                self.columns
            )
            return share if share >= _ENOUGH else 0.0
        named = any(fnmatch(PurePath(raw.file).name.lower(), pattern) for pattern in self.files)
        known = sum(any(_key(h) in keys for h in texts) for texts in self.columns.values())
        return min(1.0, 0.7 + 0.02 * known + (0.1 if named else 0.0))

    def claims(self, raw: RawTable, why: Sentence) -> dict[str, Claim]:
        """The columns of a raw table that this mapping names."""
        by_key: dict[str, RawColumn] = {}
        for column in raw.columns:
            by_key.setdefault(_key(column.header), column)
        found = {}
        for name, texts in self.columns.items():
            hit = next((by_key[_key(t)] for t in texts if _key(t) in by_key), None)
            if hit is not None:
                found[name] = Claim(name, hit, 0.98, why)
        return found


@dataclass
class Template:
    """A named set of mappings, kept as JSON by `save` and `load`, applied by `recognise(..., template=...)`.

    automatic False: a ready mapping whose headers are too common to be told by; used by name only, or for a
    file named after it.
    """

    name: str
    sheets: list[Sheet] = field(default_factory=list)
    title: str = ""
    automatic: bool = True

    @classmethod
    def of(cls, recognitions: Sequence[Recognition], name: str) -> Template:
        """The template that gives these recognitions again for files with the same headers."""
        sheets = []
        for found in recognitions:
            if found.table and found.columns and not found.secondary and not found.periods:
                columns = {column: (match.header,) for column, match in found.columns.items()}
                sheets.append(Sheet(found.table, columns, files=(PurePath(found.raw.file).name.lower(),)))
        return cls(name, sheets)

    def save(self, path: str | Path) -> None:
        """Write the template as JSON, readable and editable by people."""
        Path(path).write_text(
            json.dumps(self.as_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )

    @classmethod
    def load(cls, path: str | Path) -> Template:
        """Read a template, or take the ready mapping of that name; BadFile says what is wrong."""
        if not Path(path).exists() and str(path).strip().lower() in {p.name for p in presets()}:
            return preset(str(path))
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadFile(say("There is no template {path}.", path=str(path))) from None
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise BadFile(
                say("{path} is not a template: {error}", path=str(path), error=str(error))
            ) from None
        return cls.from_dict(content, str(path))

    def as_dict(self) -> dict[str, Any]:
        """The template as plain data."""
        sheets = [
            {
                "table": s.table,
                "files": list(s.files),
                "signature": [list(g) for g in s.signature],
                "columns": {n: list(t) for n, t in s.columns.items()},
                "leave_out": list(s.leave_out),
            }
            for s in self.sheets
        ]
        return {
            "format": FORMAT,
            "name": self.name,
            "title": self.title,
            "automatic": self.automatic,
            "sheets": sheets,
        }

    @classmethod
    def from_dict(cls, content: Any, place: str) -> Template:
        """Check plain data and make a template of it; BadFile names the place that is wrong."""
        if (
            not isinstance(content, dict)
            or content.get("format") != FORMAT
            or not isinstance(content.get("sheets"), list)
        ):
            raise BadFile(
                say('{path} is not a template: "format": "{format}" is missing.', path=place, format=FORMAT)
            )
        return cls(
            str(content.get("name", "")),
            [_sheet(s, place) for s in content["sheets"]],
            str(content.get("title", "")),
            bool(content.get("automatic", True)),
        )


def _sheet(content: Any, place: str) -> Sheet:
    if not isinstance(content, dict) or content.get("table") not in TABLES:
        wrong = content.get("table") if isinstance(content, dict) else content
        near = nearest(str(wrong), TABLES) or "customer"
        raise BadFile(
            say(
                '{path} names the table "{name}"; did you mean "{near}"?',
                path=place,
                name=str(wrong),
                near=near,
            )
        )
    table = str(content["table"])
    columns = content.get("columns")
    if not isinstance(columns, dict) or not columns:
        raise BadFile(say("{path} names no columns for {table}.", path=place, table=table))
    for name in columns:
        if name not in TABLES[table].names():
            near = nearest(str(name), TABLES[table].names()) or TABLES[table].names()[0]
            raise BadFile(
                say(
                    '{path} names the column "{name}" of {table}; did you mean "{near}"?',
                    path=place,
                    name=name,
                    table=table,
                    near=near,
                )
            )
    return Sheet(
        table,
        {n: _strings(t) for n, t in columns.items()},
        tuple(_strings(g) for g in content.get("signature", [])),
        _strings(content.get("files", [])),
        _strings(content.get("leave_out", [])),
    )


def _strings(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(v) for v in value)


@cache
def presets() -> tuple[Template, ...]:
    """The ready mappings, by file name: HubSpot, Salesforce, Pipedrive, Odoo, Zoho and ERP systems."""
    return tuple(Template.load(path) for path in sorted(_PRESETS.glob("*.json")))


def preset(name: str) -> Template:
    """The ready mapping of that name ("hubspot"); BadParameter with the nearest name if there is none."""
    known = {p.name: p for p in presets()}
    found = known.get(name.strip().lower())
    if found is None:
        near = nearest(name, known) or ""
        raise BadParameter(
            say(
                'There is no ready mapping "{name}"; did you mean "{near}"? There are {known}.',
                name=name,
                near=near,
                known=list(known),
            )
        )
    return found


def fitting(drafts: Sequence[Draft], template: Template | None) -> None:
    """Apply the template where it fits, else the ready mapping that fits best; changes the drafts in place.

    BadParameter if a template was given and fits none of the files.
    """
    hit = False
    for draft in drafts:
        own = _best(draft.raw, [template] if template else [])
        hit = hit or own is not None
        ready = [p for p in presets() if p.automatic or p.name in draft.raw.file.lower()]
        found = own or _best(draft.raw, ready)
        if found:
            _apply(draft, *found, sure=own is not None)
    if template and drafts and not hit:
        raise BadParameter(
            say(
                "The template {name} fits none of the files: its headers are {known}.",
                name=template.name,
                known=[texts[0] for s in template.sheets for texts in s.columns.values()][:12],
            )
        )


def _best(raw: RawTable, templates: Sequence[Template]) -> tuple[Template, Sheet] | None:
    scored = [(s.fits(raw), t.name, i, t, s) for t in templates for i, s in enumerate(t.sheets)]
    scored = [entry for entry in scored if entry[0] > 0]
    if not scored:
        return None
    _, _, _, found, sheet = max(scored, key=lambda e: (e[0], len(e[4].columns), e[1]))
    return found, sheet


def _apply(draft: Draft, template: Template, sheet: Sheet, *, sure: bool) -> None:
    """Take the columns that the mapping names; recognition fills the columns it leaves open."""
    why = (
        say("by the template {name}", name=template.name)
        if sure
        else say("a column of the {name} export", name=template.title or template.name)
    )
    named = {n: c for n, c in sheet.claims(draft.raw, why).items() if sure or _agrees(draft, sheet.table, c)}
    if not _usable(sheet.table, named):
        return
    used = {c.column.name for c in named.values()}
    out = {_key(h) for h in sheet.leave_out}
    rest, draft.lost = assign(draft.raw, sheet.table, draft.look.evidence)
    for name, claim in rest.items():
        free = claim.column.name not in used and _key(claim.column.header) not in out
        if name not in named and free and not (sure and claim.confidence < 0.9):
            named[name] = claim
            used.add(claim.column.name)
    draft.table, draft.columns, draft.wide, draft.guessed = (
        sheet.table,
        ordered(sheet.table, named),
        None,
        False,
    )
    draft.fixed = True
    draft.left_out = frozenset(c.name for c in draft.raw.columns if _key(c.header) in out)
    draft.why = why if sure else say("an export of {name}", name=template.title or template.name)


def _agrees(draft: Draft, table: str, claim: Claim) -> bool:
    return agreement(TABLES[table].field(claim.field), draft.look.evidence[claim.column.name])[0] >= 0.5


def _usable(table: str, columns: Mapping[str, Claim]) -> bool:
    return all(any(n in columns for n in group) for group in TABLES[table].required)


def _key(text: str) -> str:
    """Headers are compared without case, spaces and signs; a year or a unit in them does matter."""
    return key(text) or "".join(text.lower().split()) or header(text).text
