"""Records over the API: made, read, changed, deleted, brought back; lists with filters, sorting and cursors."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest


def test_a_record_goes_its_way(program: Any) -> None:
    """Made, read, changed, an outdated change refused, deleted, brought back, and the act taken back."""
    boss = program()
    made = boss.post("/companies", {"name": "Müller GmbH", "city": "Ulm", "annual_revenue": "1200.50"})
    assert made.status_code == 201, made.content
    one = made.json()
    assert made["Location"] == f"/api/v1/companies/{one['id']}"
    assert one["annual_revenue"] == "1200.5000"
    assert one["version"] > 0
    read = boss.get(f"/companies/{one['id']}").json()
    assert read == {name: value for name, value in one.items() if name != "act"}
    changed = boss.patch(f"/companies/{one['id']}", {"city": "Köln", "version": one["version"]})
    assert changed.status_code == 200
    assert changed.json()["city"] == "Köln"
    late = boss.patch(f"/companies/{one['id']}", {"city": "Bonn", "version": one["version"]})
    assert (late.status_code, late.json()["type"]) == (409, "urn:klientel:problem:outdated")
    gone = boss.delete(f"/companies/{one['id']}")
    assert gone.status_code == 200
    assert boss.get(f"/companies/{one['id']}").status_code == 404
    assert [r["name"] for r in boss.items("/companies?deleted=true")] == ["Müller GmbH"]
    back = boss.post(f"/companies/{one['id']}/bring-back")
    assert (back.status_code, back.json()["city"]) == (200, "Köln")


@pytest.mark.parametrize(
    ("body", "field", "part"),
    [
        ({}, "name", "needed"),
        ({"name": "X", "employes": 3}, "employes", "no employes"),
        ({"name": "X", "employees": "many"}, "employees", "whole number"),
        ({"name": "X", "acquired_on": "01.02.2024"}, "acquired_on", "2024-03-01"),
        ({"name": "X", "relation_type": "friend"}, "relation_type", "customer"),
        ({"name": "X", "employees": -1}, None, "negative"),
        ({"name": "X", "owner_id": 12345}, None, "no such"),
        ({"name": "X\ud800"}, None, "JSON"),
        ({"name": "X" * 501}, "name", "too long"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(program: Any, body: Any, field: str | None, part: str) -> None:
    """Problem JSON with the field, where it is known, and words that help."""
    found = program().post("/companies", body)
    assert found.status_code == 400
    assert found["Content-Type"] == "application/problem+json"
    told = found.json()
    assert set(told) - {"field"} == {"type", "title", "detail", "status"}
    assert told.get("field") == field
    assert part in told["detail"]


def test_problems_speak_the_language_that_was_asked_for(program: Any) -> None:
    """Accept-Language first, else the person's own."""
    boss = program("berta", language="de")
    assert boss.get("/companies/1").json()["title"] == "Nicht gefunden"
    assert boss.get("/companies/1", accept_language="en").json()["title"] == "Not found"
    assert boss.get("/companies/1")["Content-Language"] == "de"


@pytest.mark.parametrize(
    ("asked", "told"),
    [("fr, en;q=0.5", "en"), ("de-AT,de;q=0.9", "de"), ("en;q=0.1, de;q=0.9", "de"), ("en;q=0", "de"),
     ("fr", "de"), ("*", "de"), ("", "de"), ("en;q=x,,;", "de")],
)  # fmt: skip
def test_the_first_language_that_there_is_counts(asked: str, told: str) -> None:
    """Not the first that was asked for; the person's own (here German) where none of them is there."""
    from klientel.web.api.entrance import language

    assert language(asked, "de") == told


