"""Truth of marketing and sales, recovered from the written files by independent, simple computations."""

import csv
from collections import Counter, defaultdict
from datetime import date, datetime
from itertools import pairwise
from statistics import median

import pytest

from klientel.demo.firm import simulate
from klientel.demo.layouts import LAYOUTS
from klientel.demo.vocabulary import german
from klientel.demo.write import write

BY_TABLE = {layout.table: layout for layout in LAYOUTS}


@pytest.fixture(scope="module", params=["de", "en"])
def files(request, firm, tmp_path_factory):
    """Rows of a written CSV file as dicts of canonical column -> text; days as dates."""
    lang = request.param
    folder = tmp_path_factory.mktemp("sales")
    write(firm, folder, lang)

    def read(table):
        layout = BY_TABLE[table]
        with (folder / layout.name(lang)).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, delimiter=";" if lang == "de" else ","))
        names = [h.column for h in layout.headers]
        assert rows[0] == [h.spoken(lang) for h in layout.headers]
        return [dict(zip(names, row, strict=True)) for row in rows[1:]]

    def day(text):
        if not text:
            return None
        form = "%d.%m.%Y" if lang == "de" else "%Y-%m-%d"
        return datetime.strptime(text.split(" ")[0], form).date()

    def word(english):
        return german(english) if lang == "de" else english

    return read, day, word


def within(found, expected, n, deviations=5):
    """A share of n trials lies within so many standard errors of its law."""
    return abs(found - expected) <= deviations * (expected * (1 - expected) / n) ** 0.5


def test_the_files_hold_what_was_drawn(firm, files):
    read, _, _ = files
    for layout in LAYOUTS[10:]:
        if layout.title is None:
            assert len(read(layout.table)) == firm.tables()[layout.table].num_rows > 0


def test_win_rates_are_those_that_were_stated(firm, files):
    read, _, word = files
    counted = defaultdict(Counter)
    for deal in read("opportunity"):
        counted[deal["kind"], deal["source_channel"]][deal["stage"]] += 1
    for (kind, source), rate in firm.sales.win_rate.items():
        stages = counted[word(kind), word(source)]
        closed = [stages[word(s)] for s in ("Closed Won", "Closed Lost", "No decision")]
        assert sum(closed) > 40
        assert within(closed[0] / sum(closed), rate, sum(closed)), (kind, source)


def test_median_days_in_stages_are_those_that_were_stated(firm, files):
    """Deals that have closed, and enough of them: leaving out the open ones shortens little here."""
    read, day, word = files
    kinds = {d["opportunity_id"]: d["kind"] for d in read("opportunity")}
    entries = defaultdict(list)
    for row in read("opportunity_stage_hist"):
        entries[row["opportunity_id"]].append((day(row["entered_on"]), row["stage"]))
    days = defaultdict(list)
    for deal, path in entries.items():
        assert [d for d, _ in path] == sorted(d for d, _ in path)
        for (begin, stage), (end, _) in pairwise(path):
            days[kinds[deal], stage].append((end - begin).days)
    for (kind, stage), expected in firm.sales.stage_days.items():
        stays = days[word(kind), word(stage)]
        assert len(stays) > 150
        # A median of n lognormal values strays by 1.25 sigma / sqrt(n) of itself; days are whole.
        assert abs(median(stays) - expected) <= 5 * 1.25 * 0.65 * expected / len(stays) ** 0.5 + 0.5, stage


def test_open_deals_are_censored(firm, files):
    """What closes after the data is open in the files; no file knows a day of the future but what is expected."""
    read, day, word = files
    coming = {r["opportunity_id"] for r in firm.sales.deals.to_pylist() if r["closes_on"] >= firm.as_of}
    closed = {word(s) for s in ("Closed Won", "Closed Lost", "No decision")}
    open_ = set()
    for deal in read("opportunity"):
        assert day(deal["created_on"]) < firm.as_of
        if deal["stage"] not in closed:
            open_.add(deal["opportunity_id"])
            assert day(deal["close_date"]) > firm.as_of
            assert not deal["loss_reason"]
        else:
            assert day(deal["close_date"]) < firm.as_of
    assert open_ == coming
    assert len(open_) > 50
    for table, column in (
        ("opportunity_stage_hist", "entered_on"),
        ("interaction", "ts"),
        ("touchpoint", "ts"),
        ("survey_response", "answered_on"),
        ("lead", "created_on"),
        ("lead", "first_response_at"),
        ("contact", "consent_on"),
        ("contact", "active_to"),
        ("usage_event_daily", "day"),
        ("customer_attribute_hist", "valid_from"),
        ("competitor_observation", "seen_on"),
    ):
        assert max(d for d in (day(r[column]) for r in read(table)) if d) < firm.as_of, table


