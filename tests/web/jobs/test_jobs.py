"""Jobs: done as their person, told on the way, ended by a wish, declared dead with their worker."""

from __future__ import annotations

import json
from typing import Any

import pytest
from at_work import NOW, at_once

from klientel.errors import NotAllowed
from klientel.web.jobs import live, running, services
from klientel.web.jobs.kinds import KINDS, Kind, Run, everything
from klientel.web.jobs.models import Job
from klientel.web.kinds_of_values import again
from klientel.web.kinds_of_values import told as kept
from klientel.words import mark, say, translate


def counted(run: Run) -> dict[str, Any]:
    """A work of three steps that says whom it works for."""
    for step in range(3):
        run.tell(mark("Counting"), step, 3)
    return {"who": run.actor.username}


def broken(run: Run) -> dict[str, Any]:
    """A work with a fault."""
    raise ZeroDivisionError


def wished_away(run: Run) -> dict[str, Any]:
    """A work during which somebody wants it to end."""
    run.tell(mark("First"), 0, None)
    services.cancel(run.home, run.actor, run.job, run.now)
    run.tell(mark("Second"), 0, None)
    raise AssertionError("the second step is never passed")


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("counted", "broken", "wished_away"):
        monkeypatch.setitem(KINDS, name, Kind(name, mark("Import"), f"{__name__}:{name}", everything))


def test_a_job_is_done_as_its_person(home: Any, boss: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once(monkeypatch)
    job = services.submit(home, boss, "counted", {}, NOW)
    assert (job.state, job.result) == ("done", {"who": "boss"})
    assert again(job.what) == "Counting"
    assert (job.done, job.total) == (2, 3)
    assert job.started_at == job.ended_at == NOW
    assert live.told(home, job.pk) is None


def test_a_fault_is_told_and_does_not_end_the_worker(
    home: Any, boss: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    job = services.submit(home, boss, "broken", {}, NOW)
    assert job.state == "failed"
    assert "fault of ours" in str(again(job.why))


def test_a_running_job_ends_at_its_next_step(home: Any, boss: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once(monkeypatch)
    job = services.submit(home, boss, "wished_away", {}, NOW)
    assert job.state == "cancelled"
    assert not live.asked_to_end(home, job.pk)


def test_a_waiting_job_ends_at_once(home: Any, boss: Any) -> None:
    job = services.submit(home, boss, "counted", {}, NOW)
    assert job.state == "waiting"
    services.cancel(home, boss, job, NOW)
    job.refresh_from_db()
    assert job.state == "cancelled"
    running.run(home, job, lambda: NOW, lambda: False)
    job.refresh_from_db()
    assert job.state == "cancelled", "what was ended is not taken up"


def test_rights_are_asked_when_it_is_wanted_and_when_it_begins(home: Any, boss: Any) -> None:
    from klientel.web.accounts import services as accounts

    seller = accounts.add_user(None, "anna", NOW, role="sales")
    with pytest.raises(NotAllowed):
        services.submit(home, seller, "counted", {}, NOW)
    other = accounts.add_user(None, "cora", NOW, role="administrator")
    job = services.submit(home, other, "counted", {}, NOW)
    type(other).objects.filter(pk=other.pk).update(is_superuser=False)
    running.run(home, job, lambda: NOW, lambda: False)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "cora" in str(again(job.why))
    gone = services.submit(home, boss, "counted", {}, NOW)
    type(boss).objects.filter(pk=boss.pk).update(is_active=False)
    running.run(home, gone, lambda: NOW, lambda: False)
    gone.refresh_from_db()
    assert gone.state == "failed"


def test_people_see_their_own_jobs_and_administrators_all(home: Any, boss: Any) -> None:
    from klientel.web.accounts import services as accounts

    dora = accounts.add_user(None, "dora", NOW, grants={"read": "all", "write": "all"})
    own = services.submit(home, dora, "counted", {}, NOW)
    others = services.submit(home, boss, "counted", {}, NOW)
    assert list(services.jobs_of(dora)) == [own]
    assert list(services.jobs_of(boss)) == [others, own]
    with pytest.raises(NotAllowed):
        services.cancel(home, dora, others, NOW)
    assert services.ahead(others) == own


def test_a_job_of_a_dead_worker_is_told_as_failed(home: Any, boss: Any) -> None:
    job = services.submit(home, boss, "counted", {}, NOW)
    Job.objects.filter(pk=job.pk).update(state="running", started_at=NOW)
    live.tell(home, job.pk, mark("Counting"), 1, 3)
    with services.the_only_worker(home) as ours:
        assert ours
        services.reap_if_alone(home, NOW)  # somebody works: it is not declared dead
        job.refresh_from_db()
        assert job.state == "running"
    services.reap_if_alone(home, NOW)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "cut off" in str(again(job.why))
    assert live.told(home, job.pk) is None


def test_another_machines_job_is_given_time(home: Any, boss: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job = services.submit(home, boss, "counted", {}, NOW)
    Job.objects.filter(pk=job.pk).update(state="running", started_at=NOW)
    live.tell(home, job.pk, mark("Counting"), 1, 3)
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    assert services.reap(home, NOW) == 0
    monkeypatch.setattr(live, "SILENT", -1.0)
    assert services.reap(home, NOW) == 1


def test_sentences_survive_the_database() -> None:
    from datetime import date
    from decimal import Decimal

    sentence = say(
        "{n} of {what}, {share}, {day}, {inner}, {amount}",
        n=3, what=mark("Customers"), share=0.5, day=date(2026, 1, 2), inner=say("{n} rows", n=2),
        amount=Decimal("1.50"),
    )  # fmt: skip
    back = again(json.loads(json.dumps(kept(sentence))))
    assert back == sentence
    assert translate(back, "de") == translate(sentence, "de")


def test_old_jobs_are_forgotten(home: Any, boss: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once(monkeypatch)
    services.submit(home, boss, "counted", {}, NOW)
    (live.folder(home) / "999.json").write_text("{}")
    services.tidy(home, NOW)
    assert Job.objects.count() == 1
    assert not (live.folder(home) / "999.json").exists()
    services.tidy(home, NOW + 2 * services.KEPT)
    assert Job.objects.count() == 0