class _Stopped(Exception):
    """What PostgreSQL's driver raises."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("x")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("text", "cause", "status"),
    [
        ("database is locked", None, 409),
        ("database table is locked", None, 409),
        ("canceling statement due to lock timeout", _Stopped("55P03"), 409),
        ("deadlock detected", _Stopped("40P01"), 409),
        ("disk I/O error", None, 500),
        ("server closed the connection", _Stopped("57P01"), 500),
    ],
)
def test_who_waited_too_long_for_another_writer_is_told_when_to_come_again(
    program: Any, text: str, cause: Exception | None, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409 with Retry-After; other faults of the database stay faults."""
    from django.db import OperationalError

    from klientel.web.records import services

    def locked(*_: Any, **__: Any) -> None:
        raise OperationalError(text) from cause

    boss = program()
    monkeypatch.setattr(services, "add", locked)
    for headers in ({}, {"idempotency_key": "k"}):
        asked = boss.post("/companies", {"name": "A"}, **headers)
        assert (asked.status_code, asked.get("Retry-After")) == (status, "10" if status == 409 else None)


def test_strangers_get_a_problem_and_no_page(program: Any) -> None:
    """401 as JSON, for records as for addresses that need a person."""
    found = program(None).get("/companies")
    assert found.status_code == 401
    assert found["WWW-Authenticate"].startswith("Bearer")
    assert found.json()["status"] == 401
    wrong = program().get("/companies", authorization="Bearer nonsense")
    assert wrong.status_code == 401


def test_changes_of_a_session_need_the_csrf_token(program: Any) -> None:
    """Another site cannot write with the cookie of a person."""
    from django.test import Client

    boss = program()
    strict = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    strict.cookies = boss.client.cookies
    refused = strict.post("/api/v1/companies", {"name": "X"}, content_type="application/json")
    assert (refused.status_code, refused.json()["title"]) == (403, "Not allowed")
    assert strict.get("/api/v1/companies").status_code == 200


def test_what_is_not_there_is_json_too(program: Any) -> None:
    """Unknown addresses and methods."""
    boss = program()
    assert boss.get("/nothing").json()["status"] == 404
    put = boss.ask("PUT", "/companies", {})
    assert (put.status_code, put.json()["status"]) == (405, 405)
    assert "GET" in put["Allow"]


@pytest.fixture
def five(program: Any, firm: Any) -> Any:
    """Five firms, two without revenue, two of the same."""
    for name, revenue, city in (
        ("Alba", 300, "Ulm"), ("Bora", None, "Ulm"), ("Cora", 100, "Köln"), ("Dora", 300, ""), ("Elba", None, "Bonn"),
    ):  # fmt: skip
        firm(name, annual_revenue=revenue, city=city, employees=len(city))
    return program()


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("city=Ulm", "Alba Bora"),
        ("city__contains=l", "Alba Bora Cora"),
        ("annual_revenue__gte=200", "Alba Dora"),
        ("annual_revenue__lt=300", "Cora"),
        ("annual_revenue=300.00&city__empty=true", "Dora"),
        ("annual_revenue__empty=true", "Bora Elba"),
        ("annual_revenue__empty=false&sort=-name", "Dora Cora Alba"),
        ("search=ulm alb", "Alba"),
        ("search=KOELN", "Cora"),
        ("city__contains=KÖL", "Cora"),
        ("created_at__gte=2026-06-15T12:00:00Z&sort=name", "Alba Bora Cora Dora Elba"),
        ("created_at__lt=2026-06-15T12:00:00Z", ""),
        ("created_at__gte=2026-06-16T10:00:00%2B22:00", "Alba Bora Cora Dora Elba"),
        ("sort=-id&limit=2", "Elba Dora"),
        ("sort=annual_revenue", "Cora Alba Dora Bora Elba"),
        ("sort=-annual_revenue", "Alba Dora Cora Bora Elba"),
    ],
)
def test_lists_are_filtered_and_sorted(five: Any, query: str, wanted: str) -> None:
    """Empty values come last, whichever way."""
    assert [r["name"] for r in five.items(f"/companies?{query}")] == wanted.split()


