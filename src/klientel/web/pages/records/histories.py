"""What was changed of a record: when, by whom, from what to what; without what the person may not see."""

from __future__ import annotations

from typing import Any

from klientel.web import rights
from klientel.web.pages import shell
from klientel.web.pages.records import cells
from klientel.web.records.catalog import own_columns, title
from klientel.web.records.labels import labels
from klientel.web.records.models import Change, CustomField
from klientel.web.records.values import columns, decode, name_of
from klientel.words import mark, say, translate

WHY = {
    "edit": mark("edited"),
    "import": mark("imported"),
    "undo": mark("import undone"),
    "merge": mark("merged"),
    "unmerge": mark("merger taken back"),
    "convert": mark("lead converted"),
    "bulk": mark("changed with others"),
    "delete": mark("deleted"),
    "restore": mark("brought back"),
    "take back": mark("taken back"),
    "expired": mark("expired"),
    "erase": mark("erased"),
    "consent": mark("consent"),
}
_SILENT = frozenset({"imported_by_id", "number"})
MOST = 50


def history(request: Any, record: Any, most: int = MOST) -> list[dict[str, Any]]:
    """The newest changes of a record, in words."""
    from klientel.web.rights.columns import hidden_fields

    found = shell.reach(request)
    model: Any = type(record)
    log = (
        Change.objects.filter(model=name_of(model), object_id=record.pk)
        .select_related("actor")
        .order_by("-id")
    )
    mine = model._base_manager.filter(pk=record.pk)
    hidden = [k for k in ("personal", "margin") if not rights.visible(mine, found, k).exists()]
    rule = hidden_fields(Change)
    rows = []
    for change in log[:most]:
        row = {"model": change.model, "before": change.before, "after": change.after}
        for kind in hidden:
            rule.blank(row, kind)
        rows.append((change, row["before"] or {}, row["after"] or {}))
    names = _names(model, rows, found)
    owned = {f.name: f.title for f in CustomField.objects.filter(model=name_of(model))}
    return [_entry(request, model, change, before, after, names, owned) for change, before, after in rows]


def _names(
    model: Any, rows: list[tuple[Any, dict[str, Any], dict[str, Any]]], found: Any
) -> dict[str, dict[int, str]]:
    result = {}
    for name, field in columns(model).items():
        if field.related_model is None or field.related_model._meta.app_label != "records":
            continue
        ids = {
            side[name] for _, before, after in rows for side in (before, after) if side.get(name) is not None
        }
        result[name] = labels(field.related_model, ids, actor=found)
    return result


def _entry(
    request: Any, model: Any, change: Any, before: dict[str, Any], after: dict[str, Any],
    names: dict[str, dict[int, str]], owned: dict[str, str],
) -> dict[str, Any]:  # fmt: skip
    lang = request.lang
    made = change.before is None
    lines: list[tuple[str, str, str]] = []
    for name in dict.fromkeys([*before, *after]):
        if name == "custom":
            held, given = before.get(name) or {}, after.get(name) or {}
            lines += [
                (owned.get(key, key), str(held.get(key) or ""), str(given.get(key) or ""))
                for key in sorted({*held, *given})
                if held.get(key) != given.get(key)
            ]
        elif name not in _SILENT and name in columns(model):
            old, new = (_value(model, name, side, names, lang) for side in (before, after))
            lines.append((translate(title(model, name), lang), old, new))
    deleted = "deleted_at" in after
    why = WHY.get(change.why, change.why)
    if deleted and change.why in ("edit", "delete", "bulk"):
        why = mark("deleted") if after["deleted_at"] else mark("brought back")
        lines = []
    elif made and change.why == "edit":
        why = mark("made")
    return {
        "at": change.at,
        "who": str(change.actor) if change.actor else translate(
            say("import") if change.import_run_id else say("the owner of the workspace"), lang
        ),
        "why": translate(why, lang),
        "lines": lines,
        "made": made,
        "id": change.pk,
        "act": change.act,
    }  # fmt: skip


def _value(model: Any, name: str, side: dict[str, Any], names: dict[str, dict[int, str]], lang: str) -> str:
    if name not in side:
        return ""
    value = decode(model, {name: side[name]})[name]
    column = own_columns(model).get(name)
    return cells.text(column, value, names.get(name, {}), lang) if column is not None else str(value or "")
