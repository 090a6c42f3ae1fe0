"""What the analyses say of one customer: picked out of kept answers, so it is what their pages say, too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from klientel.analyses import ANALYSES
from klientel.result import Result
from klientel.web import books, scopes
from klientel.web.pages.analyses import answers
from klientel.web.pages.analyses.asked import Asked
from klientel.web.pages.customers.standing import course, standing

if TYPE_CHECKING:
    from datetime import date

    from klientel.analysis import Analysis

# The analyses of which a customer's row is shown; what the workspace cannot answer is left out.
ASKED: tuple[Analysis, ...] = (
    standing,
    *(ANALYSES[name] for name in ("abc", "churn_risk", "lifetime_value", "renewals")),
)


@dataclass
class Known:
    """What is known of a customer: rows by analysis. waiting: how far the ones are that are not there yet."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    renewals: dict[str, dict[str, Any]] = field(default_factory=dict)  # by number of the contract
    rank: int | None = None
    of: int | None = None
    flags: dict[str, str] = field(default_factory=dict)
    as_of: date | None = None
    waiting: answers.Waiting | None = None

    @property
    def trend(self) -> float | None:
        """Change of revenue against the twelve months before, as a share."""
        row = self.rows.get("standing", {})
        now, before = row.get("revenue"), row.get("before")
        return float(now or 0) / float(before) - 1 if before and before > 0 else None


def known(request: Any, number: str, patience: float = 0.0, *, ask: bool = True) -> Known:
    """What the kept answers say of a customer; with `ask` what is not kept is computed by and by."""
    made = Known()
    state = books.state()
    for analysis in ASKED:
        question = Asked(request, analysis).question()
        found: Any = answers.known(question, state)
        if found is None and ask:
            found = answers.get(question, patience=patience if made.waiting is None else 0.0)
        if isinstance(found, Result):
            _take(made, found, number)
        elif found is None or found.why is None:
            made.waiting = made.waiting or found or answers.NOT_ASKED
    return made


def course_of(request: Any, number: str, patience: float = 0.0) -> Result | answers.Waiting:
    """The customer's revenue by month."""
    wanted = Asked(request, course)
    wanted.scope = scopes.find(f"customer:{number}", request.user)
    return answers.get(wanted.question(), patience=patience)


def _take(made: Known, found: Result, number: str) -> None:
    import pyarrow.compute as pc

    name = found.name
    made.as_of = made.as_of or found.as_of
    made.flags[name] = found.quality.flag
    data = found.tables[found.analysis.tables[0].name].to_pyarrow()
    mine = data.filter(pc.equal(data.column("customer_id"), number))
    if name == "renewals":
        made.renewals = {str(row["contract_id"]): row for row in mine.to_pylist()}
        return
    if mine.num_rows:
        made.rows[name] = mine.slice(0, 1).to_pylist()[0]
    if name == "abc" and mine.num_rows:
        value = mine.column("value")[0]
        made.of = data.num_rows
        made.rank = (
            int(pc.sum(pc.greater(data.column("value"), value)).as_py() or 0) + 1
        )  # ties share their rank
