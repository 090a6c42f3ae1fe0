"""Sentences as JSON, so that a worker can say them and every reader hears them in the own language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from klientel.words import Amount, Sentence, Share, Word, say


def kept(value: Any) -> Any:
    """A sentence, marked text or plain value as JSON that tells its kind."""
    match value:
        case Sentence():
            return {"say": value.template, "with": {k: kept(v) for k, v in value.values.items()}}
        case Word():
            return {"mark": str(value)}
        case Share():
            return {"share": float(value)}
        case Amount():
            return {"amount": str(value)}
        case Decimal():
            return {"decimal": str(value)}
        case date():
            return {"date": value.isoformat()[:10]}
        case list() | tuple():
            return [kept(v) for v in value]
        case None | bool() | int() | float():
            return value
    return str(value)


def again(value: Any) -> Any:
    """What `kept` wrote."""
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
        case list():
            return [again(v) for v in value]
    return value
