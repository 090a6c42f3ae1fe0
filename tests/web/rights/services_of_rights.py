"""Every function that takes an `actor`: what right it needs, and a call that shows it; and those that ask nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from klientel.errors import NotAllowed
from klientel.web.rights import access, visible

AT = datetime(2025, 1, 1, tzinfo=UTC)
USERS = ("anna", "ben", "cem", "lena", "dora", "nils", "rita", "ada", "gone", "new")
PREFIX = "klientel.web."


@dataclass
class Target:
    """One of everything that belongs to one sales person."""

    home: Any
    firm: Any
    other: Any  # a second firm of the same person
    contact: Any
    deal: Any
    closed: Any
    lead: Any
    task: Any
    user: Any
    portfolio: Any
    membership: Any
    act: str
    view: Any

    def records(self) -> list[Any]:
        """Those that services change."""
        own = (self.firm, self.other, self.contact, self.deal, self.closed, self.lead, self.task)
        return [*own, self.user, self.portfolio, self.membership]


Call = Callable[[Any, Target], Any]
Needs = Callable[[Any, Target], bool]


def _may(*actions: str) -> Needs:
    """The person needs these rights with the target's customer."""

    def needed(user: Any, target: Target) -> bool:
        found = access(user)
        return all(found.everything(a) or target.firm.number in (found.numbers(a) or ()) for a in actions)

    return needed


def _all(*actions: str) -> Needs:
    """The person needs these rights with everybody's customers."""
    return lambda user, target: all(access(user).everything(a) for a in actions)


def _administrator(user: Any, target: Target) -> bool:
    return bool(user.is_superuser and user.is_active)


