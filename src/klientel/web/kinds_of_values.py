"""Values as JSON that tells their kind, and back: what a kept answer holds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from klientel.words import Amount, Sentence, Share, Word, say


def told(value: Any) -> Any:
    """A value as JSON that tells its kind."""
    match value:
        case None | bool():
            return value
        case Sentence():
            return {"say": value.template, "with": {k: told(v) for k, v in value.values.items()}}
        case Word():
            return {"mark": str(value)}
        case str():
            return str(value)
        case Share():
            return {"share": float(value)}
        case Amount():
            return {"amount": str(value)}
        case Decimal():
            return {"decimal": str(value)}
        case date():
            return {"date": value.isoformat()}
        case dict():
            return {"dict": {str(k): told(v) for k, v in value.items()}}
        case list():
            return [told(v) for v in value]
        case tuple():
            return {"tuple": [told(v) for v in value]}
        case int():
            return int(value)
        case float():
            return float(value)
    if hasattr(value, "item"):
        return told(value.item())
    raise TypeError(f"no answer holds {type(value).__name__}")


def again(value: Any) -> Any:
    """The value that `told` wrote."""
    if isinstance(value, list):
        return [again(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "say" in value:
        return say(value["say"], **{k: again(v) for k, v in value["with"].items()})
    ((kind, content),) = value.items()
    match kind:
        case "mark":
            return Word(content)
        case "share":
            return Share(content)
        case "amount":
            return Amount(content)
        case "decimal":
            return Decimal(content)
        case "date":
            return date.fromisoformat(content)
        case "tuple":
            return tuple(again(v) for v in content)
    return {k: again(v) for k, v in content.items()}
