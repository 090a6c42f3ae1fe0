"""The customers that belong to sales people: those they own, and those of their portfolios."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from klientel.errors import BadParameter, nearest
from klientel.words import say

if TYPE_CHECKING:
    from klientel.web.rights.reach import Reach

# What names or reaches a single customer makes no rule.
_NO_RULE = frozenset({"number", "name", "street", "phone", "website", "vat_id", "email", "contact_name"})


def companies_of(reach: Reach, day: date) -> Any:
    """The customers of a reach as a condition on `records.Company`.

    A portfolio gives a right to those that its rule takes unless they are kept out, and to those that are in by hand.
    Unlike its members (`portfolios.members`) they need not work with the company now: whoever answers for a portfolio
    sees the leads and former customers around it too.
    """
    from django.db.models import Q

    from klientel.web.records.models import Portfolio

    if reach.everybody:
        return Q()
    found = Q(owner__in=list(reach.reps))
    if reach.reps:
        held = list(Portfolio.objects.filter(owner__in=list(reach.reps)).order_by("pk"))
        if held:  # one look for all that are in by hand: this condition stands in every list
            found |= Q(pk__in=_by_hand(held, day).filter(excluded=False).values("company"))
        for portfolio in held:
            found |= _by_rule(portfolio, day)
    return found


def _by_rule(portfolio: Any, day: date) -> Any:
    """The customers that the rule of a portfolio takes, but for those that are kept out."""
    from django.db.models import Q

    rule = rule_condition(portfolio.rule)
    if rule is None:
        return Q(pk__in=[])
    kept_out = _by_hand([portfolio], day).filter(excluded=True)
    return rule & ~Q(pk__in=kept_out.values("company"))


def _by_hand(portfolios: list[Any], day: date) -> Any:
    from django.db.models import Q

    from klientel.web.records.models import Membership

    begun = Q(valid_from=None) | Q(valid_from__lte=day)
    open_still = Q(valid_to=None) | Q(valid_to__gt=day)
    return Membership.objects.filter(begun, open_still, portfolio__in=[one.pk for one in portfolios])


def rule_condition(rule: dict[str, Any]) -> Any:
    """A rule {attribute: [values]} as a condition on `records.Company`; None if it takes nobody.

    An attribute that is unknown by now, or a value that cannot be one, takes nobody: a right is never wider than
    what was meant.
    """
    from django.db.models import Q

    if not rule:
        return None
    found = Q()
    for attribute, values in rule.items():
        try:
            found &= check_condition(attribute, values)
        except BadParameter:
            return None
    return found


def check_condition(attribute: str, values: Any) -> Any:
    """One line of a rule as a condition on `records.Company`; BadParameter if it cannot be meant."""
    from django.core.exceptions import ValidationError
    from django.db.models import CharField, Q
    from django.db.models.fields.json import KeyTextTransform
    from django.db.models.functions import Cast
    from django.db.models.lookups import In

    if not isinstance(values, list) or not values:
        raise BadParameter(say("A rule names at least one value of {attribute}.", attribute=attribute))
    path, field = attribute_path(attribute)
    if field is None:
        text = Cast(KeyTextTransform(attribute, "custom"), CharField())
        return Q(In(text, [str(v) for v in values]))
    try:
        wanted = [field.to_python(v) for v in values]
    except (ValidationError, ValueError, TypeError):
        raise BadParameter(
            say("{value} cannot be a value of {attribute}.", value=str(values), attribute=attribute)
        ) from None
    return Q(**{f"{path}__in": wanted})


def fits(company: Any, rule: dict[str, Any]) -> bool:
    """True if the customer has the values that a rule names (as `rule_condition` asks the database)."""
    from django.core.exceptions import ValidationError

    for attribute, values in (rule or {}).items():
        try:
            path, field = attribute_path(attribute)
            wanted = [field.to_python(v) if field is not None else str(v) for v in values]
        except (BadParameter, ValidationError, ValueError, TypeError):
            return False
        value: Any = company
        if field is None:
            held = company.custom.get(attribute)
            value = None if held is None else str(held).lower() if isinstance(held, bool) else str(held)
        else:
            for name in path.split("__"):
                value = getattr(value, name, None)
            value = getattr(value, "pk", value)
        if value is None or value not in wanted:
            return False
    return bool(rule)


def attribute_path(attribute: str) -> tuple[str, Any]:
    """Where an attribute of customers lies: path and field of `records.Company`, or the field None for a custom one.

    Raises BadParameter if no attribute of that name may stand in a rule.
    """
    from klientel.web.records.models import Company, CustomField, Rep

    known = rule_attributes()
    if attribute in known:
        path = known[attribute]
        parent, _, last = path.partition("__")
        model: Any = {"owner": Rep, "parent": Company}[parent] if last else Company
        return path, model._meta.get_field(last or parent)
    custom = CustomField.objects.filter(personal=False, model__iexact="company")
    names = list(custom.values_list("name", flat=True))
    if attribute in names:
        return "custom", None
    near = nearest(attribute, [*known, *names])
    hint = (
        say("did you mean {near}?", near=near) if near else say("there are: {names}.", names=[*known, *names])
    )
    raise BadParameter(say("Customers have no attribute {name}; {hint}", name=attribute, hint=hint))


def rule_attributes() -> dict[str, str]:
    """Attributes of our own that a rule may name -> path in `records.Company`."""
    from klientel.schema import TABLES
    from klientel.web.records.models import Company

    found = {}
    for field in TABLES["customer"].fields:
        path = Company.COLUMNS.get(field.name, field.name)
        if path not in _NO_RULE and not field.personal and field.name != "manual_status":
            found[field.name] = path
    return found
