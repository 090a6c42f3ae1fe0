"""The fixed cast of rights: who sells, who leads, who may do nothing; in a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import cast

DAY = date(2025, 1, 1)
ALL = ("read", "write", "export", "margin", "personal")


@dataclass
class Cast:
    """The people by name, and where they work."""

    home: Any
    users: dict[str, Any]
    reps: dict[str, Any]


def cast_book(**options: Any) -> Any:
    """The cast's files with margins, contacts, sales people, leads and interactions."""
    import pyarrow as pa

    import klientel

    frames = cast.frames()
    lines = [{**row, "direct_cost": row["net_amount"] / 2} for row in cast.LINES]
    frames["order_line"] = pa.Table.from_pylist(lines)
    frames["contact"] = pa.Table.from_pylist(
        [
            {"contact_id": f"P{c['customer_id']}", "customer_id": c["customer_id"], "name": f"Person {c['name']}",
             "email": f"p{i}@example.com"}
            for i, c in enumerate(cast.CUSTOMERS)
        ]
    )  # fmt: skip
    frames["rep"] = pa.Table.from_pylist(
        [{"rep_id": n, "name": n.title(), "cost_hour": 60} for n in ("anna", "ben", "cem")]
    )
    frames["opportunity"] = pa.Table.from_pylist(
        [
            {"opportunity_id": f"O{i}", "customer_id": c["customer_id"], "rep_id": c["owner_rep_id"] or "anna",
             "created_on": date(2024, 5, 1 + i), "close_date": date(2024, 7, 1), "outcome": "won", "stage": "won",
             "amount": 100}
            for i, c in enumerate(cast.CUSTOMERS)
        ]
    )  # fmt: skip
    book = klientel.open_book(frames, as_of=options.pop("as_of", DAY), **options)
    book.tables["interaction"] = book.engine.view(
        pa.Table.from_pylist(
            [
                {"interaction_id": f"I{i}", "customer_id": c["customer_id"], "rep_id": c["owner_rep_id"] or "anna",
                 "ts": date(2024, 5, 1 + i), "type": "visit", "duration_min": Decimal(30), "cost": Decimal(50)}
                for i, c in enumerate(cast.CUSTOMERS)
            ]
        ),
        "interactions",
    )  # fmt: skip
    return book


def make(home: Any) -> Cast:
    """Teams, people and the records of the cast in a workspace.

    Company (director Dora) above South (leader Lena; Anna, Ben, Cem) and North (Nils, nobody's customers).
    Cem sells to nobody. Rita has no sales person. Ada administers.
    """
    from klientel.web.accounts.models import Grant, Team, User
    from klientel.web.records.models import Company, Rep

    top = Team.objects.create(name="Company")
    south = Team.objects.create(name="South", parent=top)
    north = Team.objects.create(name="North", parent=top)
    where = {
        "anna": south,
        "ben": south,
        "cem": south,
        "lena": south,
        "dora": top,
        "nils": north,
        "rita": None,
    }
    users = {n: User.objects.create(username=n, team=t) for n, t in where.items()}
    users["ada"] = User.objects.create(username="ada", is_superuser=True)
    users["gone"] = User.objects.create(username="gone", is_superuser=True, is_active=False)
    users["new"] = User.objects.create(username="new", team=south)
    reps = {
        n: Rep.objects.create(number=n, name=n.title(), user=users[n], cost_hour=60)
        for n in ("anna", "ben", "cem", "lena", "dora", "nils")
    }
    scopes = {
        "anna": dict.fromkeys(ALL, "own"),
        "ben": {"read": "own", "write": "own"},
        "cem": dict.fromkeys(ALL, "own"),
        "nils": dict.fromkeys(ALL, "team"),
        "lena": {"read": "team", "write": "team", "export": "own", "margin": "own", "personal": "team"},
        "dora": {"read": "subtree", "export": "subtree", "margin": "subtree"},
        "rita": dict.fromkeys(ALL, "own"),
    }
    for name, granted in scopes.items():
        for action, scope in granted.items():
            Grant.objects.create(user=users[name], action=action, scope=scope)
    for row in cast.CUSTOMERS:
        Company.objects.create(
            number=row["customer_id"],
            name=row["name"],
            industry_code=row["industry_code"] or "",
            owner=reps.get(row["owner_rep_id"] or ""),
            relation_type=row["relation_type"] or "",
            email=f"{row['customer_id']}@example.com",
        )
    return Cast(home, users, reps)


def found(home: Any) -> Cast:
    """The cast of a workspace where it is already."""
    from klientel.web.accounts.models import User
    from klientel.web.records.models import Rep

    users = {user.username: user for user in User.objects.all()}
    return Cast(home, users, {rep.number: rep for rep in Rep.objects.all()})
