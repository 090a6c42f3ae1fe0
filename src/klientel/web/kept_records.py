"""Records as canonical tables, kept beside the answers, so that after an edit only what it changed is read again.

Reading a million records from the database takes seconds, from a file of Arrow nothing. What was kept is brought up
to date by the log of changes: records that were changed since are read again and take the place of what they were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from klientel.errors import KlientelError
from klientel.web import results
from klientel.web.home import Home
from klientel.web.records import canonical
from klientel.web.records.models import CANONICAL, Change

if TYPE_CHECKING:
    import pyarrow as pa

    from klientel.web.books import State

WORTH_KEEPING = 20_000  # records; fewer are read faster than found
MANY = 20_000  # changes; more are not looked at one by one
_AT_ONCE = 900  # ids asked for in one statement


@dataclass(frozen=True)
class Fresh:
    """A table to keep when the reading is over, or (table None) a kept one that is good for longer."""

    place: Path
    table: pa.Table | None
    before: Path | None


def tables(
    home: Home, seen: Mapping[str, Sequence[str]], day: date | None, state: State
) -> tuple[dict[str, pa.Table], list[Fresh]]:
    """Every canonical table as `canonical.tables` has it, and what of it to `keep`.

    Within one reading of the database. state: the content that it sees.
    """
    found, fresh = {}, []
    for name in CANONICAL:
        columns = seen.get(name, ())
        table, kept = _table(home, name, columns, day if name == "customer" else None, state)
        fresh += [kept] if kept else []
        if table is not None and table.num_rows:
            found[name] = canonical.filled(table, name, columns)
    return found, fresh


def keep(home: Home, fresh: Sequence[Fresh], state: State) -> None:
    """Keep tables, each whole or not at all; none if the content of the workspace is not `state` any more."""
    import pyarrow as pa

    from klientel.web import books

    written = False
    for item in fresh:
        part = item.place.with_name(f"{item.place.stem}-{token_hex(4)}.part")
        try:
            if item.table is None and item.before is not None:
                item.before.rename(item.place)
            elif item.table is not None:
                results.folder(home).mkdir(mode=0o700, exist_ok=True)
                with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, item.table.schema) as writer:
                    writer.write_table(item.table)
                part.rename(item.place)
                written = True
                if item.before is not None:
                    item.before.unlink(missing_ok=True)
        except OSError:
            part.unlink(missing_ok=True)
    if written:
        results.bound(home)
    if books.state() != state:  # an erasure may have cleared up before these were written
        for item in fresh:
            item.place.unlink(missing_ok=True)


def prepare(home: Home) -> None:
    """Read and keep what the next Book is made of, so that nobody waits for it."""
    from klientel.web import books

    with suppress(KlientelError):  # no rate for a currency, say: whoever asks is told
        books.opened(home, lenient=True)


def _table(
    home: Home, name: str, seen: Sequence[str], day: date | None, state: State
) -> tuple[pa.Table | None, Fresh | None]:
    stem, change = _stem(name, seen, day), state.change
    now = results.folder(home) / f"{stem}.{change}.{state.recent}.records"
    found = _newest(home, stem, change) if change else None
    table = _mapped(found[1]) if found is not None else None
    if found is not None and table is not None:
        held, place = found
        if held == change:
            return table, None
        changed = _changed(name, held, change, past=day is not None)
        if changed is not None and not changed:
            return table, Fresh(now, None, place)
        if changed is not None:
            table = _renewed(table, name, seen, changed)
            return table, Fresh(now, table, place)
    table = canonical.read(name, seen, day)
    worth = change and table is not None and table.num_rows >= WORTH_KEEPING
    return table, Fresh(now, table, found[1] if found is not None else None) if worth else None


def _stem(name: str, seen: Sequence[str], day: date | None) -> str:
    """What a table is made by, beside the records: code, columns that came in and fields that people added."""
    made_by = json.dumps([results.code(), list(seen), canonical.own_columns(name)])
    return f"{name}-{sha256(made_by.encode()).hexdigest()[:16]}-{day or 'now'}"


def _newest(home: Home, stem: str, change: int) -> tuple[int, Path] | None:
    """The change up to which a table is kept, and where; none that shows more than this reading sees."""
    from klientel.web import books

    held = []
    for place in results.folder(home).glob(f"{stem}.*.records"):
        _, upto, visible, _ = place.name.rsplit(".", 3)
        if int(upto) <= change and books.recent(int(upto)) == int(visible):
            held.append((int(upto), place))
    return max(held, default=None)


def _mapped(place: Path) -> pa.Table | None:
    import pyarrow as pa

    try:
        with pa.memory_map(str(place)) as source:
            table = pa.ipc.open_file(source).read_all()
        place.touch()
        return table
    except (OSError, pa.ArrowException):
        return None  # somebody is tidying up; the database knows everything


def _changed(name: str, after: int, upto: int, *, past: bool) -> set[int] | None:
    """Ids of the records that were changed since; None if the whole table is to be read again.

    past: the table is that of an earlier day, whose values stand in the history.
    """
    model = CANONICAL[name].__name__
    others = canonical.rests_on(name)
    names = {model, *others} | ({"DatedValue"} if past else set())
    rows = Change.objects.filter(pk__gt=after, pk__lte=upto, model__in=names)
    found = list(rows.values_list("model", "object_id", "before", "after")[: MANY + 1])
    if len(found) > MANY or (past and found):
        return None
    ids: set[int] = set()
    for kind, record, before, now in found:
        if kind == model:
            ids.add(record)
        if kind in others and (now is None or (before is not None and others[kind] & set(now))):
            return None
    return ids


def _renewed(table: pa.Table, name: str, seen: Sequence[str], ids: set[int]) -> pa.Table:
    """The table with these records as they are now."""
    import pyarrow as pa
    import pyarrow.compute as pc

    asked = sorted(ids)
    parts = [
        canonical.read(name, seen, None, asked[k : k + _AT_ONCE]) for k in range(0, len(asked), _AT_ONCE)
    ]
    others = table.filter(pc.invert(pc.is_in(table[canonical.PK], pa.array(asked, pa.int64()))))
    whole = pa.concat_tables([others, *(p for p in parts if p is not None)], promote_options="default")
    return whole.sort_by(canonical.PK)
