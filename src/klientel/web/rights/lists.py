"""Narrows lists of records: every model has its rule here, and one without a rule is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from klientel.errors import NotAllowed
from klientel.web.rights.reach import ACTIONS, Access, access
from klientel.words import mark, say

# Models that are the same for everybody: whoever may read anything may read them, who may change all may change them.
SHARED = ("Product", "ProductGroup", "Campaign", "Survey", "Rate", "CustomField")
# Records that hang on one other record, which decides.
HANGS_ON = {
    "StageEntry": "opportunity",
    "Consent": "contact",
    "DatedValue": "company",
    "Membership": "company",
}
# What tells of the workspace as a whole: only for those whom nothing is kept from.
WHOLE = ("Import", "Snapshot", "Erasure", "Erased", "RetentionRule", "Mapping", "LeadForm")
# What belongs to one user alone, and to administrators; and what belongs to administrators.
PRIVATE = ("Session", "Factor", "ApiToken", "Identity", "Kept", "Subscription")
LOCKED = ("Attempts", "Link", "Event", "Setting", "Horizon", "Delivery")


def visible(queryset: Any, actor: Any, action: str = "read") -> Any:
    """The part of a list that `actor` may read (or change, export, ...).

    queryset: of any model of the workspace; actor: a user, None for the owner of the folder, or an Access. A record
    belongs to its company; without a company to its sales person; without either to the contact, lead or deal it
    hangs on, or to whoever made it. Raises TypeError for a model without a rule, so that none is forgotten.
    """
    found = access(actor)
    rule = _rule(queryset.model)
    if rule in (_private, _nothing_of_locked):
        return queryset if _administers(found) else queryset.filter(rule(queryset.model, found, action))
    if found.everything(action):
        return queryset
    if not found.may(action) and queryset.model._meta.app_label != "accounts":
        return queryset.none()
    return queryset.filter(rule(queryset.model, found, action))


def within(model: Any, found: Access, action: str) -> Any:
    """The ids of all that `visible` gives of a model, deleted ones too, to stand inside another query.

    It is written as SQL once for each Access: rules stand in rules, and Django would put them together anew, word by
    word, wherever one of them is used, which takes far longer than the database needs for the answer.
    """
    from django.core.exceptions import EmptyResultSet
    from django.db.models.expressions import RawSQL

    key = (model.__name__, action)
    if key not in found.written:
        query = visible(model._base_manager.all(), found, action).order_by().values("pk").query
        try:
            found.written[key] = query.sql_with_params()
        except EmptyResultSet:  # nobody and nothing
            found.written[key] = None
    held = found.written[key]
    return RawSQL(*held) if held is not None else []  # noqa: S611 - written by Django itself, values apart


def demand(actor: Any, action: str, *records: Any) -> None:
    """Raise NotAllowed unless `actor` may do that with these records (none: with any customer at all).

    A record that is not saved yet counts by the company and sales person that it carries.
    """
    found = access(actor)
    if found.everything(action):
        return
    what = ACTIONS[action]
    if not found.may(action):
        raise NotAllowed(say("{who} may not {what}.", who=_who(actor), what=what))
    for record in records:
        if record is None:
            continue
        model = type(record)
        if record.pk is None:
            allowed = _unsaved_allowed(record, found, action)
        else:
            allowed = visible(model._base_manager.filter(pk=record.pk), found, action).exists()
        if not allowed:
            raise NotAllowed(
                say("{who} may not {what} {record}.", who=_who(actor), what=what, record=_kind(model))
            )


def demand_all(actor: Any, action: str) -> None:
    """Raise NotAllowed unless `actor` may do that with everybody's customers (imports, undo, erasure)."""
    if not access(actor).everything(action):
        raise NotAllowed(
            say(
                "{who} may not {what} everything, which is needed for this: it touches all customers.",
                who=_who(actor),
                what=ACTIONS[action],
            )
        )


def shown(record: Any, actor: Any, action: str = "read") -> dict[str, Any]:
    """Field name -> value of one record, None where the person may not see it; NotAllowed if none of it."""
    for row in rows(type(record)._base_manager.filter(pk=record.pk), actor, action):
        return row
    raise NotAllowed(
        say(
            "{who} may not {what} {record}.",
            who=_who(actor),
            what=ACTIONS[action],
            record=_kind(type(record)),
        )
    )