def services() -> dict[str, tuple[Needs, Call]]:
    from klientel.web import books, portfolios, rights, showcase
    from klientel.web.accounts import factors, provider, rules, sessions, tokens
    from klientel.web.accounts import services as accounts
    from klientel.web.imports import drafts, importing, preview, templates, undoing
    from klientel.web.inbound import services as inbound
    from klientel.web.jobs import kinds
    from klientel.web.jobs import services as jobs
    from klientel.web.privacy import consents, erasing, retention, subject
    from klientel.web.records import (
        acts,
        bulk,
        custom,
        dated,
        deals,
        duplicates,
        listing,
        merging,
        saved,
        services,
    )
    from klientel.web.records import models as m
    from klientel.web.records.catalog import KINDS
    from klientel.web.records.timeline import timeline

    def quiet(*_: Any) -> None:
        pass

    day = date(2024, 12, 1)
    write = _may("write")
    return {
        "accounts.services.add_user": (_administrator, lambda u, t: accounts.add_user(u, "fresh", AT)),
        "accounts.services.edit_user": (
            _administrator, lambda u, t: accounts.edit_user(u, t.user, AT, grants={"read": "all"})),
        "accounts.services.find_team": (_administrator, lambda u, t: accounts.find_team(u, "Fresh", AT)),
        "accounts.services.set_password": (
            lambda u, t: _administrator(u, t) or u.pk == t.user.pk,
            lambda u, t: accounts.set_password(u, t.user, "a long enough phrase", AT)),
        "accounts.services.invitation": (_administrator, lambda u, t: accounts.invitation(u, t.user)),
        "accounts.services.edit_profile": (
            lambda u, t: _administrator(u, t) or u.pk == t.user.pk,
            lambda u, t: accounts.edit_profile(u, t.user, AT, first_name="Anna")),
        "accounts.services.change_team": (
            _administrator, lambda u, t: accounts.change_team(u, t.user.team, "Fresh", None, AT)),
        "accounts.services.remove_team": (
            _administrator, lambda u, t: _refused(accounts.remove_team, u, t.user.team, AT)),
        "accounts.sessions.end": (
            lambda u, t: _administrator(u, t) or u.pk == t.user.pk, lambda u, t: sessions.end(u, t.user, AT)),
        "accounts.provider.untie": (_administrator, lambda u, t: provider.untie(u, t.user, AT)),
        "accounts.factors.reset": (_administrator, lambda u, t: factors.reset(u, t.user, AT)),
        "accounts.rules.need_second_factor": (_administrator, lambda u, t: rules.need_second_factor(u, True, AT)),
        "accounts.tokens.revoke": (
            lambda u, t: _administrator(u, t) or u.pk == t.user.pk, lambda u, t: tokens.revoke(u, _token(t), AT)),
        "accounts.services.administrate": (_administrator, lambda u, t: accounts.administrate(u)),
        "books.opened": (lambda u, t: True, lambda u, t: _leaks_not(books.opened(t.home, actor=u, lenient=True), u)),
        "imports.importing.dry_run": (
            _all("write"), lambda u, t: importing.dry_run(t.home, ["no.csv"], actor=u, progress=quiet)),
        "imports.importing.run": (
            _all("write"), lambda u, t: importing.run(t.home, ["no.csv"], actor=u, progress=quiet, now=AT)),
        "imports.undoing.undo": (
            _all("write"), lambda u, t: undoing.undo(t.home, 999, actor=u, progress=quiet, now=AT)),
        "imports.listing.listed": (lambda u, t: True, _lists_imports),
        "imports.drafts.new": (_all("write"), lambda u, t: drafts.new(t.home, u)),
        "imports.drafts.find": (_all("write"), lambda u, t: drafts.find(t.home, u, "x" * 22)),
        "imports.drafts.needed": (_all("write"), lambda u, t: drafts.needed(t.home, u, drafts.new(t.home, u).token)),
        "imports.drafts.listed": (_all("write"), lambda u, t: drafts.listed(t.home, u)),
        "imports.preview.undo": (_all("write"), lambda u, t: preview.undo(t.home, _imported(), actor=u)),
        "imports.templates.save": (_all("write"), lambda u, t: templates.save(u, "", [], {}, AT)),
        "imports.templates.names": (_all("write"), lambda u, t: templates.names(u)),
        "imports.templates.load": (_all("write"), lambda u, t: templates.load(u, "none")),
        "imports.templates.remove": (_all("write"), lambda u, t: templates.remove(u, "none")),
        "jobs.kinds.everything": (_all("write"), lambda u, t: kinds.everything(u)),
        "jobs.kinds.administrator": (_administrator, lambda u, t: kinds.administrator(u)),
        "jobs.services.submit": (_all("write"), lambda u, t: jobs.submit(t.home, u, "look", {}, AT)),
        "jobs.services.jobs_of": (
            lambda u, t: True,
            lambda u, t: _own_or_administered(u, [job.actor_id for job in jobs.jobs_of(u)])),
        "jobs.services.cancel": (
            lambda u, t: _administrator(u, t) or u.pk == t.user.pk,
            lambda u, t: jobs.cancel(t.home, u, _job(t.user), AT)),
        "inbound.services.create": (_all("write"), lambda u, t: inbound.create(u, "Enquiry", AT)),
        "inbound.services.forms": (_all("write"), lambda u, t: inbound.forms(u)),
        "inbound.services.switch": (_all("write"), lambda u, t: inbound.switch(u, _form(), False)),
        "showcase.remove": (_all("write"), lambda u, t: showcase.remove(t.home, u, AT, quiet)),
        "portfolios.create": (write, lambda u, t: portfolios.create(u, "Fresh", t.firm.owner, None, AT)),
        "portfolios.reaching": (lambda u, t: True, lambda u, t: _reaching(u, t)),
        "portfolios.rename": (write, lambda u, t: portfolios.rename(u, t.portfolio, "Else", AT)),
        "portfolios.change_rule": (
            _all("write"), lambda u, t: portfolios.change_rule(u, t.portfolio, {"country": ["DE"]}, AT)),
        "portfolios.put_in": (write, lambda u, t: portfolios.put_in(u, t.portfolio, t.firm, AT)),
        "portfolios.take_out": (write, lambda u, t: portfolios.take_out(u, t.membership, day, AT)),
        "privacy.consents.record": (
            _may("write", "personal"), lambda u, t: consents.record(u, t.contact, "mail", True, day, AT)),
        "privacy.erasing.erase": (
            _all("write", "personal"), lambda u, t: erasing.erase(t.home, [t.contact], AT, actor=u)),
        "privacy.retention.set_rule": (_all("write"), lambda u, t: retention.set_rule(u, "Note", 12)),
        "privacy.retention.apply": (
            _all("write", "personal"), lambda u, t: retention.apply(t.home, day, AT, actor=u)),
        "privacy.subject.subject_report": (
            _may("personal", "export"), lambda u, t: subject.subject_report(t.home, t.contact, actor=u)),
        "records.acts.take_back": (write, lambda u, t: acts.take_back(t.act, actor=u, at=AT)),
        "records.custom.define": (
            _all("write"), lambda u, t: custom.define(m.Company, "hall", "Hall", "text", actor=u, at=AT)),
        "records.dated.set": (write, lambda u, t: dated.set(t.firm, "segment", "B", day, actor=u, at=AT)),
        "records.deals.move": (write, lambda u, t: deals.move(t.deal, "offer", actor=u, at=AT)),
        "records.deals.close": (write, lambda u, t: deals.close(t.deal, "won", actor=u, at=AT)),
        "records.deals.reopen": (write, lambda u, t: deals.reopen(t.closed, "offer", actor=u, at=AT)),
        "records.deals.convert": (write, lambda u, t: deals.convert(t.lead, company=t.firm, actor=u, at=AT)),
        "records.duplicates.companies": (lambda u, t: True, lambda u, t: _pairs(duplicates.companies(actor=u), u)),
        "records.duplicates.contacts": (lambda u, t: True, lambda u, t: duplicates.contacts(actor=u)),
        "records.duplicates.like": (_may("read"), lambda u, t: _pairs(duplicates.like(t.firm, actor=u), u)),
        "records.duplicates.dismiss": (write, lambda u, t: duplicates.dismiss((t.firm, t.other), actor=u, at=AT)),
        "records.duplicates.undismiss": (
            write, lambda u, t: duplicates.undismiss((t.firm, t.other), actor=u, at=AT)),
        "records.duplicates.dismissed": (lambda u, t: True, lambda u, t: _dismissals(u, t)),
        "records.duplicates.side_by_side": (
            _may("read"), lambda u, t: duplicates.side_by_side([t.firm, t.other], actor=u)),
        "records.merging.preview": (write, lambda u, t: merging.preview(t.firm, [t.other], actor=u)),
        "records.merging.merge": (write, lambda u, t: merging.merge(t.firm, [t.other], actor=u, at=AT)),
        "records.merging.unmerge": (write, lambda u, t: merging.unmerge(t.firm, actor=u, at=AT)),
        "records.services.add": (write, _adds),
        "records.services.edit": (write, lambda u, t: services.edit(t.firm, {"city": "Ulm"}, actor=u, at=AT)),
        "records.services.remove": (write, lambda u, t: services.remove(t.task, actor=u, at=AT)),
        "records.services.bring_back": (write, lambda u, t: services.bring_back(t.task, actor=u, at=AT)),
        "records.services.done": (write, lambda u, t: services.done(t.task, actor=u, at=AT)),
        "records.services.expire": (_all("write"), lambda u, t: services.expire(day, actor=u, at=AT)),
        "records.bulk.change": (
            write, lambda u, t: bulk.change(KINDS["companies"], [t.firm.pk], "segment", "B", actor=u, at=AT)),
        "records.bulk.remove": (write, lambda u, t: bulk.remove(KINDS["tasks"], [t.task.pk], actor=u, at=AT)),
        "records.finding.find": (lambda u, t: True, _finds),
        "records.finding.everywhere": (lambda u, t: True, _finds),
        "records.finding.resolve": (lambda u, t: True, _finds),
        "records.labels.labels": (lambda u, t: True, _names),
        "records.listing.choices": (lambda u, t: True, _lists),
        "records.listing.exported": (
            lambda u, t: access(u).may("export"), lambda u, t: list(listing.exported(_list(u), actor=u, today=day))),
        "records.listing.groups": (lambda u, t: True, _lists),
        "records.listing.listed": (lambda u, t: True, _lists),
        "records.listing.select": (lambda u, t: True, _lists),
        "records.saved.views": (lambda u, t: True, lambda u, t: saved.views("companies", actor=u)),
        "records.saved.may_change": (lambda u, t: True, lambda u, t: saved.may_change(t.view, u)),
        "records.saved.save": (
            lambda u, t: access(u).may("read"), lambda u, t: saved.save("companies", "Fresh", "", actor=u, at=AT)),
        "records.saved.alter": (_views, lambda u, t: saved.alter(t.view, name="Other", actor=u, at=AT)),
        "records.saved.forget": (_views, lambda u, t: saved.forget(t.view, actor=u, at=AT)),
        "records.timeline.timeline": (_may("read"), lambda u, t: timeline(t.firm, actor=u)),
        "results.ask": (lambda u, t: True, _answer),
        "scopes.find": (_may("read"), _part),
        "scopes.choices": (lambda u, t: True, _parts),
        "rights.lists.shown": (_may("read"), lambda u, t: rights.shown(t.contact, u)),
        "rights.lists.demand": (write, lambda u, t: rights.demand(u, "write", t.deal)),
        "rights.lists.demand_all": (_all("write"), lambda u, t: rights.demand_all(u, "write")),
    }  # fmt: skip


