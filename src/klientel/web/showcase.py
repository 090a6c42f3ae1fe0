"""The simulated firm as a workspace: its files imported, its sellers as users in teams, with portfolios."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.demo.days import holidays, number
from klientel.demo.persons import plain
from klientel.demo.selling import KINDS, RENEWAL
from klientel.demo.settings import AS_OF
from klientel.demo.vocabulary import german
from klientel.errors import BadParameter
from klientel.ingest.raw import Progress
from klientel.web import home as homes
from klientel.web.settings import setting
from klientel.words import mark, say

if TYPE_CHECKING:
    from klientel.demo import Firm
    from klientel.web.home import Home

MADE_BY = "demo.json"
"""Beside the files: what the workspace was made of, so that it is known as a demo's."""
ABOVE = ("Sales", "Vertrieb")
_HEAD, _GUEST = ("head.of.sales", "vertriebsleitung"), ("guest", "gast")
ADMINISTRATOR = "demo"
"""Whom `klientel demo --serve` signs in."""
_STEPS = {  # what to do next about a deal in each stage
    "Qualification": ("Ask who decides: {deal}", "Entscheider klären: {deal}"),
    "Needs analysis": ("Arrange a visit: {deal}", "Termin vor Ort vereinbaren: {deal}"),
    "Proposal": ("Follow up on the proposal: {deal}", "Angebot nachfassen: {deal}"),
    "Negotiation": ("Settle the open points: {deal}", "Offene Punkte klären: {deal}"),
}
_RENEWAL = ("Talk about the renewal of contract {contract}", "Verlängerung von Vertrag {contract} besprechen")
_FIRST = (-9, 1, -6, 2, -3, 0, -1, 4)  # days from now that each seller's first deal is due; five are late
_AHEAD = 120  # days before its end that a contract is talked about


def elsewhere() -> bool:
    """True if records go to a database of their own, where a demo has no business."""
    return setting("KLIENTEL_DATABASE") is not None


def make(firm: Firm, folder: Path, files: Path, lang: str, now: datetime, progress: Progress) -> Home:
    """Make `folder` a workspace of the firm, or leave it as it is if it is one of the same firm already.

    A workspace of another simulated firm, or of one that ends on another day, is replaced. Raises BadParameter for a
    folder that holds anything else.
    Users have no passwords: `klientel user password` gives one.
    """
    made_of = _made_of(firm.seed, firm.truth.customers.num_rows, lang, firm.as_of)
    mark_file = folder.parent / MADE_BY
    if folder.exists() and any(folder.iterdir()):
        known = _known(mark_file)
        if known is None:
            raise BadParameter(
                say("{folder} is not a workspace of the demo; name another folder.", folder=str(folder))
            )
        if known == {**made_of, "whole": True} and homes.is_workspace(folder):
            return homes.find(folder)
        _let_go()
        shutil.rmtree(folder)
    mark_file.write_text(json.dumps({**made_of, "whole": False}) + "\n", encoding="utf-8")
    home = homes.init(folder, currency=firm.currency)
    from klientel.web.imports import importing

    options = importing.Options(today=now.date())
    importing.run(home, [files], options=options, progress=progress, now=now)
    people(firm, lang, now)
    history(firm, lang, now)
    follow_ups(firm, lang, now)
    _attribute(now)
    mark_file.write_text(json.dumps({**made_of, "whole": True}) + "\n", encoding="utf-8")
    return home


def ends(folder: Path, seed: int, customers: int, lang: str) -> date | None:
    """The day before which the data of this firm end in the workspace `folder`; None if it holds none or another."""
    known = _known(folder.parent / MADE_BY)
    if known is None or not homes.is_workspace(folder):
        return None
    day = date.fromisoformat(known["as_of"])
    return day if known == {**_made_of(seed, customers, lang, day), "whole": True} else None


def found(home: Home) -> Any:
    """The import that brought the simulated firm, if it still holds; None in any other workspace."""
    from klientel.web.imports.models import Import

    runs = Import.objects.filter(state=Import.State.DONE)
    marked = runs.filter(options__demo=True).order_by("pk").first()
    if marked is not None:
        return marked
    known = _known(home.folder.parent / MADE_BY)  # made before imports were marked
    return runs.filter(pk=1, actor=None).first() if known is not None and known["whole"] else None