def rows(queryset: Any, actor: Any, action: str = "read") -> Iterator[dict[str, Any]]:
    """The visible records as rows (field name -> value) for lists and exports, without what is to stay hidden.

    Values of costs and of personal columns are None where the person may not see those of that customer; values of
    personal custom fields are left out.
    """
    from klientel.web.rights.columns import hidden_fields

    found = access(actor)
    model = queryset.model
    narrowed = visible(queryset, found, action)
    hide = hidden_fields(model)
    allowed = {
        kind: set(visible(queryset, found, kind).order_by().values_list("pk", flat=True))
        for kind in ("personal", "margin")
        if hide.of(kind) and not found.everything(kind)
    }
    names = [field.attname for field in model._meta.concrete_fields if not field.generated]
    for row in narrowed.values(*names).iterator(chunk_size=2000):
        for kind, keys in allowed.items():
            if row[model._meta.pk.attname] not in keys:
                hide.blank(row, kind)
        yield row


def _rule(model: Any) -> Callable[[Any, Access, str], Any]:
    from klientel.web.records.models import OfCompany

    name = model.__name__
    own = {
        "Company": _companies,
        "Rep": _reps,
        "Portfolio": _portfolios,
        "Succession": _successions,
        "Change": _changes,
        "User": _users,
        "Grant": _grants,
        "Team": _teams,
        "SavedView": _views,
        "NotDuplicate": _pairs,
        "Job": _jobs,
    }
    if name in own:
        return own[name]
    if name in HANGS_ON:
        return _hanging
    if name in SHARED:
        return _shared
    if name in WHOLE:
        return _nothing
    if name in PRIVATE:
        return _private
    if name in LOCKED:
        return _nothing_of_locked
    if issubclass(model, OfCompany):
        return _of_company
    raise TypeError(f"No rule says who may see {name}; add one to klientel.web.rights.lists.")


def _companies(_model: Any, found: Access, action: str) -> Any:
    return found.condition(action)


def _reps(_model: Any, found: Access, action: str) -> Any:
    from django.db.models import Q

    return Q(pk__in=list(found.reach(action).reps))


def _portfolios(_model: Any, found: Access, action: str) -> Any:
    from django.db.models import Q

    return Q(owner__in=list(found.reach(action).reps))


def _successions(_model: Any, found: Access, action: str) -> Any:
    """Both companies are in reach, the one that went and the one that followed."""
    from django.db.models import Q

    numbers = found.companies(action).values("number")
    return Q(from_id__in=numbers, to_id__in=numbers)


def _pairs(_model: Any, found: Access, action: str) -> Any:
    """Both records of the pair are in reach."""
    from django.db.models import Q

    from klientel.web.records.models import Company, Contact

    rule = Q(pk__in=[])
    for model in (Company, Contact):
        keys = visible(model._base_manager.all(), found, action).values("pk")
        rule |= Q(kind=model.__name__, first__in=keys, second__in=keys)
    return rule


def _of_company(model: Any, found: Access, action: str) -> Any:
    """By company; without one by sales person; without that by what it hangs on, or who made it."""
    from django.db.models import Q

    from klientel.web.records.models import Company

    rest = _made_by(model, found, action)
    names = {field.name for field in model._meta.concrete_fields}
    for parent in ("contact", "lead", "opportunity"):
        if parent in names and not (model.__name__ == "Lead" and parent == "opportunity"):
            rest |= _through(model, parent, found, action)
    if "rep" in names:
        reps = list(found.reach(action).reps)
        rest = Q(rep__in=reps) | (Q(rep=None) & rest)
    companies = within(Company, found, action)
    return Q(company__in=companies) | (Q(company=None) & rest)


def _through(model: Any, parent: str, found: Access, action: str) -> Any:
    from django.db.models import Q

    target = model._meta.get_field(parent).related_model
    return Q(**{f"{parent}__in": within(target, found, action)})


