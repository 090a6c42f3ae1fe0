"""What a person says with --map: a table for a file, a header for a column, "-" for leave it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from klientel.errors import BadParameter, nearest
from klientel.ingest.mapping.assign import Claim, assign
from klientel.ingest.mapping.draft import Draft, ordered
from klientel.ingest.mapping.names import key as comparable
from klientel.ingest.raw import RawColumn, RawTable
from klientel.ingest.recognition import Match, Recognition
from klientel.schema import COLUMN_ALIASES, TABLE_ALIASES, TABLES
from klientel.words import Sentence, say

LEFT_OUT = "-"
_AWAY = ":-."
_KEYS = {"customer_id", "name", "customer_name"}
_INSIDE = {
    "customer": {"order_line", "order_header", "project_contract", "opportunity"},
    "order_line": {"project_contract"},
}
"""Tables that can lie inside a file of another: naming their columns does not change what the file is."""


@dataclass(frozen=True)
class Said:
    """One column that a person named. raw None: whichever file has the header; header "-": leave it out."""

    raw: RawTable | None
    table: str
    column: str
    header: str


@dataclass
class Plan:
    """All that a person said, checked against the files."""

    raws: Sequence[RawTable] = ()
    tables: dict[int, str | None] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    _placed: list[tuple[int, Said, RawColumn]] = field(default_factory=list)

    def force_tables(self, drafts: Sequence[Draft]) -> None:
        """Make the drafts the tables that were named, and those that the named columns call for."""
        for draft in drafts:
            if id(draft.raw) in self.tables:
                self._turn(draft, self.tables[id(draft.raw)])
        wanted = [s for s in self.said if s.header != LEFT_OUT]
        for table in dict.fromkeys(s.table for s in wanted):
            for raw in dict.fromkeys(s.raw.place if s.raw else None for s in wanted if s.table == table):
                group = [s for s in wanted if s.table == table and (s.raw.place if s.raw else None) == raw]
                for draft in _targets(drafts, group, table):
                    self._place(draft, group)
        self.force_columns(drafts)

    def force_columns(self, drafts: Sequence[Draft]) -> None:
        """Put the named columns in place and take out those that are to be left out."""
        for draft in drafts:
            for index, said, column in self._placed:
                if index != id(draft):
                    continue
                if said.table == draft.table:
                    _put(draft, said.column, column)
                elif said.column not in _KEYS:
                    draft.columns = {n: c for n, c in draft.columns.items() if c.column.name != column.name}
            for said in self.said:
                here = said.raw is None or said.raw is draft.raw
                if said.header == LEFT_OUT and here and said.table == draft.table:
                    draft.columns.pop(said.column, None)

    def added(self, draft: Draft, primary: Recognition) -> list[Recognition]:
        """Tables inside the file that were named and that recognition did not find by itself.

        Each gives one secondary recognition; `merge` puts them over those that were found.
        """
        made: dict[str, Recognition] = {}
        for index, said, column in self._placed:
            if index != id(draft) or said.table == draft.table:
                continue
            found = made.setdefault(
                said.table, Recognition(draft.raw, said.table, 1.0, secondary=True, why=_told())
            )
            found.columns[said.column] = _match(column)
        for table, found in made.items():
            for name in ("customer_id", "customer_name"):
                if name in primary.columns and name in TABLES[table].names():
                    found.columns.setdefault(name, primary.columns[name])
        return list(made.values())

    def merge(self, found: list[Recognition], added: list[Recognition]) -> list[Recognition]:
        """Secondary recognitions with what was named put over what was found, and left-out columns gone."""
        by_table = {r.table: r for r in found}
        for extra in added:
            own = by_table.get(extra.table)
            if own is None:
                found.append(extra)
                by_table[extra.table] = extra
                continue
            named = {m.column for m in extra.columns.values()}
            own.attributes = {n: m for n, m in own.attributes.items() if m.column not in named}
            own.columns = {**own.columns, **extra.columns}
        for recognition in found:
            gone = {
                s.column
                for s in self.said
                if s.header == LEFT_OUT
                and s.table == recognition.table
                and (s.raw is None or s.raw is recognition.raw)
            }
            recognition.columns = {n: m for n, m in recognition.columns.items() if n not in gone}
            recognition.attributes = {n: m for n, m in recognition.attributes.items() if n not in gone}
        return [r for r in found if r.columns]

    def _turn(self, draft: Draft, table: str | None) -> None:
        draft.fixed = True
        if table is None:
            draft.table, draft.columns, draft.wide = None, {}, None
            draft.why = say("left out as you said")
            return
        if draft.table != table:
            draft.table = table
            draft.columns, draft.lost = assign(draft.raw, table, draft.look.evidence)
            draft.wide = draft.wide if table == "order_line" else None
            draft.guessed = False
        draft.why = _told()

    def _place(self, draft: Draft, group: Sequence[Said]) -> None:
        table = group[0].table
        if draft.table != table and draft.table not in _INSIDE.get(table, set()):
            self._turn(draft, table)
        draft.fixed = draft.fixed or draft.table == table
        for said in group:
            column = _find(draft.raw, said.header)
            if column is not None:
                self._placed.append((id(draft), said, column))


def parse(overrides: Mapping[str, str], raws: Sequence[RawTable]) -> Plan:
    """Check what was said: {"TABLE.COLUMN" or "FILE:TABLE.COLUMN": header or "-", "FILE": table or "-"}.

    Tables and columns may be written as in `schema.TABLE_ALIASES` and `schema.COLUMN_ALIASES`. Errors:
    BadParameter, with the nearest known name.
    """
    plan = Plan(raws=raws)
    for left, right in overrides.items():
        left, right = left.strip(), right.strip()
        files = _files(left, raws)
        if files:
            for raw in files:
                plan.tables[id(raw)] = None if right == LEFT_OUT else table_named(right)
            continue
        head, colon, tail = left.rpartition(":")
        only: RawTable | None = None
        if colon:
            found = _files(head, raws)
            if not found:
                raise BadParameter(_unknown_file(head, raws))
            only, left = found[0], tail
        table, dot, column = left.partition(".")
        if not dot:
            raise BadParameter(_unknown_file(left, raws) if right in _tables() else _form(left))
        table = table_named(table)
        said = Said(only, table, column_named(table, column), right)
        _check_header(said, raws)
        plan.said.append(said)
    return plan


def without(
    overrides: Mapping[str, str], raws: Sequence[RawTable]
) -> tuple[dict[str, str], list[RawTable], list[list[str]]]:
    """Take the headers away that are to be left out: {"-.Header": "-"} or {"FILE:-.Header": "-"}.

    The other overrides, the raw tables without those columns, and the headers that went from each. A header may be
    told by its column's own name, too. Errors: BadParameter for a header or file that is not there.
    """
    rest: dict[str, str] = {}
    gone: list[list[RawColumn]] = [[] for _ in raws]
    for left, right in overrides.items():
        head, sign, wanted = left.partition(_AWAY) if _AWAY in left else ("", left[:2], left[2:])
        if sign not in (_AWAY, _AWAY[1:]):
            rest[left] = right
            continue
        asked = _files(head, raws) if head else list(raws)
        if head and not asked:
            raise BadParameter(_unknown_file(head, raws))
        for i, raw in enumerate(raws):
            if any(raw is one for one in asked) and (column := _find(raw, wanted)):
                gone[i].append(column)
        if not any(_find(raw, wanted) for raw in asked):
            _check_header(Said(asked[0] if head else None, "", "", wanted), raws)
    kept = [
        replace(raw, columns=tuple(c for c in raw.columns if c not in away)) if away else raw
        for raw, away in zip(raws, gone, strict=True)
    ]
    return rest, kept, [[c.header for c in away] for away in gone]


def table_named(name: str) -> str:
    """The canonical table of that name or alias; BadParameter with the nearest name if there is none."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    found = plain if plain in TABLES else TABLE_ALIASES.get(plain)
    if found is None:
        near = nearest(plain, _tables())
        if near:
            raise BadParameter(
                say('There is no table "{name}"; did you mean "{near}"?', name=name, near=near)
            )
        raise BadParameter(
            say('There is no table "{name}"; the tables are {known}.', name=name, known=list(TABLES))
        )
    return found