def _imported() -> Any:
    """An import that brought nothing."""
    from klientel.web.imports.models import Import

    return Import.objects.create(at=AT, state="done")


def _job(user: Any) -> Any:
    """A job of that user that waits."""
    from klientel.web.jobs.models import Job

    return Job.objects.create(kind="look", actor=user, created_at=AT)


def _own_or_administered(user: Any, actors: list[int]) -> None:
    assert _administrator(user, None) or set(actors) <= {user.pk}  # type: ignore[arg-type]


def _form() -> Any:
    """A form of a web site."""
    from klientel.web.inbound.models import LeadForm

    return LeadForm.objects.get_or_create(name="Contact", defaults={"token": "x" * 32, "at": AT})[0]


# They take an actor for the log alone; what calls them has asked. Or they are the rights themselves.
INNER = {
    "accounts.services.itself", "accounts.tokens.make",  # the person alone, and what it may do anyway
    "privacy.cleaning.anonymise", "privacy.cleaning.clean_records",
    "records.changes.create", "records.changes.update", "records.changes.delete", "records.changes.restore",
    "records.changes.recreate", "records.changes.bulk_create", "records.changes.bulk_update",
    "records.changes.bulk_delete", "records.undoing.undo", "records.undoing.preview",
    "records.undoing.called",
    "imports.reports.told",  # blanks what the actor may not see
    "rights.lists.visible", "rights.lists.rows", "rights.narrowing.narrow", "rights.reach.access",
}  # fmt: skip
# Modules in which nothing takes an actor, and why that is right.
WITHOUT = {
    "accounts.commands": "the command line of the owner of the folder",
    "accounts.seeing": "opens a Book as a user",
    "accounts.attempts": "counts, before anybody is known", "accounts.backends": "who a name means",
    "accounts.callers": "addresses of requests", "accounts.events": "the log of the door",
    "accounts.letters": "mail", "accounts.links": "links of the owner of the folder", "accounts.passkeys": "one's own",
    "accounts.retention": "time alone decides", "accounts.sealing": "secrets",
    "backups": "the whole workspace, for the owner of the folder on the command line",
    "commands": "the command line of the owner of the folder",
    "commandline": "how commands are put together",
    "home": "folders",
    "kept_records": "inside the opening of a Book, which is narrowed after it",
    "kinds_of_values": "values",
    "imports.kept_backups": "files; pages and jobs ask for an administrator",
    "imports.looking": "inside a draft, which is its uploader's",
    "jobs.apps": "names", "jobs.keeping": "a process", "jobs.live": "files that tell progress",
    "jobs.models": "tables", "jobs.running": "asks again as the job's person",
    "jobs.work": "inside a job, whose person is asked", "jobs.worker": "a process",
    "inbound.apps": "names", "inbound.models": "tables",
    "imports.counts": "numbers", "imports.disk": "errors", "imports.matching": "inside an import",
    "imports.heads": "inside an import", "imports.lines": "inside an import", "imports.numbers": "inside an import",
    "imports.receiving": "inside a draft, which is its uploader's",
    "imports.renumbering": "inside an import", "imports.rejected": "inside an import",
    "imports.taking": "inside an import",
    "imports.tidying": "inside the lock of a writer", "imports.writing": "the lock",
    "migrating": "the models", "portable": "inside a backup",
    "privacy.commands": "the command line of the owner of the folder", "privacy.fields": "names of fields",
    "privacy.persons": "inside report and erasure", "privacy.redacting": "texts",
    "privacy.returning": "inside imports, erasure and restoring",
    "records.blocking": "comparing", "records.canonical": "inside the Book, which is narrowed",
    "records.catalog": "declarations", "records.conditions": "inside lists, which are narrowed",
    "records.fields": "columns", "records.typed": "what people type",
    "records.kinds": "rules", "records.likeness": "comparing", "records.models": "tables", "records.names": "texts",
    "records.numbers": "texts", "records.rows": "writing", "records.values": "values",
    "rights.columns": "the rights themselves", "rights.effective": "the rights themselves",
    "rights.members": "the rights themselves", "rights.people": "the rights themselves",
    "serving": "the command line of the owner of the folder",
    "settings": "settings", "showcase": "makes the demo's workspace",
}  # fmt: skip


