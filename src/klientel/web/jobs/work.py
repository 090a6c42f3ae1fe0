"""What jobs do: the functions of `kinds.KINDS`, each on the way the command line takes."""

from __future__ import annotations

import json
import secrets
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from klientel.web.imports import drafts, looking, templates
from klientel.web.kinds_of_values import told as kept
from klientel.words import Sentence, mark, say

if TYPE_CHECKING:
    from klientel.web.imports.importing import Options, Report
    from klientel.web.jobs.kinds import Run

NOTES = 50  # notes of an import that are kept


def look(run: Run) -> dict[str, Any]:
    """Read uploaded files, so that the page that shows them is there at once."""
    draft = drafts.needed(run.home, run.actor, run.job.parameters["draft"])
    looking.read(draft, run.tell)
    return {"address": ["intake:draft", draft.token]}


def dry_run(run: Run) -> dict[str, Any]:
    """Say what an import of a draft would do; the report lies beside the files."""
    from klientel.web.imports import importing, rejected, reports

    draft = drafts.needed(run.home, run.actor, run.job.parameters["draft"])
    report = importing.dry_run(
        run.home,
        draft.paths,
        options=_options(run, draft),
        actor=run.actor,
        progress=run.tell,
        now=run.now,
    )
    place = draft.folder / "rejected"
    for old in place.iterdir() if place.is_dir() else ():
        old.unlink()
    files = rejected.write(report.taken, place, run.lang)
    drafts.write(draft.folder / "tried.json", reports.told(report, run.actor, files))
    draft.tried = run.job.pk
    draft.save()
    return {"address": ["intake:tried", draft.token], "said": kept(mark("The dry run is done."))}


def bring(run: Run) -> dict[str, Any]:
    """Import a draft; its files go when they are in."""
    from klientel.web.imports import importing, rejected, reports
    from klientel.web.imports.models import Import

    draft = drafts.needed(run.home, run.actor, run.job.parameters["draft"])
    options = _options(run, draft)
    first = not Import.objects.filter(state=Import.State.DONE).exists()
    report = importing.run(
        run.home, draft.paths, options=options, actor=run.actor, progress=run.tell, now=run.now
    )
    made = report.run
    assert made is not None
    if report.rejected_files:  # in the language of whoever reads them
        rejected.write(report.taken, run.home.of_import(made.pk), run.lang)
    made.options = {**made.options, "template": draft.template or None}
    made.counts = {**made.counts, **reports.findings(report)}
    made.save(update_fields=["options", "counts"])
    drafts.drop(draft)
    curve = first and bool(report.counts.get("lines") and report.counts["lines"].create)
    return {
        "address": ["analyses:show", "abc"] if curve else ["intake:show", made.pk],
        "import": made.pk,
        "said": kept(brought(report, made.pk)),
    }


def brought(report: Report, number: int) -> Sentence:
    """What came in, in a sentence."""
    from klientel.web.imports import reports

    new = {name: c.create for name, c in report.counts.items() if c.create}
    changed = sum(c.update for c in report.counts.values())
    rejected = sum(c.rejected for c in report.counts.values())
    if not report.changes and not rejected:
        return say("Import {n}: everything was there already.", n=str(number))
    what = [say("{table}: {n}", table=reports.title(name), n=n) for name, n in new.items()]
    return say(
        "Import {n} is done. New: {new}. Changed: {changed}. Rejected: {rejected}.",
        n=str(number), new=what or "–", changed=changed, rejected=rejected,
    )  # fmt: skip


def take_back(run: Run) -> dict[str, Any]:
    """Undo an import."""
    from klientel.web.imports import undoing

    number = int(run.job.parameters["import"])
    taken = undoing.undo(run.home, number, actor=run.actor, progress=run.tell, now=run.now)
    return {"address": ["intake:show", number], "said": kept(_undone(number, taken))}


def _undone(number: int, taken: Any) -> Sentence:
    removed, restored = sum(taken.removed.values()), sum(taken.restored.values())
    if taken.conflicts:
        return say(
            "Import {n} is undone: {removed} removed, {restored} as they were before, {conflicts} left alone.",
            n=str(number), removed=removed, restored=restored, conflicts=len(taken.conflicts),
        )  # fmt: skip
    return say(
        "Import {n} is undone: {removed} removed, {restored} as they were before.",
        n=str(number), removed=removed, restored=restored,
    )  # fmt: skip


def remove_demo(run: Run) -> dict[str, Any]:
    """Take the simulated firm out of the workspace."""
    from klientel.web import showcase

    taken = showcase.remove(run.home, run.actor, run.now, run.tell)
    removed = sum(taken.removed.values())
    said = say("The demo data is removed: {n} records and lines are gone.", n=removed)
    if taken.conflicts:
        said = say(
            "The demo data is removed: {n} records and lines are gone, {kept} stay because they were changed or "
            "used since.",
            n=removed, kept=len(taken.conflicts),
        )  # fmt: skip
    return {"address": ["intake:index"], "said": kept(said)}


def back_up(run: Run) -> dict[str, Any]:
    """Write a backup into the workspace's folder, from where administrators download it."""
    from klientel.web import backups
    from klientel.web.imports import kept_backups

    target = kept_backups.place(run.home, run.now)
    backups.write(run.home, target, progress=run.tell, within=True)
    kept_backups.bound(run.home)
    size = target.stat().st_size / 10**6
    return {
        "address": ["intake:backups"],
        "said": kept(say("The backup is written: {mb} MB.", mb=round(size, 1))),
    }


def _options(run: Run, draft: drafts.Draft) -> Options:
    from klientel.web.imports.importing import Options

    raws = looking.read(draft, run.tell)
    drafts.touch(draft)
    return Options(
        mapping=looking.mapping(draft, raws),
        template=_template(run, draft),
        overwrite=draft.overwrite,
        today=_today(run),
    )


def _today(run: Run) -> date:
    return timezone.localtime(run.now).date()


def _template(run: Run, draft: drafts.Draft) -> str | None:
    """The saved mapping of a draft as a file, as imports take one."""
    found = templates.load(run.actor, draft.template)
    if found is None:
        return None
    place: Path = draft.folder / f"template-{secrets.token_hex(4)}.json"
    place.write_text(json.dumps(found.as_dict()), encoding="utf-8")
    return str(place)