def column_named(table: str, name: str) -> str:
    """The canonical column of that name or alias; BadParameter with the nearest name if there is none."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    known = TABLES[table].names()
    aliases = COLUMN_ALIASES.get(table, {})
    found = plain if plain in known else aliases.get(plain)
    if found is None:
        near = nearest(plain, [*known, *aliases])
        if near:
            raise BadParameter(
                say(
                    'Table {table} has no column "{name}"; did you mean "{near}"?',
                    table=table,
                    name=name,
                    near=near,
                )
            )
        raise BadParameter(
            say(
                'Table {table} has no column "{name}"; it has {known}.',
                table=table,
                name=name,
                known=list(known),
            )
        )
    return found


def _tables() -> list[str]:
    return [*TABLES, *TABLE_ALIASES]


def _form(left: str) -> str:
    return say('"{text}" is not of the form TABLE.COLUMN="Header" or FILE=TABLE.', text=left)


def _told() -> Sentence:
    return say("as you said")


def _files(name: str, raws: Sequence[RawTable]) -> list[RawTable]:
    lower = name.lower()
    for names in (_exact_names, _loose_names):
        found = [raw for raw in raws if lower in names(raw)]
        if found:
            return found
    return []


def _exact_names(raw: RawTable) -> set[str]:
    return {raw.place.lower(), raw.file.lower(), PurePath(raw.file).name.lower()}


def _loose_names(raw: RawTable) -> set[str]:
    stem = PurePath(raw.file).name.split(".")[0]
    return {n.lower() for n in (stem, raw.name, raw.sheet or "") if n}


def _unknown_file(name: str, raws: Sequence[RawTable]) -> str:
    known = [raw.file for raw in raws]
    near = nearest(name, known)
    if near:
        return say('There is no file "{name}"; did you mean "{near}"?', name=name, near=near)
    return say('There is no file "{name}"; the files are {known}.', name=name, known=known)


def _check_header(said: Said, raws: Sequence[RawTable]) -> None:
    if said.header == LEFT_OUT:
        return
    asked = [said.raw] if said.raw else list(raws)
    if any(_find(raw, said.header) for raw in asked):
        return
    known = list(dict.fromkeys(c.header for raw in asked for c in raw.columns))
    near = nearest(said.header, known)
    where = said.raw.place if said.raw else ", ".join(raw.place for raw in raws[:3])
    if near:
        raise BadParameter(
            say(
                'No column is headed "{name}" in {where}; did you mean "{near}"?',
                name=said.header,
                where=where,
                near=near,
            )
        )
    raise BadParameter(
        say(
            'No column is headed "{name}" in {where}; there are {known}.',
            name=said.header,
            where=where,
            known=known[:20],
        )
    )


def _find(raw: RawTable, wanted: str) -> RawColumn | None:
    """The column with that header: as written, then in any case, then spelled alike, then by its own name."""
    for same in (
        lambda c: c.header == wanted,
        lambda c: c.header.strip().lower() == wanted.strip().lower(),
        lambda c: bool(comparable(wanted)) and comparable(c.header) == comparable(wanted),
        lambda c: c.name == wanted,
    ):
        found = [c for c in raw.columns if same(c)]
        if found:
            return found[0]
    return None


def _targets(drafts: Sequence[Draft], group: Sequence[Said], table: str) -> list[Draft]:
    """The files that columns named for a table are meant for."""
    if group[0].raw is not None:
        return [d for d in drafts if d.raw is group[0].raw]
    having = [d for d in drafts if all(_find(d.raw, s.header) for s in group)]
    if not having:  # each header in some file, no file has all: every file gets its own
        having = [d for d in drafts if any(_find(d.raw, s.header) for s in group)]
    right = [d for d in having if d.table == table] or [
        d for d in having if d.table in _INSIDE.get(table, set())
    ]
    if right or len(having) == 1:
        return right or having
    raise BadParameter(
        say(
            '"{header}" is in {files}; say which with --map "FILE:{table}.{column}"="{header}".',
            header=group[0].header,
            files=[d.raw.place for d in having],
            table=table,
            column=group[0].column,
        )
    )


def _put(draft: Draft, name: str, column: RawColumn) -> None:
    doubles = {"customer_id": "name", "rep_id": "name", "product_id": "name", "name": f"{draft.table}_id"}
    for other in [n for n, c in draft.columns.items() if c.column.name == column.name and n != name]:
        if doubles.get(name) != other:
            del draft.columns[other]
    draft.columns[name] = Claim(name, column, 1.0, say("as you said"))
    draft.columns = ordered(draft.table or "", draft.columns)
    if name in {"net_amount"} and draft.wide:
        draft.wide = None


def _match(column: RawColumn) -> Match:
    return Match(column.name, column.header, 1.0, say("as you said"))
