"""Every kind of long work: its title, the right it takes, the function that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from klientel.errors import NotAllowed
from klientel.words import Word, mark, say

if TYPE_CHECKING:
    from klientel.ingest.raw import Progress
    from klientel.web.home import Home
    from klientel.web.jobs.models import Job


@dataclass(frozen=True)
class Run:
    """What a job's function gets: the workspace, the job, whom it works for, whom to tell, what time it is.

    tell: called between batches; it raises where somebody wants the job to end.
    """

    home: Home
    job: Job
    actor: Any
    tell: Progress
    now: datetime

    @property
    def lang(self) -> str:
        """The language of whoever wants it."""
        return str(self.actor.language)


Work = Callable[[Run], dict[str, Any]]
Stands = Callable[["Home", "Job"], dict[str, Any] | None]


@dataclass(frozen=True)
class Kind:
    """A kind of job. place: "module:function" of a `Work`; demand: raises NotAllowed for whom may not have it done.

    committed: "module:function" of a `Stands`: what is asked of a job that did not come to its end. Its work may
    stand all the same, where something broke after it.
    """

    name: str
    title: Word
    place: str
    demand: Callable[[Any], None]
    writes: bool = True  # a cut off one may have left something that the next writer cleans away
    committed: str = ""

    @property
    def work(self) -> Work:
        """The function that does it."""
        found: Work = _named(self.place)
        return found

    def stands(self, home: Home, job: Job) -> dict[str, Any] | None:
        """The result of a job that did not come to its end although its work stands; None where it does not."""
        ask: Stands | None = _named(self.committed) if self.committed else None
        return ask(home, job) if ask is not None else None


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def everything(actor: Any) -> None:
    """Raise NotAllowed unless the person may change everybody's customers."""
    from klientel.web.rights import demand_all

    demand_all(actor, "write")


def administrator(actor: Any) -> None:
    """Raise NotAllowed unless the person is an administrator who is active."""
    if not (actor.is_active and actor.is_superuser):
        raise NotAllowed(say("{who} may not do that: it takes an administrator.", who=str(actor)))


_WORK = "klientel.web.jobs.work"
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("look", mark("Look at files"), f"{_WORK}:look", everything, writes=False),
        Kind("try", mark("Dry run"), f"{_WORK}:dry_run", everything, writes=False),
        Kind("import", mark("Import"), f"{_WORK}:bring", everything, committed=f"{_WORK}:is_in"),
        Kind(
            "undo", mark("Undo of an import"), f"{_WORK}:take_back", everything, committed=f"{_WORK}:is_back"
        ),
        Kind(
            "no-demo",
            mark("Removal of the demo data"),
            f"{_WORK}:remove_demo",
            administrator,
            committed=f"{_WORK}:is_without_demo",
        ),
        Kind("backup", mark("Backup"), f"{_WORK}:back_up", administrator, writes=False),
    )
}
