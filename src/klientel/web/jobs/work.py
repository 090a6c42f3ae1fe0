"""What jobs do: the functions of `kinds.KINDS`, each on the way the command line takes."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from klientel.errors import KlientelError
from klientel.web.imports import drafts, looking, templates
from klientel.web.kinds_of_values import told as kept
from klientel.words import Sentence, mark, say

if TYPE_CHECKING:
    from klientel.web.home import Home
    from klientel.web.imports.importing import Options
    from klientel.web.imports.models import Import
    from klientel.web.jobs.kinds import Run
    from klientel.web.jobs.models import Job

_log = logging.getLogger(__name__)


def look(run: Run) -> dict[str, Any]:
    """Read uploaded files, so that the page that shows them is there at once."""
    draft = drafts.needed(run.home, run.actor, run.job.parameters["draft"])
    looking.read(draft, run.tell)
    return {"address": ["intake:draft", draft.token]}


def dry_run(run: Run) -> dict[str, Any]:
    """Say what an import of a draft would do; the report lies beside the files."""
    from klientel.web.imports import importing, receiving, rejected, reports

    draft = drafts.needed(run.home, run.actor, run.job.parameters["draft"])
    report = importing.dry_run(
        run.home,
        draft.paths,
        options=_options(run, draft),
        actor=run.actor,
        progress=run.tell,
        now=run.now,
    )
    seen = drafts.needed(run.home, run.actor, draft.token)
    with receiving.changing(seen):
        if not seen.alike(draft):
            changed = mark("Something was changed since the dry run; try it again.")
            return {"address": ["intake:draft", draft.token], "said": kept(changed)}
        place = draft.folder / "rejected"
        for old in place.iterdir() if place.is_dir() else ():
            old.unlink()
        files = rejected.write(report.taken, place, run.lang)
        drafts.write(draft.folder / "tried.json", reports.told(report, run.actor, files))
        seen.tried = run.job.pk
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
    with _in_already(made):
        if report.rejected_files:  # in the language of whoever reads them
            rejected.write(report.taken, run.home.of_import(made.pk), run.lang)
        made.options = {**made.options, "template": draft.template or None}
        made.counts = {**made.counts, **reports.findings(report)}
        made.save(update_fields=["options", "counts"])
    drafts.drop(draft)
    curve = first and bool(report.counts.get("lines") and report.counts["lines"].create)
    address: list[Any] = ["analyses:show", "abc"] if curve else ["intake:show", made.pk]
    return {"address": address, "import": made.pk, "said": kept(_brought(made))}


@contextmanager
def _in_already(made: Import) -> Iterator[None]:
    """What only adorns an import that is in: where it cannot be done, that is no reason to tell of a failure."""
    try:
        yield
    except Exception:  # noqa: BLE001 - whatever it is, the import is in
        _log.exception("Import %s is in; what was to be noted of it could not be", made.pk)


def is_in(home: Home, job: Job) -> dict[str, Any] | None:
    """The result of an import's job that was cut off when the import was in; None if it is not in."""
    from klientel.web.imports.models import Import

    ended = [Import.State.DONE, Import.State.UNDONE]
    made = Import.objects.filter(options__job=job.pk, state__in=ended).order_by("-pk").first()
    if made is None:
        return None
    with suppress(KlientelError):  # the files may be gone, or the person's right to see them
        drafts.drop(drafts.needed(home, job.actor, job.parameters["draft"]))
    return {"address": ["intake:show", made.pk], "import": made.pk, "said": kept(_brought(made))}


def _brought(made: Import) -> Sentence:
    """What came in, in a sentence."""
    from klientel.web.imports import reports

    counts: dict[str, dict[str, int]] = made.counts["tables"]
    new = {name: c["create"] for name, c in counts.items() if c["create"]}
    changed = sum(c["update"] for c in counts.values())
    rejected = sum(c["rejected"] for c in counts.values())
    if not new and not changed and not rejected:
        return say("Import {n}: everything was there already.", n=str(made.pk))
    what = [say("{table}: {n}", table=reports.title(name), n=n) for name, n in new.items()]
    return say(
        "Import {n} is done. New: {new}. Changed: {changed}. Rejected: {rejected}.",
        n=str(made.pk), new=what or "–", changed=changed, rejected=rejected,
    )  # fmt: skip


def take_back(run: Run) -> dict[str, Any]:
    """Undo an import."""
    from klientel.web.imports import undoing

    number = int(run.job.parameters["import"])
    taken = undoing.undo(run.home, number, actor=run.actor, progress=run.tell, now=run.now)
    return {"address": ["intake:show", number], "said": kept(taken.sentence)}


def is_back(_home: Home, job: Job) -> dict[str, Any] | None:
    """The result of an undo's job that was cut off when the import was undone; None if this job did not undo it."""
    from klientel.web.imports.models import Import

    number = int(job.parameters["import"])
    undone = Import.objects.filter(pk=number, state=Import.State.UNDONE, undone_at=job.started_at)
    if not undone.exists():
        return None
    return {
        "address": ["intake:show", number],
        "said": kept(say("Import {n} is undone.", n=str(number))),
    }


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


def is_without_demo(_home: Home, job: Job) -> dict[str, Any] | None:
    """The result of a removal's job that was cut off when the demo data was out; None if it is not."""
    from klientel.web.imports.models import Import

    undone = Import.objects.filter(options__demo=True, state=Import.State.UNDONE, undone_at=job.started_at)
    if not undone.exists():
        return None
    return {"address": ["intake:index"], "said": kept(mark("The demo data is removed."))}


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
        job=run.job.pk,
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
