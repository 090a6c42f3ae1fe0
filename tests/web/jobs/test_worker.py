"""The worker as a process of its own: it does what waits, ends in order, and what is killed is told and cleaned."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from at_work import NOW, TWO_COLUMNS

from klientel.web.jobs import keeping, live, services
from klientel.web.jobs.models import Job
from klientel.web.kinds_of_values import again

# Enough to be killed in the middle of it.
MANY = "Kundennr;Kunde;Belegnr;Datum;Netto\n" + "".join(
    f"K{i % 9000};Firma {i % 9000} GmbH;B{i};{i % 27 + 1:02d}.03.2025;{100 + i % 977},50\n"
    for i in range(60_000)
)


@pytest.fixture
def kept(home: Any) -> Iterator[keeping.Kept]:
    """A worker on the test's workspace, looked after."""
    made = keeping.Kept(home.folder)
    made.start()
    yield made
    made.stop()


def wait(until: Callable[[], Any], seconds: float = 90) -> Any:
    """Wait for something; what it was."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = until()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def ended(job: Job) -> bool:
    job.refresh_from_db()
    return job.ended


def test_an_import_is_done_by_the_worker(home: Any, boss: Any, draft: Any, kept: keeping.Kept) -> None:
    from klientel.web.records.models import Company

    made = draft(TWO_COLUMNS)
    job = services.submit(home, boss, "import", {"draft": made.token}, NOW)
    wait(lambda: ended(job))
    assert job.state == "done", again(job.why)
    assert job.result["address"] == ["analyses:show", "abc"]
    assert Company.objects.count() == 40
    process = kept.process
    assert process is not None
    began = time.monotonic()
    kept.stop()
    assert process.poll() is not None, "it ends with its keeper"
    assert time.monotonic() - began < keeping.PATIENCE


@pytest.mark.slow
def test_a_killed_import_is_told_and_leaves_nothing(
    home: Any, boss: Any, draft: Any, kept: keeping.Kept
) -> None:
    from klientel.web.imports.models import Import, Snapshot
    from klientel.web.records.models import Company

    made = draft(MANY, "lines.csv")
    job = services.submit(home, boss, "import", {"draft": made.token}, NOW)
    wait(lambda: Import.objects.filter(state="started").exists())
    wait(lambda: (home.folder / "facts" / "lines").exists() or ended(job))
    process = kept.process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    wait(lambda: ended(job))
    assert job.state == "failed"
    assert "cut off" in str(again(job.why))
    assert kept.process is not process, "another one was started"
    wait(lambda: Import.objects.get().state == "failed")  # the end is told, then what is left is cleaned away
    wait(lambda: not Company.objects.exists())
    assert Snapshot.objects.count() == 0
    once_more = services.submit(home, boss, "import", {"draft": made.token}, NOW)
    wait(lambda: ended(once_more))
    assert once_more.state == "done", again(once_more.why)
    assert Company.objects.count() == 9000
    assert Import.objects.get(state="done").counts["tables"]["lines"]["create"] == 60_000


def test_a_cancelled_import_is_taken_back(home: Any, boss: Any, draft: Any, kept: keeping.Kept) -> None:
    from klientel.web.imports.models import Import
    from klientel.web.records.models import Company

    made = draft(MANY, "lines.csv")
    job = services.submit(home, boss, "import", {"draft": made.token}, NOW)
    wait(lambda: Import.objects.filter(state="started").exists())
    services.cancel(home, boss, job, NOW)
    wait(lambda: ended(job))
    assert job.state == "cancelled"
    assert Import.objects.get().state == "failed"
    assert Company.objects.count() == 0
    assert not list((home.folder / "imports").glob("*")), "nothing of it stays"
    assert made.paths[0].exists(), "the files are still there for another try"


def test_an_import_beside_the_command_lines_is_refused_with_a_sentence(
    home: Any, boss: Any, draft: Any, kept: keeping.Kept
) -> None:
    from klientel.web.imports.writing import writing

    made = draft(TWO_COLUMNS)
    with writing(home, "import", NOW):
        job = services.submit(home, boss, "import", {"draft": made.token}, NOW)
        wait(lambda: ended(job))
    assert job.state == "failed"
    assert "Another process (import" in str(again(job.why))
    assert made.paths[0].exists()


@pytest.mark.slow
def test_two_jobs_are_done_one_after_the_other(home: Any, boss: Any, draft: Any, kept: keeping.Kept) -> None:
    first = services.submit(home, boss, "import", {"draft": draft(MANY, "a.csv").token}, NOW)
    second = services.submit(home, boss, "import", {"draft": draft(TWO_COLUMNS).token}, NOW)
    wait(lambda: live.told(home, first.pk))
    second.refresh_from_db()
    assert second.state == "waiting"
    before = services.ahead(second)
    assert before is not None
    assert before.pk == first.pk
    wait(lambda: ended(second))
    assert ended(first)
    assert (first.state, second.state) == ("done", "done")


def test_a_worker_ends_when_its_starter_is_gone(home: Any) -> None:
    """The pipe closes: nobody is left behind."""
    import subprocess
    import sys

    process = subprocess.Popen(
        [sys.executable, "-m", "klientel.web.jobs.worker", str(home.folder)], stdin=subprocess.PIPE
    )
    try:
        wait(lambda: not services.nobody_works(home))
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) is not None
    finally:
        process.kill()