def _refused(call: Any, *values: Any) -> None:
    """A team with people in it stays: the refusal of whoever may."""
    from klientel.errors import BadParameter

    with pytest.raises(BadParameter):
        call(*values)


def _token(target: Target) -> Any:
    from klientel.web.accounts.models import ApiToken

    return ApiToken.objects.create(
        user=target.user, name="t", scopes=["read"], digest=str(target.user.pk), start="klt_", made_at=AT
    )


def _views(user: Any, target: Target) -> bool:
    """A shared view of the owner: that person and administrators."""
    return bool(user.is_active and (user.pk == target.user.pk or user.is_superuser))


def _list(user: Any) -> Any:
    from django.http import QueryDict

    from klientel.web.records import listing
    from klientel.web.records.catalog import KINDS

    return listing.wanted(KINDS["companies"], QueryDict("by=city"), access(user))


def _lists(user: Any, target: Target) -> None:
    """Lists, counts and pick lists hold what the person may read, and nothing else."""
    from klientel.web.records import listing
    from klientel.web.records.models import Company

    seen = set(visible(Company.present.all(), user).values_list("pk", flat=True))
    made, day = _list(user), date(2024, 12, 1)
    assert set(listing.select(made, actor=user, today=day).values_list("pk", flat=True)) == seen
    page = listing.listed(made, actor=user, today=day)
    assert {row["id"] for row in page.rows} == seen
    assert page.total == len(seen)
    groups, total, _ = listing.groups(made, actor=user, today=day)
    assert sum(g.n for g in groups) == total == len(seen)
    sees = access(user)
    owners = (
        {i for i, _ in listing.choices(made.kind, made.available["owner_id"], actor=user)} if seen else set()
    )
    assert sees.everything("read") or owners <= set(sees.reach("read").reps)