def remove(home: Home, actor: Any, at: datetime, progress: Progress) -> Any:
    """Take the simulated firm out again: files, users, teams, portfolios, handovers, tasks; what `undoing.undo` tells.

    What people made or changed since stays, and what it needs; so does who signed in. Raises BadParameter if there
    is no simulated firm, NotAllowed, Busy.
    """
    from klientel.web.imports import undoing
    from klientel.web.rights import demand_all

    demand_all(actor, "write")
    run = found(home)
    if run is None:
        raise BadParameter(mark("There is no demo data in this workspace."))
    _attribute(run.at)
    taken = undoing.undo(home, run.pk, actor=actor, progress=progress, now=at)
    # From here on the folder is a workspace like any other: `klientel demo` may not replace it.
    (home.folder.parent / MADE_BY).unlink(missing_ok=True)
    return taken


def _attribute(at: datetime) -> None:
    """Say that the users, portfolios, handovers and tasks made with the firm came with its import, and go with it."""
    from klientel.web.imports.models import Import
    from klientel.web.records.models import Change

    run = Import.objects.get(at=at)
    run.options = {**run.options, "demo": True}
    run.save(update_fields=["options"])
    Change.objects.filter(at=at, import_run=None, actor=None).update(import_run=run)


def _let_go() -> None:
    """Close the records of this process: a file that is gone would be written to on and on."""
    from django.conf import settings
    from django.db import connections

    if settings.configured:
        connections.close_all()


def _made_of(seed: int, customers: int, lang: str, as_of: date) -> dict[str, Any]:
    return {"seed": seed, "customers": customers, "lang": lang, "as_of": as_of.isoformat()}