@pytest.mark.parametrize(
    "sort", ["id", "-id", "name", "-annual_revenue", "annual_revenue", "city", "-updated_at"]
)
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_hold_everything_once(five: Any, sort: str, limit: int) -> None:
    """Page by page gives the same as all at once, ties and empty values among it; new rows disturb nothing."""
    whole = [r["id"] for r in five.items(f"/companies?sort={sort}")]
    seen: list[int] = []
    cursor = ""
    while True:
        found = five.get(f"/companies?sort={sort}&limit={limit}&count=true{cursor}").json()
        seen += [r["id"] for r in found["items"]]
        assert found["total"] == 5
        if found["next"] is None:
            break
        cursor = f"&cursor={found['next']}"
    assert seen == whole


def test_cursors_belong_to_their_list_and_person(five: Any, program: Any) -> None:
    """Made up, of another filter, of another person: refused with a sentence."""
    cursor = five.get("/companies?limit=2").json()["next"]
    other = program("other")
    for asked in (
        five.get(f"/companies?limit=2&city=Ulm&cursor={cursor}"),
        five.get(f"/contacts?cursor={cursor}"),
        five.get(f"/companies?cursor={cursor}x"),
        other.get(f"/companies?limit=2&cursor={cursor}"),
    ):
        assert asked.status_code == 400
        assert asked.json()["field"] == "cursor"
    assert len(five.items(f"/companies?limit=500&cursor={cursor}")) == 3


def test_columns_can_be_chosen(five: Any) -> None:
    """`fields=` names them; what there is not is said with what was meant."""
    assert five.items("/companies?fields=name&limit=1")[0].keys() == {"id", "name"}
    wrong = five.get("/companies?fields=citty")
    assert (wrong.status_code, "did you mean city" in wrong.json()["detail"]) == (400, True)
    assert five.get("/companies?citty=Ulm").json()["field"] == "citty"
    assert five.get("/companies?limit=501").status_code == 400
    assert (
        five.get("/companies?created_at__lt=0001-01-01T00:00:00%2B20:00").json()["field"] == "created_at__lt"
    )
    assert five.get("/companies?sort=secret").status_code == 400


def test_the_same_key_does_it_once(program: Any) -> None:
    """The same answer again; another body under the key is refused; keys are a person's own."""
    from klientel.web.records.models import Company

    boss, other = program(), program("other")
    first = boss.post("/companies", {"name": "Once"}, idempotency_key="k1")
    again = boss.post("/companies", {"name": "Once"}, idempotency_key="k1")
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again["Location"] == first["Location"]
    assert again["Idempotency-Replayed"] == "true"
    assert Company.objects.count() == 1
    reused = boss.post("/companies", {"name": "Twice"}, idempotency_key="k1")
    assert (reused.status_code, reused.json()["type"]) == (422, "urn:klientel:problem:key-reused")
    assert boss.post("/contacts", {"name": "Once"}, idempotency_key="k1").status_code == 422
    assert other.post("/companies", {"name": "Twice"}, idempotency_key="k1").status_code == 201
    assert boss.post("/companies", {"name": "x"}, idempotency_key="with space").status_code == 400


def test_a_refusal_is_not_kept(program: Any) -> None:
    """What was refused under a key can be done under it."""
    boss = program()
    assert boss.post("/contracts", {"company_id": 99}, idempotency_key="k").status_code == 400
    firm = boss.post("/companies", {"name": "Now"}).json()["id"]
    assert boss.post("/contracts", {"company_id": firm}, idempotency_key="k").status_code == 201


