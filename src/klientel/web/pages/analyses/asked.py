"""What a page of an analysis asks, as its address holds it: parameters, part, as-of date, comparison."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from klientel.analysis import Analysis, Param
from klientel.answer import check_parameters
from klientel.errors import BadParameter
from klientel.periods import add_months
from klientel.web import results, scopes
from klientel.web.pages import shell
from klientel.words import mark, say

PREFIX = "p."  # of parameters in an address, so that none can be taken for something else
WORDS = (
    "scope",
    "attribute",
    "value",
    "as_of",
    "compare",
    "table",
    "q",
    "sort",
    "page",
)  # what else an address says


NOBODY = mark("There are no customers in what you may see, so there is nothing to answer from.")


def of_nobody(request: Any) -> bool:
    """True if there are customers but the person may see none: a sum of nobody is no answer."""
    from klientel.web import rights
    from klientel.web.records.models import Company

    found = shell.reach(request)
    if found.unlimited or rights.visible(Company.present.all(), found).exists():
        return False
    return bool(Company.present.exists())


@dataclass
class Asked:
    """A question as it came: what could not be understood stands in `errors`, by field, and is left out."""

    request: Any
    analysis: Analysis
    texts: dict[str, str] = field(default_factory=dict)  # parameters as typed
    parameters: dict[str, Any] = field(default_factory=dict)
    scope: scopes.Scope | None = None
    scope_text: str = ""
    as_of: date | None = None
    compare: date | None = None
    errors: dict[str, str] = field(default_factory=dict)

    def question(self, *, as_of: date | None = None, action: str = "read") -> results.Question:
        """The question to the workspace (as_of: of another day)."""
        return results.ask(
            shell.workspace(),
            self.analysis,
            actor=shell.reach(self.request),
            as_of=as_of or self.as_of,
            today=shell.today(),
            action=action,
            part=self.scope,
            **self.parameters,
        )

    @cached_property
    def query(self) -> dict[str, str]:
        """The question as the query of an address: what is as usual is left out."""
        held = {PREFIX + name: text for name, text in self.texts.items() if name in self.parameters}
        held |= {"scope": self.scope.text} if self.scope is not None else {}
        held |= {"as_of": self.as_of.isoformat()} if self.as_of else {}
        held |= {"compare": self.compare.isoformat()} if self.compare else {}
        return held


def read(request: Any, analysis: Analysis) -> Asked:
    """The question of a request."""
    given = request.GET
    made = Asked(request, analysis)
    for param in analysis.params:
        plain = "" if param.name in WORDS else given.get(param.name, "")  # as written by hand
        text = given.get(PREFIX + param.name, plain).strip()
        if not text or text == str(param.default):
            continue
        value = _localised(text, param, request.lang)
        made.texts[param.name] = value  # so that the addresses of the page mean the same in every language
        try:
            check_parameters(analysis, {param.name: value})
            made.parameters[param.name] = value
        except BadParameter as wrong:
            made.errors[PREFIX + param.name] = _about(wrong, param)
    made.scope_text = given.get("scope", "")
    if made.scope_text == "segment":
        attribute, value = given.get("attribute", "").strip(), given.get("value", "").strip()
        made.scope_text = f"segment:{attribute}={value}" if attribute else ""
    try:
        made.scope = scopes.find(made.scope_text, shell.reach(request))
    except BadParameter as wrong:
        made.errors["scope"] = wrong.sentence
    made.as_of = _day(given.get("as_of", ""), "as_of", made.errors)
    made.compare = _day(given.get("compare", ""), "compare", made.errors)
    return made


def _localised(text: str, param: Param, lang: str) -> str:
    """A number as the reader writes it, as a number of ours."""
    if lang == "de" and param.type in (int, float) and "," in text:
        return text.replace(".", "").replace(",", ".")
    return text


def _about(wrong: BadParameter, param: Param) -> str:
    """A refusal in the words of the form: the field has a title, not the name that programs use."""
    sentence = wrong.sentence
    values = getattr(sentence, "values", None)
    if values and values.get("name") == param.name:
        return say(sentence.template, **{**values, "name": mark("The value")})  # type: ignore[attr-defined]
    return sentence


def _day(text: str, name: str, errors: dict[str, str]) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        errors[name] = say("{text} is no date.", text=text)
        return None


def year_before(day: date) -> date:
    """The same day a year earlier."""
    return add_months(day, -12)


@dataclass(frozen=True)
class Input:
    """A parameter as a field of a form."""

    name: str
    title: str
    kind: str  # "choice", "flag", "number", "text"
    value: str
    choices: tuple[str, ...] = ()
    least: str = ""
    most: str = ""
    step: str = ""
    usual: str = ""
    error: str = ""


def inputs(asked: Asked) -> list[Input]:
    """The parameters of an analysis as fields, with what was typed or is usual."""
    return [_input(asked, param) for param in asked.analysis.params]


def _input(asked: Asked, param: Param) -> Input:
    usual = "" if param.default is None else str(param.default)
    kind, choices = "text", param.choices
    if param.choices:
        kind = "choice"
    elif param.type is bool:
        kind, choices = "flag", ("True", "False")
    elif param.type in (int, float):
        kind = "number"
    return Input(
        PREFIX + param.name,
        param.title,
        kind,
        asked.texts.get(param.name, usual),
        choices,
        "" if param.min is None else f"{param.min:g}",
        "" if param.max is None else f"{param.max:g}",
        "1" if param.type is int else "any",
        usual,
        asked.errors.get(PREFIX + param.name, ""),
    )
