"""Portfolios, timelines, imports, people and the feed of changes over the API."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings


@pytest.fixture
def at_once(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs run inside the request."""
    monkeypatch.setattr(django_settings, "JOBS_AT_ONCE", True, raising=False)


def _send(who: Any, name: str, content: str, **more: str) -> Any:
    query = "".join(f"&{k}={v}" for k, v in more.items())
    return who.client.generic(
        "POST",
        f"/api/v1/uploads?name={name}{query}",
        data=content.encode(),
        content_type="application/octet-stream",
    )


ORDERS = (
    "order_id,customer,date,amount\nO1,Alba,2026-01-05,100\nO2,Bora,2026-02-05,50\nO3,Alba,2026-03-05,25.5\n"
)


def test_files_are_tried_imported_and_taken_back(program: Any, at_once: None) -> None:
    """Each step is a job; what came of it can be read."""
    boss = program()
    sent = _send(boss, "orders.csv", ORDERS)
    assert sent.status_code == 201, sent.content
    token = sent.json()["upload"]
    assert sent.json()["files"] == ["orders.csv"]
    early = boss.get(f"/uploads/{token}/report")
    assert (early.status_code, "ask for a dry run" in early.json()["detail"]) == (404, True)
    tried = boss.post(f"/uploads/{token}/dry-run")
    assert (tried.status_code, tried.json()["state"]) == (202, "done"), tried.content
    assert boss.get(f"/uploads/{token}/report").json()["tables"]["lines"]["create"] == 3
    assert boss.items("/companies") == []
    done = boss.post(f"/uploads/{token}/import", idempotency_key="i1")
    assert done.json()["state"] == "done", done.json()
    assert boss.post(f"/uploads/{token}/import", idempotency_key="i1").json() == done.json()
    number = done.json()["import"]
    assert boss.get(done["Location"].removeprefix("/api/v1")).json()["import"] == number
    assert [i["id"] for i in boss.items("/imports")] == [number]
    assert {r["name"] for r in boss.items("/companies")} == {"Alba", "Bora"}
    firm = boss.items("/companies?name=Alba")[0]["id"]
    told = boss.get(f"/companies/{firm}/timeline?kind=order").json()
    assert [(e["day"], float(e["amount"])) for e in told["items"]] == [
        ("2026-03-05", 25.5),
        ("2026-01-05", 100.0),
    ]
    assert boss.get(f"/imports/{number}").json()["state"] == "done"
    undone = boss.post(f"/imports/{number}/undo")
    assert undone.json()["state"] == "done", undone.json()
    assert boss.items("/companies") == []
    assert boss.get(f"/imports/{number}").json()["state"] == "undone"


def test_a_report_holds_for_files_and_options_as_they_were(program: Any, at_once: None) -> None:
    """Once another file came, or other options, it would tell of something else."""
    boss = program()
    token = _send(boss, "orders.csv", ORDERS).json()["upload"]
    report = f"/uploads/{token}/report"
    boss.post(f"/uploads/{token}/dry-run")
    assert boss.get(report).status_code == 200
    boss.post(f"/uploads/{token}/dry-run", {"overwrite": True})
    assert boss.get(report).status_code == 200
    wrong = boss.post(f"/uploads/{token}/import", {"template": "nowhere"})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "template")
    assert boss.get(report).status_code == 200
    assert _send(boss, "more.csv", ORDERS.replace("O", "P"), upload=token).status_code == 201
    assert boss.get(report).status_code == 404