def _finds(user: Any, target: Target) -> None:
    """What is out of reach is not found, by name or number."""
    from klientel.web.records import finding
    from klientel.web.records.catalog import KINDS
    from klientel.web.records.models import Company

    mine = visible(Company.objects.filter(pk=target.firm.pk), user).exists()
    near = finding.find(KINDS["companies"], target.firm.number, actor=user)
    assert (target.firm.pk in {hit.id for hit in near}) is mine
    every = finding.everywhere(target.firm.number, actor=user)
    assert ((("companies", target.firm.pk)) in {(hit.kind.slug, hit.id) for hit in every}) is mine
    assert finding.resolve(Company, target.firm.number, actor=user) == ([target.firm.pk] if mine else [])


def _names(user: Any, target: Target) -> None:
    """A name is told to whom may see it; others get the number that stands in records anyway."""
    from klientel.web.records.labels import labels
    from klientel.web.records.models import Company, Contact

    told = labels(Company, [target.firm.pk], actor=user)[target.firm.pk]
    mine = visible(Company.objects.filter(pk=target.firm.pk), user).exists()
    assert told == (target.firm.name if mine else target.firm.number)
    person = labels(Contact, [target.contact.pk], actor=user)[target.contact.pk]
    close = visible(Contact.objects.filter(pk=target.contact.pk), user, "personal").exists()
    assert ("Contact of" in str(person)) is close