def _known(mark_file: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(mark_file.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not found.keys() >= {"seed", "customers", "lang", "whole"}:
            return None
        found.setdefault("as_of", AS_OF.isoformat())  # every firm ended then when marks did not say it
        date.fromisoformat(found["as_of"])
    except (OSError, ValueError, TypeError):
        return None
    return found


def people(firm: Firm, lang: str, at: datetime) -> None:
    """A user for every seller, teams below one head, a guest who sees nothing, an administrator; a portfolio for each.

    Sellers have the rights of "sales" for their own customers, who leads a team those of "leader", the head of sales
    those of "director" and sees personal data.
    """
    from klientel.web import portfolios
    from klientel.web.accounts import services
    from klientel.web.records.models import Rep

    ours = lang == "de"
    speak = german if ours else str
    above = ABOVE[ours]
    services.find_team(None, above, at)
    everything = {"personal": "subtree"}
    services.add_user(None, _HEAD[ours], at, role="director", grants=everything, team=above, language=lang)
    services.add_user(None, _GUEST[ours], at, language=lang)
    services.add_user(None, ADMINISTRATOR, at, role="administrator", team=above, language=lang)
    for seller in firm.reps.to_pylist():
        team = speak(seller["team_id"])
        services.find_team(None, team, at, parent=above)
        role = "sales" if seller["reports_to"] else "leader"
        name = f"{plain(seller['first_name'])}.{plain(seller['name'])}"
        services.add_user(None, name, at, role=role, team=team, rep=seller["rep_id"], language=lang)
        title = f"{seller['first_name']} {seller['name']}"
        portfolio = f"Portfolio von {title}" if ours else f"Portfolio of {title}"
        owner = Rep.objects.get(number=seller["rep_id"])
        portfolios.create(None, portfolio, owner, {"owner_rep_id": [seller["rep_id"]]}, at)
    _key_accounts(firm, ours, at)


def _key_accounts(firm: Firm, ours: bool, at: datetime) -> None:
    """A portfolio by hand: the key accounts, whoever owns them."""
    from klientel.web import portfolios
    from klientel.web.records.models import Company, Rep

    truth = firm.truth.customers
    keys = truth.filter(truth["key_account"])["customer_id"].to_pylist()
    name, why = ("Schlüsselkunden", "von Hand gewählt") if ours else ("Key accounts", "chosen by hand")
    portfolio = portfolios.create(None, name, Rep.objects.get(number="V31"), None, at)
    for company in Company.objects.filter(number__in=keys).order_by("number"):
        portfolios.put_in(None, portfolio, company, at, since=firm.start, reason=why)


def history(firm: Firm, lang: str, at: datetime) -> None:
    """Who was whose seller before: the owner from the beginning, and the one from the day of the handover."""
    from klientel.web.records import changes
    from klientel.web.records.models import Company, DatedValue

    rows = firm.market.tables["customer_attribute_hist"].to_pylist()
    numbers = [r["customer_id"] for r in rows]
    ids = dict(Company.objects.filter(number__in=numbers).values_list("number", "pk"))
    speak = german if lang == "de" else str
    written = []
    for row in rows:
        same = {"company": ids[row["customer_id"]], "attribute": row["attribute"]}
        written.append({**same, "value": row["before"], "valid_from": None, "reason": ""})
        written.append(
            {**same, "value": row["value"], "valid_from": row["valid_from"], "reason": speak(row["reason"])}
        )
    changes.bulk_create(DatedValue, written, None, at, why="edit")


def follow_ups(firm: Firm, lang: str, at: datetime) -> None:
    """What every seller has to do next: for two open deals, and for the contract that ends next."""
    from klientel.web.records import changes
    from klientel.web.records.models import Company, Opportunity, Rep, Task

    ours = lang == "de"
    today = _about(firm, at)
    owner = dict(zip(*(firm.customers[c].to_pylist() for c in ("customer_id", "owner_rep_id")), strict=True))
    reps = dict(Rep.objects.values_list("number", "pk"))
    companies = dict(Company.objects.exclude(number="").values_list("number", "pk"))
    deals = {n: (pk, name) for n, pk, name in Opportunity.objects.values_list("number", "pk", "name")}
    written: list[dict[str, Any]] = []
    for k, rep in enumerate(firm.reps["rep_id"].to_pylist()):
        for deal, days in zip(_open_deals(firm, rep, owner), (_FIRST[k], 5 + 2 * k), strict=False):
            pk, name = deals[deal["opportunity_id"]]
            what = name.removesuffix(f": {deal['customer_name']}")  # the company stands beside the task
            title = _STEPS[deal["stage"]][ours].format(deal=what)
            row = {"title": title, "due_on": _working_day(today, days), "rep": reps[rep]}
            written.append({**row, "company": companies[deal["customer_id"]], "opportunity": pk})
        contract = _next_to_end(firm, rep, owner, today)
        if contract is not None:
            due = min(_working_day(today, 6 + 3 * k), contract["end"] - timedelta(days=1))
            title = _RENEWAL[ours].format(contract=contract["contract_id"])
            row = {"title": title, "due_on": due, "rep": reps[rep]}
            written.append({**row, "company": companies[contract["customer_id"]], "opportunity": None})
    changes.bulk_create(Task, written, None, at, why="edit")


def _about(firm: Firm, at: datetime) -> date:
    """The day a demo is about: that of its making in the month after its data, else the end of the data."""
    return at.date() if 0 <= (at.date() - firm.as_of).days < 31 else firm.as_of


def _working_day(today: date, days: int) -> date:
    """The day so many days from `today`; on a holiday what is late was due before it, the rest is due after it."""
    day, step = today + timedelta(days=days), timedelta(days=-1 if days < 0 else 1)
    while day.weekday() >= 5 or number(day) in holidays(day.year):
        day += step
    return day


def _open_deals(firm: Firm, rep: str, owner: dict[str, str]) -> list[dict[str, Any]]:
    """The two largest open deals of a seller with own customers; renewals have a task for their contract."""
    rows = firm.market.tables["opportunity"].to_pylist()
    rows = [r for r in rows if r["outcome"] == "open" and r["kind"] != KINDS[RENEWAL] and r["rep_id"] == rep]
    mine = [r for r in rows if owner.get(r["customer_id"]) == rep]
    return sorted(mine, key=lambda r: (-r["amount"], r["opportunity_id"]))[:2]


def _next_to_end(firm: Firm, rep: str, owner: dict[str, str], today: date) -> dict[str, Any] | None:
    """The running contract of a seller's customers that ends next, in four months at most."""
    rows = [
        r for r in firm.contracts.to_pylist() if r["status"] == "running" and owner[r["customer_id"]] == rep
    ]
    near = [r for r in rows if today < r["end"] <= today + timedelta(days=_AHEAD)]
    return min(near, key=lambda r: (r["end"], r["contract_id"]), default=None)