def test_qualified_shares_and_first_answers(firm, files):
    read, _, word = files
    selling = firm.sales.selling
    counted = defaultdict(Counter)
    hours = defaultdict(list)
    for lead in read("lead"):
        counted[lead["channel"]][lead["status"]] += 1
        if lead["first_response_at"]:
            created, answered = (_moment(lead[c]) for c in ("created_on", "first_response_at"))
            hours[lead["status"] == word("converted")].append((answered - created).total_seconds() / 3600)
    for k, channel in enumerate(("trade fair", "recommendation", "website", "cold call", "partner")):
        found, n = counted[word(channel)], counted[word(channel)].total()
        # The number of leads per deal is drawn, too, hence more room than a share of fixed trials has.
        assert within(found[word("converted")] / n, selling.qualified[k], n, 6), channel
    assert 0.6 * selling.response_hours[0] < median(hours[True]) < 1.3 * selling.response_hours[0]
    assert 0.8 * selling.response_hours[1] < median(hours[False]) < 1.25 * selling.response_hours[1]


def _moment(text):
    form = "%d.%m.%Y %H:%M" if "." in text else "%Y-%m-%d %H:%M"
    return datetime.strptime(text, form)


def test_the_yield_of_campaigns(firm, files):
    read, day, word = files
    won = {d["opportunity_id"] for d in read("opportunity") if d["stage"] == word("Closed Won")}
    account = {
        d["opportunity_id"]: d["customer_name"] for d in read("opportunity") if d["kind"] == word("new")
    }
    of = {}
    leads = Counter()
    for lead in read("lead"):
        leads[lead["campaign_id"]] += 1
        if lead["status"] == word("converted"):
            of[lead["company"], day(lead["converted_on"])] = lead["campaign_id"]
    began = {d["opportunity_id"]: day(d["created_on"]) for d in read("opportunity")}
    found = Counter(of[name, began[deal]] for deal, name in account.items() if deal in won)
    truth = {r["campaign_id"]: r for r in firm.sales.campaigns.to_pylist()}
    for campaign in read("campaign"):
        number = campaign["campaign_id"]
        assert leads[number] == truth[number]["leads"]
        assert found[number] == truth[number]["won"]
    assert found.total() > 100


def test_some_customers_take_more_time_than_they_are_worth(firm, files):
    read, _, _ = files
    minutes = Counter()
    for row in read("interaction"):
        minutes[row["customer_id"]] += int(row["duration_min"])
    laws = {r["customer_id"]: r for r in firm.sales.effort.to_pylist()}
    value = {r["customer_id"]: float(r["revenue"]) for r in firm.truth.customers.to_pylist()}
    per_thousand = defaultdict(list)
    for number, law in laws.items():
        if value[number] > 0 and minutes[number]:
            per_thousand[law["time_taker"]].append(1000 * minutes[number] / value[number])
    assert len(per_thousand[True]) > 20
    assert median(per_thousand[True]) > 3 * median(per_thousand[False])


def test_the_recommendation_score(firm, files):
    read, day, _ = files
    scores = defaultdict(list)
    for row in read("survey_response"):
        scores[row["survey_id"], day(row["answered_on"]).year].append(int(row["score"]))
    found = [
        100 * (sum(s >= 9 for s in v) - sum(s <= 6 for s in v)) / len(v) for _, v in sorted(scores.items())
    ]
    assert found == pytest.approx(firm.sales.nps)
    for answers, asked in zip((len(v) for _, v in sorted(scores.items())), firm.sales.asked, strict=True):
        assert within(answers / asked, firm.sales.selling.answers, asked)


def test_one_timeline_from_lead_to_order(firm):
    """A newcomer has a lead, then a deal that is won, then the first order, in this order of days."""
    tables = firm.tables()
    first = {}
    for number, when in zip(
        tables["order_header"]["customer_id"].to_pylist(),
        tables["order_header"]["order_date"].to_pylist(),
        strict=True,
    ):
        first[number] = min(first.get(number, when), when)
    leads = {r["customer_id"]: r for r in tables["lead"].to_pylist() if r["status"] == "converted"}
    won = [r for r in tables["opportunity"].to_pylist() if r["kind"] == "new" and r["outcome"] == "won"]
    assert len(won) > 200
    for deal in won:
        lead = leads[deal["customer_id"]]
        assert lead["created_on"].date() <= deal["created_on"] == lead["converted_on"]
        assert deal["created_on"] < deal["close_date"] <= first[deal["customer_id"]]


