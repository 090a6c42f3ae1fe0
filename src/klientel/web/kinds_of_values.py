"""Values as JSON that tells their kind, and back: what kept answers and jobs hold, for readers in any language."""

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
    raise TypeError(f"nothing that is kept holds {type(value).__name__}")


def again(value: Any) -> Any:
    """The value that `told` wrote; what it did not write comes back as it is."""
    match value:
        case {"say": template, "with": values}:
            return say(template, **{k: again(v) for k, v in values.items()})
        case {"mark": text}:
            return Word(text)
        case {"share": fraction}:
            return Share(fraction)
        case {"amount": text}:
            return Amount(text)
        case {"decimal": text}:
            return Decimal(text)
        case {"date": text}:
            return date.fromisoformat(text)
        case {"tuple": values}:
            return tuple(again(v) for v in values)
        case {"dict": values}:
            return {k: again(v) for k, v in values.items()}
        case list():
            return [again(v) for v in value]
    return value
