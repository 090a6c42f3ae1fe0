"""Webhooks: events out of the log, signed posts, retries, rights."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


class Receiver:
    """A server that remembers what was posted to it, and answers as the test wants."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        self.location = ""
        receiver = self

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.end_headers()
                self.wfile.write(b"x" * 200_000)  # more than anybody reads

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    made = Receiver()
    monkeypatch.setenv("KLIENTEL_WEBHOOK_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("KLIENTEL_WEBHOOK_PORTS", str(made.server.server_port))
    yield made
    made.server.shutdown()


def _deliver(at: datetime = NOW) -> int:
    from klientel.web.api.delivering import deliver

    return deliver(at)


def test_a_change_arrives_signed(program: Any, receiver: Receiver) -> None:
    """Names of records and fields, no values; the signature is that of the Standard Webhooks."""
    boss = program()
    hook = boss.post("/webhooks", {"url": receiver.url, "events": ["companies.*", "tasks.created"]})
    assert hook.status_code == 201, hook.content
    key = hook.json()["secret"]
    assert "secret" not in boss.items("/webhooks")[0]
    made = boss.post("/companies", {"name": "Hush GmbH", "city": "Ulm"}).json()
    boss.patch(f"/companies/{made['id']}", {"city": "Bonn"})
    boss.post("/contacts", {"name": "Not wanted"})
    boss.post("/tasks", {"title": "x"})
    assert _deliver() == 3
    assert _deliver() == 0
    told = [json.loads(body) for _, _, body in receiver.got]
    assert sorted(t["type"] for t in told) == ["companies.created", "companies.updated", "tasks.created"]
    changed = next(t for t in told if t["type"] == "companies.updated")
    assert changed["data"]["fields"] == ["city"]
    assert changed["data"]["id"] == made["id"]
    assert "Hush" not in str(receiver.got)
    path, headers, body = receiver.got[0]
    assert path == "/hook"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = hmac.digest(base64.b64decode(key.removeprefix("whsec_")), signed, "sha256")
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(wanted).decode()}"
    assert int(headers["webhook-timestamp"]) == int(NOW.timestamp())
    log = boss.items(f"/webhooks/{hook.json()['id']}/deliveries")
    assert {(e["state"], e["answered"], e["attempts"]) for e in log} == {("delivered", 200, 1)}