def test_a_key_is_forgotten_after_a_day(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it means something new."""
    from datetime import timedelta

    from klientel.web.pages import shell

    boss = program()
    now = shell.now()
    first = boss.post("/companies", {"name": "Once"}, idempotency_key="k").json()["id"]
    monkeypatch.setattr(shell, "now", lambda: now + timedelta(hours=25))
    assert boss.post("/companies", {"name": "Once"}, idempotency_key="k").json()["id"] != first


def test_a_token_may_ask_so_often(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left stands on every answer; then 429 says when to come again."""
    from klientel.web.api import limits

    boss = program()
    monkeypatch.setattr(limits, "buckets", limits.Buckets(3))
    answers = [boss.get("/companies") for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a["RateLimit-Remaining"] for a in answers] == ["2", "1", "0", "0"]
    assert int(answers[3]["Retry-After"]) >= 1
    assert answers[3].json()["title"] == "Too many requests"


def test_a_bucket_fills_again() -> None:
    """Evenly, and never above its size."""
    from klientel.web.api.limits import Buckets

    buckets = Buckets(60)
    assert [buckets.take("a", 0.0).remaining for _ in range(2)] == [59, 58]
    assert buckets.take("a", 1.0).remaining == 58
    assert buckets.take("b", 1.0).remaining == 59
    assert buckets.take("a", 1000.0).remaining == 59


@pytest.mark.parametrize("told", ["0", "-1", "many", "1.5", "²"])
def test_a_rate_that_is_none_is_refused_at_the_start(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sentence; it would lock everybody out, or break at the first request."""
    from klientel.errors import BadParameter
    from klientel.web.api import limits

    monkeypatch.setenv("KLIENTEL_API_RATE", told)
    with pytest.raises(BadParameter, match="KLIENTEL_API_RATE"):
        limits.rate()
    monkeypatch.setenv("KLIENTEL_API_RATE", "90")
    assert limits.rate() == 90


def test_every_kind_can_be_listed_made_and_read(program: Any) -> None:
    """With the least that each needs."""
    from klientel.web.api.kinds import KINDS

    boss = program()
    firm = boss.post("/companies", {"name": "Firm"}).json()["id"]
    least: dict[str, dict[str, Any]] = {
        "contracts": {"company_id": firm},
        "interactions": {"company_id": firm, "type": "call"},
        "tasks": {"title": "Call"},
        "notes": {"text": "x", "purpose": "y", "expires_on": "2027-01-01"},
        "competitors": {"competitor": "Rival", "company_id": firm},
        "answers": {"score": 9, "question": "How likely?"},
    }
    for kind in KINDS:
        made = boss.post(f"/{kind}", least.get(kind, {"name": "New"}))
        assert made.status_code == 201, (kind, made.content)
        key = made.json()["id"]
        assert boss.get(f"/{kind}/{key}").json()["id"] == key
        assert key in [r["id"] for r in boss.items(f"/{kind}")]
        assert boss.items(f"/{kind}?search=nothinglikeit") == []
    assert Decimal(boss.items("/answers")[0]["score"]) == 9


def test_lists_ask_the_database_a_bounded_number_of_times(program: Any, sellers: Any, firm: Any) -> None:
    """Whatever the page holds, and for a person with narrow rights, too."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from klientel.web.records import models as m
    from klientel.web.records import services

    for n in range(12):
        one = firm(f"F{n}", "anna")
        services.add(m.Contact, {"company": one, "name": f"P{n}"}, at=m.timezone.now())
    for who in (program(), sellers["anna"]):
        counts = []
        for limit in (2, 12):
            with CaptureQueriesContext(
                connection,
            ) as asked:
                assert len(who.items(f"/contacts?limit={limit}&sort=name&search=P&count=true")) == limit
            counts.append(len(asked))
        assert counts[0] == counts[1] <= 20, counts


def test_analyses_say_what_they_lack(program: Any) -> None:
    """On an empty workspace everything is locked; the answer is a sentence, not a fault."""
    from klientel.analyses import ANALYSES

    boss = program()
    found = boss.get("/analyses").json()["items"]
    assert [a["name"] for a in found if a["missing"]] == list(ANALYSES)
    asked = boss.get("/analyses/abc")
    assert (asked.status_code, "empty" in asked.json()["detail"]) == (400, True)
    boss.post("/companies", {"name": "A"})
    locked = {a["name"]: a for a in boss.get("/analyses").json()["items"]}["abc"]
    assert locked["missing_columns"] == ["order_line.net_amount"]
    assert boss.get("/analyses/abc").json()["type"] == "urn:klientel:problem:missing-input"


def test_erasing_a_person_forgets_kept_answers(program: Any, served: Any) -> None:
    """An answer under a key holds what was erased; the key is free again."""
    from klientel.web.api.models import Kept
    from klientel.web.privacy import erasing
    from klientel.web.records.models import Contact

    boss = program()
    firm = boss.post("/companies", {"name": "F"}).json()["id"]
    body = {"name": "Quandt", "first_name": "Eulalia", "company_id": firm}
    boss.post("/contacts", body, idempotency_key="k")
    assert "Quandt" in Kept.objects.get().body
    erasing.erase(served, [Contact.objects.get()], Contact.objects.get().created_at)
    assert Kept.objects.count() == 0
    assert "Quandt" not in boss.get("/contacts").content.decode()
    assert "Quandt" not in boss.get("/changes").content.decode()


def test_the_same_key_at_the_same_time_does_it_once(program: Any) -> None:
    """Four at once, as a program does that lost its patience: one record, one answer."""
    import threading

    from django.db import connection

    from klientel.web.records.models import Company

    boss = program()
    answers: list[Any] = []
    ready = threading.Barrier(4)

    def ask() -> None:
        ready.wait(10)
        try:
            answers.append(program().post("/companies", {"name": "Once"}, idempotency_key="k"))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert [a.status_code for a in answers] == [201] * 4
    assert len({a.content for a in answers}) == 1
    assert Company.objects.filter(name="Once").count() == 1
    assert boss.user is not None


def test_a_session_without_the_second_factor_gets_nothing(program: Any, holder: Any) -> None:
    """Where the workspace wants one; tokens were made by whoever had it."""
    from klientel.web.accounts import rules
    from klientel.web.pages import shell

    boss = program()
    token = holder(boss, "read")
    rules.need_second_factor(boss.user, True, shell.now())
    refused = boss.get("/companies")
    assert (refused.status_code, "second factor" in refused.json()["detail"]) == (403, True)
    assert token.get("/companies").status_code == 200
    session = boss.client.session
    session["strong"] = True
    session.save()
    assert boss.get("/companies").status_code == 200


def test_own_fields_are_filtered_and_hidden_like_others(program: Any, sellers: Any, firm: Any) -> None:
    """A personal one is neither told nor found by whom may not see it."""
    from klientel.web.accounts import services as accounts
    from klientel.web.records import custom
    from klientel.web.records import models as m

    one = firm("A", "anna")
    custom.define(m.Company, "fleet", "Fleet", "integer", at=one.created_at)
    custom.define(m.Company, "hobby", "Hobby", "text", personal=True, at=one.created_at)
    anna = sellers["anna"]
    assert anna.patch(f"/companies/{one.pk}", {"custom": {"fleet": 5, "hobby": "chess"}}).status_code == 200
    for personal in (True, False):
        if not personal:
            accounts.edit_user(None, anna.user, one.created_at, grants={"personal": "none"})
        assert anna.get(f"/companies/{one.pk}").json()["custom"] == {"fleet": 5} | (
            {"hobby": "chess"} if personal else {}
        )
        assert [r["id"] for r in anna.items("/companies?custom=fleet:5")] == [one.pk]
        assert [r["id"] for r in anna.items("/companies?custom=hobby:chess")] == (
            [one.pk] if personal else []
        )
    assert anna.get("/companies?custom=flet:5").status_code == 400
    assert anna.patch(f"/companies/{one.pk}", {"custom": {"flet": 5}}).status_code == 400