def test_owners_change_hands(firm):
    """The seller of an interaction is the one of that day; after the last change the one of the customer file."""
    changes = {r["customer_id"]: r for r in firm.tables()["customer_attribute_hist"].to_pylist()}
    owner = dict(
        zip(
            firm.customers["customer_id"].to_pylist(), firm.customers["owner_rep_id"].to_pylist(), strict=True
        )
    )
    assert len(changes) > 40
    assert all(c["value"] == owner[k] != c["before"] for k, c in changes.items())
    earlier = 0
    for row in firm.tables()["interaction"].to_pylist():
        change = changes.get(row["customer_id"])
        before = change is not None and row["ts"] < change["valid_from"]
        earlier += before
        assert row["rep_id"] == (change["before"] if before else owner[row["customer_id"]])
    assert earlier > 100


def test_keys_are_unique_and_found(firm):
    tables = firm.tables()
    keys = {
        "contact": "contact_id", "lead": "lead_id", "opportunity": "opportunity_id", "campaign": "campaign_id",
        "interaction": "interaction_id", "survey_response": "response_id", "touchpoint": "touch_id",
    }  # fmt: skip
    known = {
        "customer_id": set(firm.customers["customer_id"].to_pylist()),
        "rep_id": set(firm.reps["rep_id"].to_pylist()),
    }
    for table, key in keys.items():
        values = tables[table][key].to_pylist()
        assert len(set(values)) == len(values), table
        known[key] = set(values)
    known["product_id"] = set(firm.products["product_id"].to_pylist())
    for name in (
        "contact",
        "lead",
        "opportunity",
        "interaction",
        "opportunity_stage_hist",
        "touchpoint",
        "usage_event_daily",
        "survey_response",
        "competitor_observation",
        "customer_attribute_hist",
    ):
        for column in set(tables[name].column_names) & set(known):
            found = set(tables[name][column].to_pylist()) - {None}
            assert found <= known[column], (name, column)
    contact_of = dict(
        zip(*(tables["contact"][c].to_pylist() for c in ("contact_id", "customer_id")), strict=True)
    )
    for row in tables["interaction"].to_pylist():
        assert contact_of[row["contact_id"]] == row["customer_id"]
    assert {Counter(contact_of.values())[k] for k in contact_of.values()} <= set(range(1, 7))


def test_renewals_follow_the_contracts(firm):
    status = dict(zip(*(firm.contracts[c].to_pylist() for c in ("contract_id", "status")), strict=True))
    seen = Counter()
    for deal in firm.tables()["opportunity"].to_pylist():
        if deal["kind"] == "renewal":
            seen[status[deal["name"].partition(": ")[2]], deal["outcome"]] += 1
    # The talks about a term that still runs may have ended already.
    assert {k for k in seen if k[1] == "won"} == {("renewed", "won"), ("running", "won")}
    assert {k for k in seen if k[1] == "open"} <= {
        ("running", "open"),
        ("terminated", "open"),
        ("renewed", "open"),
    }
    assert seen["renewed", "won"] > 100
    assert sum(n for (_, outcome), n in seen.items() if outcome == "lost") > 10


def test_terms_follow_each_other(firm):
    rows = {r["contract_id"]: r for r in firm.contracts.to_pylist()}
    followed = [(rows[r["renewal_of"]], r) for r in rows.values() if r["renewal_of"]]
    assert len(followed) > 100
    for before, after in followed:
        assert before["customer_id"] == after["customer_id"]
        assert before["end"] == after["start"]
        assert float(after["recurring_amount"]) == pytest.approx(
            1.03 * float(before["recurring_amount"]), rel=0.02
        )


@pytest.mark.parametrize(("customers", "years"), [(20, 1), (57, 4), (300, 2)])
def test_small_and_long_firms_have_all_of_it(customers, years, tmp_path):
    made = simulate(5, customers, years)
    empty = {n for n, t in made.tables().items() if t.num_rows == 0}
    assert empty <= {"customer_succession", "competitor_observation", "customer_attribute_hist", "usage_event_daily",
                     "survey_response", "project_contract"}  # fmt: skip
    assert len(write(made, tmp_path, "de")) == len(LAYOUTS)
    assert made.as_of == date(2024, 10, 1)


def test_laws_hold_in_a_large_firm(large):
    """Ten times as many: win rates within a few points of the law."""
    deals = large.tables()["opportunity"].to_pylist()
    for (kind, source), rate in large.sales.win_rate.items():
        mine = [d["outcome"] for d in deals if (d["kind"], d["source_channel"]) == (kind, source)]
        closed = [o for o in mine if o != "open"]
        assert abs(closed.count("won") / len(closed) - rate) < 0.04, (kind, source)