def test_a_change_that_was_taken_back_makes_no_event(program: Any, receiver: Receiver) -> None:
    """Events come from the log, which is written in the transaction of the change."""
    from django.db import transaction

    from klientel.web.records import models as m
    from klientel.web.records import services

    boss = program()
    boss.post("/webhooks", {"url": receiver.url, "events": ["*"]})

    def broken() -> None:
        with transaction.atomic():
            services.add(m.Company, {"name": "Never"}, at=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    _deliver()
    assert receiver.got == []


def test_events_are_those_that_the_person_may_see(sellers: Any, firm: Any, receiver: Receiver) -> None:
    """Foreign records are not told of; rights are those of the moment; nobody sees others' subscriptions."""
    from klientel.web.accounts import services

    anna, ben = sellers["anna"], sellers["ben"]
    hook = anna.post(
        "/webhooks", {"url": receiver.url, "events": ["companies.created", "companies.updated"]}
    ).json()
    mine, other = firm("Mine", "anna"), firm("Other", "ben")
    _deliver()
    assert [json.loads(body)["data"]["id"] for _, _, body in receiver.got] == [mine.pk]
    anna.patch(f"/companies/{mine.pk}", {"city": "Ulm"})
    ben.patch(f"/companies/{other.pk}", {"city": "Ulm"})
    services.edit_user(None, anna.user, NOW, grants={"read": "none"})
    _deliver()
    assert len(receiver.got) == 1
    assert ben.get(f"/webhooks/{hook['id']}").status_code == 404
    assert ben.get(f"/webhooks/{hook['id']}/deliveries").status_code == 404
    assert ben.delete(f"/webhooks/{hook['id']}").status_code == 404
    assert ben.items("/webhooks") == []
    services.edit_user(None, ben.user, NOW, grants={"export": "none"})
    assert ben.post("/webhooks", {"url": receiver.url, "events": ["*"]}).status_code == 403
    services.edit_user(None, anna.user, NOW, active=False)
    anna.user.refresh_from_db()
    firm("Later", "anna")
    _deliver()
    assert len(receiver.got) == 1


def test_what_fails_is_tried_again_and_given_up(program: Any, receiver: Receiver) -> None:
    """With growing pauses, for three days; then the log says so, and by hand it goes again."""
    from klientel.web.api.delivering import PAUSES
    from klientel.web.api.models import Delivery

    boss = program()
    hook = boss.post("/webhooks", {"url": receiver.url, "events": ["tasks.*"]}).json()["id"]
    boss.post("/tasks", {"title": "x"})
    receiver.status = 500
    at, tries = NOW, 0
    while Delivery.objects.filter(state="waiting").exists() or not tries:
        _deliver(at)
        tries += 1
        assert len(receiver.got) == tries
        _deliver(at + timedelta(seconds=30))  # too early
        assert len(receiver.got) == tries
        at = max(Delivery.objects.get().next_at, at)
    assert tries == len(PAUSES) + 1
    assert timedelta(days=2) < at - NOW < timedelta(days=4)
    (entry,) = boss.items(f"/webhooks/{hook}/deliveries")
    assert (entry["state"], entry["answered"], entry["next_at"]) == ("given up", 500, None)
    receiver.status = 200
    assert boss.post(f"/webhooks/{hook}/deliveries/{entry['id']}/again").json()["state"] == "waiting"
    assert _deliver(at) == 1


def test_redirects_are_not_followed_and_gone_ends_it(program: Any, receiver: Receiver) -> None:
    """A redirect would lead where nobody looked."""
    boss = program()
    hook = boss.post("/webhooks", {"url": receiver.url, "events": ["tasks.*"]}).json()["id"]
    boss.post("/tasks", {"title": "x"})
    receiver.status, receiver.location = 302, receiver.url
    assert _deliver() == 0
    assert len(receiver.got) == 1
    receiver.status, receiver.location = 410, ""
    _deliver(NOW + timedelta(hours=1))
    held = boss.get(f"/webhooks/{hook}").json()
    assert (held["active"], "gone" in held["why"]) == (False, True)
    boss.post("/tasks", {"title": "y"})
    receiver.status = 200
    assert boss.patch(f"/webhooks/{hook}", {"active": True}).json()["why"] == ""
    boss.post("/tasks", {"title": "z"})
    assert _deliver(NOW + timedelta(hours=2)) == 1  # not what happened in between


def test_a_subscription_that_never_works_ends(program: Any, receiver: Receiver) -> None:
    """After five deliveries in a row that were given up: not after four, and one that arrives begins anew."""
    from klientel.web.api.models import Delivery

    boss = program()
    hook = boss.post("/webhooks", {"url": receiver.url, "events": ["tasks.*"]}).json()["id"]
    day = 0

    def give_up(times: int) -> None:
        nonlocal day
        receiver.status = 404
        for _ in range(times):
            boss.post("/tasks", {"title": "x"})
            before = Delivery.objects.filter(state="given up").count()
            while Delivery.objects.filter(state="given up").count() == before:
                day += 2
                _deliver(NOW + timedelta(days=day))

    def active() -> bool:
        return bool(boss.get(f"/webhooks/{hook}").json()["active"])

    give_up(4)
    assert active()
    receiver.status = 200
    boss.post("/tasks", {"title": "arrives"})
    assert _deliver(NOW + timedelta(days=day)) == 1
    give_up(4)
    assert active()
    give_up(1)
    assert not active()


def test_a_dead_receiver_keeps_nobody_waiting(program: Any, receiver: Receiver) -> None:
    """It is tried once a minute, and the others have their turn, whatever waits for it."""
    from klientel.web.api import delivering
    from klientel.web.api.models import Delivery

    boss = program()
    dead = f"{receiver.url}/dead"
    boss.post("/webhooks", {"url": dead, "events": ["tasks.*"]})
    for n in range(delivering.AT_ONCE + 5):
        boss.post("/tasks", {"title": str(n)})
    tried: list[str] = []

    def post(url: str, *_: Any) -> int:
        tried.append(url)
        return 500 if url == dead else 200

    assert delivering.deliver(NOW, post) == 0
    assert tried == [dead]
    boss.post("/webhooks", {"url": receiver.url, "events": ["companies.*"]})
    boss.post("/companies", {"name": "A"})
    boss.post("/companies", {"name": "B"})
    tried.clear()
    assert delivering.deliver(NOW + timedelta(seconds=59), post) == 2
    assert tried == [receiver.url, receiver.url]
    delivering.deliver(NOW + timedelta(seconds=60), post)
    assert tried[2:] == [dead]
    assert Delivery.objects.filter(state="waiting").count() == delivering.AT_ONCE + 5


def test_what_cannot_be_written_down_keeps_no_other_from_it(
    program: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscription that ends while it is told, and one whose outcome the database does not take."""
    from django.db import OperationalError

    from klientel.web.api import delivering
    from klientel.web.api.models import Delivery, Subscription

    boss = program()
    hooks = [
        boss.post("/webhooks", {"url": f"{receiver.url}/{n}", "events": ["tasks.*"]}).json()["id"]
        for n in range(3)
    ]
    boss.post("/tasks", {"title": "x"})
    write = delivering._note

    def note(one: Any, *told: Any) -> None:
        if one.subscription_id == hooks[0]:
            raise OperationalError("database is locked")
        if one.subscription_id == hooks[1]:
            Subscription.objects.filter(pk=hooks[1]).delete()
        write(one, *told)

    monkeypatch.setattr(delivering, "_note", note)
    _deliver()
    assert dict(Delivery.objects.values_list("subscription", "state")) == {
        hooks[0]: "waiting", hooks[2]: "delivered",
    }  # fmt: skip


def test_what_is_wrong_with_one_subscription_keeps_no_other_from_hearing(
    program: Any, receiver: Receiver
) -> None:
    """Neither when events are gathered nor when they are signed."""
    from klientel.web.api.models import Subscription

    boss = program()
    hooks = [
        boss.post("/webhooks", {"url": f"{receiver.url}/{n}", "events": ["tasks.*"]}).json()["id"]
        for n in range(3)
    ]
    Subscription.objects.filter(pk=hooks[0]).update(events=7)
    Subscription.objects.filter(pk=hooks[1]).update(url="ftp://nowhere")
    boss.post("/tasks", {"title": "x"})
    assert _deliver() == 1
    assert [path for path, _, _ in receiver.got] == ["/hook/2"]


def test_who_may_not_export_any_more_is_told_nothing(
    program: Any, sellers: Any, firm: Any, receiver: Receiver
) -> None:
    """Neither of what happens from then on, nor of what waits for its next attempt; nor later of what was missed."""
    from klientel.web.accounts import services
    from klientel.web.api.models import Delivery

    anna = sellers["anna"]
    anna.post("/webhooks", {"url": receiver.url, "events": ["companies.*", "imports.done"]})
    receiver.status = 500
    one = firm("Waits", "anna")
    _deliver()
    assert len(receiver.got) == 1
    receiver.status = 200
    services.edit_user(None, anna.user, NOW, grants={"export": "none"})
    anna.patch(f"/companies/{one.pk}", {"city": "Ulm"})
    assert _deliver(NOW + timedelta(hours=1)) == 0
    assert len(receiver.got) == 1
    (given_up,) = Delivery.objects.all()
    assert (given_up.state, "may not be told" in given_up.why) == ("given up", True)
    services.edit_user(None, anna.user, NOW, grants={"export": "own"})
    anna.patch(f"/companies/{one.pk}", {"city": "Bonn"})
    assert _deliver(NOW + timedelta(hours=2)) == 1
    assert Delivery.objects.count() == 2


def test_a_record_that_is_not_seen_any_more_is_not_told_at_the_next_attempt(
    sellers: Any, firm: Any, receiver: Receiver
) -> None:
    """The customer went to somebody else while the event waited."""
    from klientel.web.records import models as m
    from klientel.web.records import services

    anna = sellers["anna"]
    anna.post("/webhooks", {"url": receiver.url, "events": ["companies.created"]})
    receiver.status = 500
    gone, kept = firm("Goes", "anna"), firm("Stays", "anna")
    _deliver()
    services.edit(gone, {"owner": m.Rep.objects.get(number="ben")}, at=NOW)
    receiver.status = 200
    receiver.got.clear()
    assert _deliver(NOW + timedelta(hours=1)) == 1
    assert [json.loads(body)["data"]["id"] for _, _, body in receiver.got] == [kept.pk]


def test_a_token_that_only_reads_ends_no_subscription(program: Any, holder: Any, receiver: Receiver) -> None:
    boss = program()
    hook = boss.post("/webhooks", {"url": receiver.url, "events": ["*"]}).json()["id"]
    assert holder(boss, "read").delete(f"/webhooks/{hook}").status_code == 403
    assert boss.get(f"/webhooks/{hook}").status_code == 200
    assert holder(boss, "read", "export").delete(f"/webhooks/{hook}").status_code == 200


def test_the_sender_lets_go_of_old_connections_and_tidies(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that broke would fail for ever; kept answers go even when nobody sends a key."""
    from django.db import connection

    from klientel.web.api import delivering, keeping
    from klientel.web.api.models import Kept

    boss = program()
    boss.post("/tasks", {"title": "x"}, idempotency_key="k")
    over = threading.Event()
    monkeypatch.setattr(over, "wait", lambda _: over.set())
    connection.ensure_connection()
    held = connection.connection
    monkeypatch.setattr(connection, "close_at", time.monotonic() - 1)
    delivering.keep_delivering(lambda: NOW + keeping.FOR - timedelta(hours=1), over)
    assert connection.connection is not held
    assert Kept.objects.count() == 1
    over.clear()
    delivering.keep_delivering(lambda: NOW + keeping.FOR + timedelta(hours=1), over)
    assert Kept.objects.count() == 0


def test_a_ping_tries_an_address(program: Any, receiver: Receiver) -> None:
    """It says nothing, twice if asked twice; no two have one id."""
    from klientel.web.api.models import Delivery

    boss = program()
    hook = boss.post("/webhooks", {"url": receiver.url, "events": ["*"]}).json()["id"]
    assert boss.post(f"/webhooks/{hook}/ping").status_code == 202
    assert boss.post(f"/webhooks/{hook}/ping").status_code == 202
    assert _deliver() == 2
    assert {json.loads(body)["type"] for _, _, body in receiver.got} == {"ping"}
    Delivery.objects.all().delete()  # as when a month has passed
    assert boss.post(f"/webhooks/{hook}/ping").status_code == 202
    assert _deliver() == 1
    assert (
        len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 3
    )  # receivers drop what they know


def test_an_import_is_one_event(program: Any, receiver: Receiver, tmp_path: Any, served: Any) -> None:
    """Whatever it made; and its undo another."""
    from klientel.web.imports import importing, undoing

    boss = program()
    boss.post("/webhooks", {"url": receiver.url, "events": ["*"]})
    (tmp_path / "o.csv").write_text("order_id,customer,date,amount\nO1,A,2026-01-01,5\nO2,B,2026-01-02,6\n")
    importing.run(served, [tmp_path / "o.csv"], progress=lambda *_: None, now=NOW)
    undoing.undo(served, 1, progress=lambda *_: None, now=NOW)
    _deliver()
    told = sorted(json.loads(body)["type"] for _, _, body in receiver.got)
    assert told == ["imports.done", "imports.undone"]


def test_unknown_events_are_named(program: Any, receiver: Receiver) -> None:
    boss = program()
    asked = boss.post("/webhooks", {"url": receiver.url, "events": ["company.created"]})
    assert (asked.status_code, "company.created" in asked.json()["detail"]) == (400, True)
    assert "companies.created" in boss.get("/webhooks").json()["events"]
    for _ in range(20):
        assert boss.post("/webhooks", {"url": receiver.url, "events": ["*"]}).status_code == 201
    assert boss.post("/webhooks", {"url": receiver.url, "events": ["*"]}).status_code == 400
