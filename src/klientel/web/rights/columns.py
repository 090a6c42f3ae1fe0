"""Which fields of a record are kept from a person: costs and margins, personal data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from klientel.web.privacy.fields import INTIMATE, costs, personal, personal_customs

KINDS = ("personal", "margin")


@dataclass(frozen=True)
class Hidden:
    """Fields by kind ("personal", "margin"); `customs`: personal custom fields; of `Change` what is inside."""

    personal: tuple[str, ...]
    margin: tuple[str, ...]
    customs: frozenset[str]
    inside: dict[str, Hidden] | None = None

    def of(self, kind: str) -> tuple[str, ...]:
        """The fields of a kind, to see whether there are any."""
        own = self.personal + tuple(self.customs) if kind == "personal" else self.margin
        return own or (tuple(self.inside) if self.inside else ())

    def blank(self, row: dict[str, Any], kind: str) -> None:
        """Take the fields of a kind out of a row, in place."""
        if self.inside is not None:
            deep = self.inside.get(row["model"])
            if deep is not None:
                for side in ("before", "after"):
                    if row[side]:
                        row[side] = deep._without(row[side], kind)
            return
        row.update(dict.fromkeys(self.personal if kind == "personal" else self.margin))
        if kind == "personal" and self.customs and row.get("custom"):
            row["custom"] = {k: v for k, v in row["custom"].items() if k not in self.customs}

    def _without(self, held: dict[str, Any], kind: str) -> dict[str, Any]:
        gone = set(self.personal if kind == "personal" else self.margin)
        kept = {k: v for k, v in held.items() if k not in gone}
        if kind == "personal" and isinstance(kept.get("custom"), dict):
            kept["custom"] = {k: v for k, v in kept["custom"].items() if k not in self.customs}
        return kept


def hidden_fields(model: Any) -> Hidden:
    """The fields of a model that are personal or costs; of the log of changes, those of every model."""
    name = model.__name__
    if name == "Change":
        from django.apps import apps

        inside = {m.__name__: _hidden(m.__name__) for m in apps.get_app_config("records").get_models()}
        return Hidden((), (), frozenset(), inside)
    return _hidden(name)


def _hidden(name: str) -> Hidden:
    # The number stays: references and links need it. Free text about persons goes.
    fields = tuple(f for f in personal(name) if f != "number") + INTIMATE.get(name, ())
    return Hidden(fields, costs(name), personal_customs(name))