def _leaks_not(opened: Any, user: Any) -> None:
    book = opened[0]
    seen = access(user).numbers("read")
    if book.columns("customers") and seen is not None:
        assert set(book.customers.to_pyarrow()["customer_id"].to_pylist()) <= set(seen)


def _answer(user: Any, target: Target) -> None:
    """Nothing is imported here; whose answers are kept for whom has a test of its own below."""
    from klientel.analyses import ANALYSES
    from klientel.web import results

    results.answer(target.home, ANALYSES["abc"], actor=user, as_of=date(2025, 1, 1))


def _part(user: Any, target: Target) -> None:
    """A part that is out of reach is told as if there were none."""
    from klientel.errors import BadParameter
    from klientel.web import scopes

    try:
        scopes.find(f"customer:{target.firm.number}", user)
    except BadParameter as hidden:
        raise NotAllowed(hidden.sentence) from hidden


def _reaching(user: Any, target: Target) -> None:
    """Portfolios that the person sees, and no other."""
    from klientel.web import portfolios
    from klientel.web.records.models import Portfolio

    seen = set(visible(Portfolio.objects.all(), user).values_list("pk", flat=True))
    assert {one.pk for one in portfolios.reaching(target.firm, AT.date(), actor=user)} <= seen


def _parts(user: Any, _target: Target) -> None:
    from klientel.web import scopes

    reps = access(user).rep_numbers("read")
    offered = {text.removeprefix("rep:") for text, _ in scopes.choices(user)["rep"]}
    assert reps is None or offered <= reps


def _adds(user: Any, target: Target) -> None:
    """A company out of reach is told as if there were none: not even that it is there."""
    from klientel.errors import BadParameter
    from klientel.web.records import models as m
    from klientel.web.records import services

    try:
        services.add(m.Task, {"company": target.firm, "title": "x"}, actor=user, at=AT)
    except BadParameter as hidden:
        raise NotAllowed(hidden.sentence) from hidden


def _lists_imports(user: Any, target: Target) -> None:
    from klientel.web.imports.listing import listed

    assert bool(listed(user)) is access(user).everything("read")


def _pairs(found: Any, user: Any) -> None:
    from klientel.web.records.models import Company

    seen = set(visible(Company.objects.all(), user).values_list("pk", flat=True))
    assert bool(found) is bool(seen)  # each owner has two firms of one name
    assert {i for pair in found for i in (pair.first, pair.second)} <= seen


def _dismissals(user: Any, target: Target) -> None:
    """The owner of the folder dismissed a pair; only who sees both firms sees that."""
    from klientel.web.records import duplicates
    from klientel.web.records.models import Company

    duplicates.dismiss((target.firm, target.other), at=AT)
    seen = set(visible(Company.objects.all(), user).values_list("pk", flat=True))
    both = {target.firm.pk, target.other.pk}
    assert bool(duplicates.dismissed(Company, actor=user)) is (both <= seen)