def test_imports_are_for_whom_may_change_everything(program: Any, sellers: Any, holder: Any) -> None:
    """Sellers, readers and tokens that only read send nothing; uploads and jobs of others are not there."""
    boss, anna = program(), sellers["anna"]
    token = _send(boss, "a.csv", ORDERS).json()["upload"]
    other = program("other")
    assert _send(anna, "a.csv", ORDERS).status_code == 403
    assert holder(boss, "read").post(f"/uploads/{token}/import").status_code == 403
    assert other.get(f"/uploads/{token}").status_code == 404
    assert anna.get(f"/uploads/{token}").status_code == 403
    job = boss.post(f"/uploads/{token}/dry-run").json()["id"]
    assert anna.get(f"/jobs/{job}").status_code == 404
    assert anna.post(f"/jobs/{job}/cancel").status_code == 404
    assert boss.post(f"/jobs/{job}/cancel").json()["state"] == "cancelled"
    assert anna.items("/imports") == []
    assert boss.post("/imports/99/undo").status_code == 404
    assert boss.delete(f"/uploads/{token}").status_code == 200
    assert boss.get(f"/uploads/{token}").status_code == 404


def test_an_upload_may_be_so_large(program: Any, served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of an upload together; names of files are harmless."""
    monkeypatch.setattr(django_settings, "UPLOAD_LIMIT", 300)
    boss = program()
    sent = _send(boss, "..%2F..%2Fetc%2Fpasswd", ORDERS)
    assert sent.json()["files"] == ["passwd"]
    late = _send(boss, "b.csv", ORDERS * 3, upload=sent.json()["upload"])
    assert (late.status_code, late.json()["title"]) == (413, "Too large")
    assert boss.get(f"/uploads/{sent.json()['upload']}").json()["files"] == ["passwd"]
    assert _kept(served) == ["passwd"]
    assert _send(boss, "c.csv", ORDERS * 9).status_code == 413
    assert len(_uploads(served)) == 1


def _uploads(served: Any) -> list[Path]:
    return sorted((served.folder / "uploads").iterdir())


def _kept(served: Any) -> list[str]:
    """Files that lie in the folders of uploads, half ones among them."""
    return sorted(file.name for place in _uploads(served) for file in (place / "files").iterdir())


def test_a_full_disk_is_left_alone(program: Any, served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is written, and nothing stays."""
    from klientel.web.imports import receiving

    boss = program()
    monkeypatch.setattr(receiving, "KEEP_FREE", 2**62)
    sent = _send(boss, "a.csv", ORDERS)
    assert (sent.status_code, "room" in sent.json()["detail"]) == (413, True)
    assert _uploads(served) == []


def test_what_did_not_arrive_whole_is_no_file(program: Any, served: Any) -> None:
    """Neither alone nor beside files that are there: half of it would be imported as if it were all."""
    boss = program()
    token = _send(boss, "a.csv", ORDERS).json()["upload"]
    for more in ("", f"&upload={token}"):
        for length in (str(len(ORDERS) + 10), ""):  # cut off; without a length nothing is read
            cut = boss.client.generic(
                "POST", f"/api/v1/uploads?name=b.csv{more}", data=ORDERS.encode(),
                content_type="application/octet-stream", CONTENT_LENGTH=length,
                **{"wsgi.input": io.BytesIO(ORDERS.encode())},
            )  # fmt: skip
            assert (cut.status_code, "whole" in cut.json()["detail"]) == (400, True), cut.content
    assert boss.get(f"/uploads/{token}").json()["files"] == _kept(served) == ["a.csv"]


def test_files_may_be_sent_at_the_same_time(program: Any, served: Any) -> None:
    """One that came in while another was on its way stays."""
    from klientel.web.imports import drafts
    from klientel.web.imports.receiving import Incoming

    boss = program()
    token = _send(boss, "a.csv", ORDERS).json()["upload"]
    draft = drafts.needed(served, boss.user, token)
    with Incoming(draft, "slow.csv") as slow:
        assert _send(boss, "quick.csv", ORDERS, upload=token).status_code == 201
        slow.write(ORDERS.encode())
    assert boss.get(f"/uploads/{token}").json()["files"] == ["a.csv", "quick.csv", "slow.csv"]
    assert _kept(served) == ["a.csv", "quick.csv", "slow.csv"]


def test_portfolios_tell_members_and_moves(program: Any, sellers: Any, at_once: None) -> None:
    """By rule and by hand; leads outside."""
    from klientel.web.records import models as m

    boss = program()
    token = _send(boss, "orders.csv", ORDERS).json()["upload"]
    boss.post(f"/uploads/{token}/import")
    alba, bora = (boss.items(f"/companies?name={n}")[0] for n in ("Alba", "Bora"))
    boss.patch(f"/companies/{alba['id']}", {"region": "South", "valid_from": "2026-01-01"})
    owner = m.Rep.objects.get(number="anna").pk
    made = boss.post("/portfolios", {"name": "South", "owner_id": owner, "rule": {"region": ["South"]}})
    assert made.status_code == 201, made.content
    one = f"/portfolios/{made.json()['id']}"
    assert boss.post("/portfolios", {"name": "X", "rule": {"regoin": ["S"]}}).status_code == 400
    told = boss.get(f"{one}/members?as_of=2026-04-01").json()
    assert [(i["name"], i["how"]) for i in told["items"]] == [("Alba", "rule")]
    german = boss.get(f"{one}/members?as_of=2026-04-01", accept_language="de").json()["items"][0]
    assert german["status_reason"] == told["items"][0]["status_reason"] == "order"
    assert told["items"][0]["status_told"] == "ordered within the activity window"
    assert german["status_told"] == "Bestellung im Aktivitätsfenster"
    hand = boss.post(
        f"{one}/memberships", {"company_id": bora["id"], "since": "2026-02-15", "reason": "asked"}
    )
    assert hand.status_code == 201
    moves = boss.get(f"{one}/moves?since=2026-02-10&until=2026-04-01").json()["items"]
    assert [(i["name"], i["joined"], i["reason"]) for i in moves] == [("Bora", True, "by_hand")]
    ended = boss.post(f"{one}/memberships/{hand.json()['id']}/end", {"on": "2026-03-01"})
    assert ended.json()["valid_to"] == "2026-03-01"
    assert boss.patch(one, {"rule": {"region": ["North"]}}).json()["rule"] == {"region": ["North"]}
    assert boss.get(f"{one}/members?as_of=2026-04-01").json()["items"] == []
    named = boss.patch(one, {"name": "Far south", "rule": {}}).json()
    assert (named["name"], named["rule"]) == ("Far south", {})
    assert boss.post("/portfolios", {"name": "Taken"}).status_code == 201
    assert boss.patch(one, {"name": "Taken", "rule": {"region": ["North"]}}).status_code == 400
    assert boss.get(one).json()["rule"] == {}
    assert boss.patch(one, {"name": "South"}).json()["name"] == "South"
    anna, ben = sellers["anna"], sellers["ben"]
    assert [p["name"] for p in anna.items("/portfolios")] == ["South"]
    assert ben.items("/portfolios") == []
    assert ben.get(one).status_code == ben.get(f"{one}/members").status_code == 404
    assert anna.patch(one, {"rule": {}}).status_code == 403


def test_a_timeline_shows_what_the_person_may_see(program: Any, sellers: Any, firm: Any) -> None:
    """From the first call; foreign ones are not there."""
    one = firm("A", "anna")
    anna, ben = sellers["anna"], sellers["ben"]
    anna.post("/interactions", {"company_id": one.pk, "type": "call", "ts": "2026-01-02", "text": "hush"})
    told = anna.get(f"/companies/{one.pk}/timeline?kind=interaction").json()
    assert [(e["day"], e["title"], e["text"]) for e in told["items"]] == [("2026-01-02", "Call", "hush")]
    assert told["counts"] == {"interaction": 1}
    assert ben.get(f"/companies/{one.pk}/timeline").status_code == 404
    assert anna.get(f"/companies/{one.pk}/timeline?kind=nothing").status_code == 400
    from klientel.web.accounts import services

    services.edit_user(None, anna.user, one.created_at, grants={"personal": "none"})
    assert anna.get(f"/companies/{one.pk}/timeline?kind=interaction").json()["items"][0]["text"] == ""


def test_people_see_their_own_rights_and_administrators_all(program: Any, sellers: Any, holder: Any) -> None:
    """Scopes of a token narrow what it says of itself."""
    boss, anna = program(), sellers["anna"]
    own = anna.get("/me").json()
    assert {a["name"]: a["scope"] for a in own["actions"]}["write"] == "own"
    token = {a["name"]: a["scope"] for a in holder(anna, "read").get("/me").json()["actions"]}
    assert token == {"read": "own", "write": "none", "export": "none", "margin": "none", "personal": "none"}
    assert anna.get("/users").status_code == anna.get(f"/users/{anna.user.pk}/access").status_code == 403
    assert {u["name"] for u in boss.items("/users")} == {"boss", "anna", "ben"}
    assert boss.get(f"/users/{anna.user.pk}/access").json() == own
    assert boss.get("/users/999/access").status_code == 404


def test_the_feed_tells_every_change_once(program: Any, firm: Any) -> None:
    """From a cursor on, in order; what comes later comes with the next cursor."""
    boss = program()
    made = boss.post("/companies", {"name": "A", "city": "Ulm"}).json()
    boss.patch(f"/companies/{made['id']}", {"city": "Bonn"})
    boss.delete(f"/companies/{made['id']}")
    boss.post(f"/companies/{made['id']}/bring-back")
    first = boss.get("/changes?limit=3").json()
    second = boss.get(f"/changes?limit=3&cursor={first['next']}").json()
    told = first["items"] + second["items"]
    assert [c["verb"] for c in told] == ["created", "updated", "deleted", "brought back"]
    assert (first["more"], second["more"]) == (True, False)
    assert told[1]["before"] == {"city": "Ulm"}
    assert told[1]["after"] == {"city": "Bonn"}
    assert {c["by"] for c in told} == {"boss"}
    now = boss.get("/changes?start=now").json()
    assert now["items"] == []
    boss.post("/tasks", {"title": "x"})
    assert [c["kind"] for c in boss.get(f"/changes?cursor={now['next']}").json()["items"]] == ["tasks"]
    assert boss.get(f"/changes?cursor={second['next']}&kind=companies").json()["items"] == []
    assert boss.get("/changes?kind=company").json()["field"] == "company"
    assert boss.get("/changes?cursor=x").status_code == 400


def test_the_feed_is_narrowed_by_rights(program: Any, sellers: Any, firm: Any) -> None:
    """Foreign records are not in it, hidden values and names of hidden fields neither; pages go on all the same."""
    one, two = firm("Mine", "anna", email="me@example.com"), firm("Other", "ben")
    anna, ben = sellers["anna"], sellers["ben"]
    ben.patch(f"/companies/{two.pk}", {"city": "Ulm"})
    told = anna.get("/changes?kind=companies").json()
    assert {c["record"] for c in told["items"]} == {one.pk}
    assert "email" in told["items"][0]["fields"]
    from klientel.web.accounts import services

    services.edit_user(None, anna.user, one.created_at, grants={"personal": "none"})
    told = anna.get("/changes?kind=companies").json()
    assert "email" not in told["items"][0]["fields"]
    assert "me@example.com" not in str(told)
    assert program("new", role=None).get("/changes").json()["items"] == []


def test_one_request_looks_at_so_many_changes(
    program: Any, firm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may see few of many gets empty pages, and goes on."""
    from klientel.web.api import changes

    for n in range(6):
        firm(f"F{n}")
    monkeypatch.setattr(changes, "AT_ONCE", 2)
    boss = program()
    seen, cursor, asked = [], "", 0
    while True:
        told = boss.get(f"/changes?kind=companies{cursor}").json()
        seen += [c["record"] for c in told["items"]]
        asked += 1
        if not told["more"]:
            break
        cursor = f"&cursor={told['next']}"
    assert len(seen) == len(set(seen)) == 6
    assert asked > 3