def _made_by(model: Any, found: Access, action: str) -> Any:
    from django.db.models import Q

    from klientel.web.records.models import Change

    made = Change.objects.filter(
        model=model.__name__, before__isnull=True, actor__in=list(found.reach(action).users)
    ).exclude(import_run__isnull=False)
    return Q(pk__in=made.values("object_id"))


def _hanging(model: Any, found: Access, action: str) -> Any:
    return _through(model, HANGS_ON[model.__name__], found, action)


def _shared(_model: Any, found: Access, action: str) -> Any:
    from django.db.models import Q

    narrower = action == "margin" and found.reach("margin") != found.reach("read")
    # Costs of what is sold to everybody would tell the margins of customers that are out of reach.
    return Q(pk__in=[]) if action == "write" or narrower else Q()


def _nothing(_model: Any, _found: Access, _action: str) -> Any:
    from django.db.models import Q

    return Q(pk__in=[])


def _changes(_model: Any, found: Access, action: str) -> Any:
    """Changes of records that the person may see; nobody rewrites what happened."""
    from django.apps import apps
    from django.db.models import Q

    if action == "write":
        return Q(pk__in=[])
    result = Q(pk__in=[])
    for target in apps.get_app_config("records").get_models():
        if target.__name__ in ("Change", *WHOLE):
            continue
        result |= Q(model=target.__name__, object_id__in=within(target, found, action))
    return result


def _users(_model: Any, found: Access, action: str) -> Any:
    from django.db.models import Q

    own = Q(pk=getattr(found.actor, "pk", None))
    return Q(pk__in=[]) if action == "write" else own | Q(pk__in=list(found.reach(action).users))


def _grants(_model: Any, found: Access, action: str) -> Any:
    from django.db.models import Q

    return Q(pk__in=[]) if action == "write" else Q(user=getattr(found.actor, "pk", None))


def _teams(_model: Any, found: Access, action: str) -> Any:
    from django.db.models import Q

    from klientel.web.rights.people import teams_below

    team = getattr(found.actor, "team", None)
    keys = [one.pk for one in (team, *teams_below(team)) if one is not None]
    return Q(pk__in=[]) if action == "write" else Q(pk__in=keys)


def _views(_model: Any, found: Access, action: str) -> Any:
    """One's own; to look at, those that are shared, too."""
    from django.db.models import Q

    own = Q(owner=getattr(found.actor, "pk", None))
    return own if action == "write" else own | Q(shared=True)


def _jobs(_model: Any, found: Access, action: str) -> Any:
    from django.db.models import Q

    return Q(pk__in=[]) if action == "write" else Q(actor=getattr(found.actor, "pk", None))


def _private(_model: Any, found: Access, _action: str) -> Any:
    from django.db.models import Q

    return Q(user=getattr(found.actor, "pk", None))


def _nothing_of_locked(_model: Any, _found: Access, _action: str) -> Any:
    from django.db.models import Q

    return Q(pk__in=[])


def _administers(found: Access) -> bool:
    return found.actor is None or (found.unlimited and bool(found.actor.is_superuser))


def _unsaved_allowed(record: Any, found: Access, action: str) -> bool:
    """A new record belongs where it points to; one that points nowhere belongs to whoever makes it."""
    from klientel.web.records.models import Company, OfCompany, Rep

    reach = found.reach(action)
    if type(record).__name__ in (*SHARED, *WHOLE):
        return False
    if isinstance(record, Company):
        return record.owner_id in reach.reps
    if isinstance(record, OfCompany) and record.company_id is None:
        rep = getattr(record, "rep_id", None)
        return rep is None or rep in reach.reps
    for name in (HANGS_ON.get(type(record).__name__, "company"), "owner"):
        target = getattr(record, name, None)
        if target is not None and target.pk is not None:
            if isinstance(target, Rep):
                return target.pk in reach.reps
            return bool(visible(type(target)._base_manager.filter(pk=target.pk), found, action).exists())
    return False


def _who(actor: Any) -> str:
    if isinstance(actor, Access):
        actor = actor.actor
    return str(actor) if getattr(actor, "pk", None) else mark("This person")


def _kind(model: Any) -> str:
    return str(model._meta.verbose_name)
