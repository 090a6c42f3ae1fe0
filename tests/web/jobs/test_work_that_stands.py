"""Jobs that break after their work is in: it is told as done; and what breaks never leaves a job running."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from at_work import NOW, TWO_COLUMNS, at_once

from klientel.web.jobs import running, services, worker
from klientel.web.jobs.models import Job
from klientel.web.kinds_of_values import again


def breaking(error: BaseException) -> Any:
    """Something that breaks."""

    def broken(*_: Any, **__: Any) -> Any:
        raise error

    return broken


@pytest.mark.parametrize("error", [RuntimeError("no room"), running.Cancelled()])
def test_an_import_that_is_in_is_told_as_done(
    home: Any, boss: Any, draft: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    from klientel.web.imports import drafts
    from klientel.web.imports.models import Import

    at_once(monkeypatch)
    made = draft(TWO_COLUMNS)
    monkeypatch.setattr("klientel.web.imports.reports.findings", breaking(ValueError()))
    drop, dropped = drafts.drop, []

    def once_broken(found: Any) -> None:
        dropped.append(found)
        if len(dropped) == 1:
            raise error
        drop(found)

    monkeypatch.setattr(drafts, "drop", once_broken)
    job = services.submit(home, boss, "import", {"draft": made.token}, NOW)
    number = Import.objects.order_by("-pk").values_list("pk", flat=True)[0]
    assert (job.state, job.result["import"]) == ("done", number)
    assert job.result["address"] == ["intake:show", number]
    assert not made.folder.exists()


def test_a_dead_workers_import_that_is_in_is_told_as_done(home: Any, boss: Any, draft: Any) -> None:
    from klientel.web.imports.models import Import

    made = draft(TWO_COLUMNS)
    jobs = [services.submit(home, boss, "import", {"draft": made.token}, NOW) for _ in range(2)]
    Job.objects.update(state="running", started_at=NOW)
    tables = {"lines": {"create": 3, "update": 0, "skip": 0, "rejected": 0}}
    run = Import.objects.create(at=NOW, state="done", options={"job": jobs[1].pk}, counts={"tables": tables})
    assert services.reap(home, NOW) == 2
    for job in jobs:
        job.refresh_from_db()
    assert [job.state for job in jobs] == ["failed", "done"]
    assert "cut off" in str(again(jobs[0].why))
    assert jobs[1].result["import"] == run.pk
    assert "New: Lines: 3" in str(again(jobs[1].result["said"]))
    assert not made.folder.exists(), "it is in, and not to be imported once more"


def test_an_undo_that_was_done_is_told_as_done_by_its_own_job_only(
    home: Any, boss: Any, draft: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from klientel.web.imports import undoing

    at_once(monkeypatch)
    services.submit(home, boss, "import", {"draft": draft(TWO_COLUMNS).token}, NOW)
    undo = undoing.undo

    def then_broken(*args: Any, **options: Any) -> Any:
        undo(*args, **options)
        raise RuntimeError

    monkeypatch.setattr(undoing, "undo", then_broken)
    job = services.submit(home, boss, "undo", {"import": 1}, NOW)
    assert (job.state, str(again(job.result["said"]))) == ("done", "Import 1 is undone.")
    later = services.submit(home, boss, "undo", {"import": 1}, NOW + services.KEPT)
    assert later.state == "failed"
    assert "undone already" in str(again(later.why))


def test_the_end_of_a_job_is_written_down_whatever_cleaning_meets(
    home: Any, boss: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    monkeypatch.setattr("klientel.web.imports.writing.writing", breaking(OSError("no room")))
    monkeypatch.setattr("klientel.web.jobs.work.is_back", breaking(KeyError("import")))
    job = services.submit(home, boss, "undo", {"import": 7}, NOW)
    assert job.state == "failed"
    assert job.ended_at == NOW


@pytest.mark.parametrize("error", [OSError("no room"), RuntimeError("a fault")])
def test_the_worker_goes_on_after_a_fault_and_leaves_no_job_running(
    home: Any, boss: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    jobs = [services.submit(home, boss, "undo", {"import": n}, NOW) for n in (1, 2)]
    over = threading.Event()
    do, told = running.run, []

    def run(home: Any, job: Job, *args: Any) -> None:
        told.append(job.pk)
        if len(told) == 1:
            Job.objects.filter(pk=job.pk).update(state="running", started_at=NOW)
            raise error
        do(home, job, *args)
        over.set()

    monkeypatch.setattr(running, "run", run)
    monkeypatch.setattr(worker, "AGAIN", 0.0)
    monkeypatch.setattr("django.db.close_old_connections", lambda: None)
    monkeypatch.setattr("klientel.web.api.delivering.keep_delivering", lambda *_: None)
    worker.work(home, over)
    assert told == [job.pk for job in jobs]
    for job in jobs:
        job.refresh_from_db()
    assert [job.state for job in jobs] == ["failed", "failed"]
    assert "cut off" in str(again(jobs[0].why))
    assert "no import 2" in str(again(jobs[1].why))


def test_a_draft_that_changes_while_it_is_tried_keeps_its_changes(
    home: Any, boss: Any, draft: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from klientel.web.imports import drafts, importing, receiving

    at_once(monkeypatch)
    made = draft(TWO_COLUMNS)
    tried = services.submit(home, boss, "try", {"draft": made.token}, NOW)
    assert tried.result["address"] == ["intake:tried", made.token]
    assert drafts.needed(home, boss, made.token).tried == tried.pk
    dry_run = importing.dry_run

    def meanwhile(*args: Any, **options: Any) -> Any:
        with receiving.changing(made):
            made.overwrite, made.tried = True, None
        return dry_run(*args, **options)

    monkeypatch.setattr(importing, "dry_run", meanwhile)
    job = services.submit(home, boss, "try", {"draft": made.token}, NOW)
    now = drafts.needed(home, boss, made.token)
    assert (now.overwrite, now.tried) == (True, None)
    assert job.result["address"] == ["intake:draft", made.token]
    assert "changed since" in str(again(job.result["said"]))


def test_where_nobody_can_say_whether_work_stands_it_is_told(
    home: Any, boss: Any, draft: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault that changed nothing says so; one of which that is not known does not."""
    at_once(monkeypatch)
    for error in (RuntimeError("no room"), running.Cancelled()):
        with monkeypatch.context() as broken:
            broken.setattr("klientel.web.imports.importing.run", breaking(error))
            broken.setattr("klientel.web.jobs.work.is_in", breaking(ValueError()))
            job = services.submit(home, boss, "import", {"draft": draft(TWO_COLUMNS).token}, NOW)
        assert job.state == "failed"
        assert "could not be found out" in str(again(job.why))
    monkeypatch.setattr("klientel.web.imports.importing.run", breaking(RuntimeError()))
    job = services.submit(home, boss, "import", {"draft": draft(TWO_COLUMNS).token}, NOW)
    assert "Nothing was changed" in str(again(job.why))
