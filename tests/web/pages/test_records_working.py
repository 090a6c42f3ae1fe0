"""Working with records: leads to customers, tasks, duplicates, portfolios."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from made_for_pages import make, undo

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_lead_becomes_a_customer_and_back(sign_in: Any, served: Any, today: date) -> None:
    """Logged, qualified, converted into the company that is there already; undone at one stroke."""
    from klientel.web.records import models as m

    there = make("Company", name="Nordwind Solar GmbH", email="info@nordwind-solar.de")
    lead = make(
        "Lead",
        company_name="Nordwind Solar",
        name="Ada",
        email="ada@nordwind-solar.de",
        created_on=date(2026, 1, 2),
    )
    client = sign_in()
    form = client.get(f"/interactions/add?lead={lead.pk}&type=visit").content.decode()
    assert f'name="ts" value="{today}"' in form
    assert '<p class="sub">Lead: <strong>Nordwind Solar</strong></p>' in form
    assert re.search(r'name="lead_id.text" value="Nordwind Solar"', form.split("<summary>More fields")[0])
    assert re.search(r'<option value="visit" selected>', form)
    client.post(
        "/interactions/add",
        {"lead_id": str(lead.pk), "type": "visit", "ts": "2026-06-01", "duration_min": "45", "outcome": "good",
         "back": f"/leads/{lead.pk}"},
    )  # fmt: skip
    visit = m.Interaction.objects.get()
    assert (visit.lead, visit.duration_min) == (lead, Decimal(45))
    client.post(f"/leads/{lead.pk}/qualify", {"status": "qualified"})
    page = client.get(f"/leads/{lead.pk}").content.decode()
    assert "Visit: good" in page
    assert "qualified" in page
    look = client.get(f"/leads/{lead.pk}/convert").content.decode()
    assert f'value="{there.pk}"' in look
    offered = re.search(r'<datalist id="deal-stages">(.*?)</datalist>', look)
    assert offered
    assert re.findall(r'value="([^"]*)"', offered[1]) == ["New", "Qualified", "Offer", "Negotiation"]
    sent = {"company": str(there.pk), "deal": "yes", "amount": "1,200", "stage": "Offer", "deal_name": "Roof"}
    answer = client.post(f"/leads/{lead.pk}/convert", sent)
    assert answer.headers["Location"] == f"/companies/{there.pk}"
    visit.refresh_from_db()
    deal = m.Opportunity.objects.get()
    assert (visit.company, deal.company, deal.amount, deal.name) == (there, there, Decimal(1200), "Roof")
    assert m.Contact.objects.get().email == "ada@nordwind-solar.de"
    told = client.get(f"/leads/{lead.pk}")
    assert client.post(f"/leads/{lead.pk}/convert", sent).status_code == 422
    undo(client, told)
    lead.refresh_from_db()
    visit.refresh_from_db()
    assert (lead.converted_on, visit.company) == (None, None)
    assert not m.Opportunity.present.exists()


def test_a_visit_to_a_company_is_logged(sign_in: Any, served: Any, today: date) -> None:
    """The form knows the company; days to come are refused at their field."""
    from klientel.web.records import models as m

    firm = make("Company", name="Firm")
    client = sign_in()
    form = client.get(f"/interactions/add?company={firm.pk}&back=/customers/{firm.pk}").content.decode()
    assert 'value="Firm"' in form
    sent = {"company_id": str(firm.pk), "company_id.text": "Firm", "type": "visit", "ts": "2027-01-01"}
    late = client.post("/interactions/add", sent)
    assert late.status_code == 422
    assert "still to come" in late.content.decode()
    done = client.post("/interactions/add", {**sent, "ts": "2026-06-14", "back": f"/customers/{firm.pk}"})
    assert done.headers["Location"] == f"/customers/{firm.pk}"
    assert m.Interaction.objects.get().company == firm


def test_my_tasks_are_ticked_off_and_back(sign_in: Any, served: Any, today: date) -> None:
    """Overdue, today, later; of others only if asked for."""
    from klientel.web.records import changes

    mine, theirs = make("Rep", name="Anna"), make("Rep", name="Ben")
    client = sign_in("anna")
    changes.update(mine, {"user": client.user}, at=AT)
    late = make("Task", title="Late one", due_on=date(2026, 6, 1), rep=mine)
    make("Task", title="Todays", due_on=today, rep=mine)
    make("Task", title="Next week", due_on=date(2026, 6, 22), rep=mine)
    make("Task", title="Somebody elses", due_on=today, rep=theirs)
    text = client.get("/tasks/mine").content.decode()
    assert text.index("Late one") < text.index("Todays") < text.index("Next week")
    assert "Somebody elses" not in text
    assert "Somebody elses" in client.get("/tasks/mine?of=all").content.decode()
    answer = client.post(f"/tasks/{late.pk}/tick", {"done": "yes"}, follow=True)
    client.post(f"/tasks/{late.pk}/tick", {"done": "yes"})  # a double click
    late.refresh_from_db()
    assert late.done_on == today
    assert f'action="/tasks/{late.pk}/tick"' in text
    assert (
        'name="done" value="no" aria-label="Open again: Late one"'
        in client.get("/tasks/mine").content.decode()
    )
    undo(client, answer)
    late.refresh_from_db()
    assert late.done_on is None
    client.post(f"/tasks/{late.pk}/tick", {"done": "yes"})
    client.post(f"/tasks/{late.pk}/tick", {"done": "no"})
    late.refresh_from_db()
    assert late.done_on is None


def test_a_duplicate_is_merged_and_un_merged(sign_in: Any, served: Any) -> None:
    """Pairs with reasons; chosen values win; what hangs on it moves; taken back from the list of merged ones."""
    from klientel.web.records import models as m

    one = make(
        "Company", name="Müller Pumpen GmbH", city="Ulm", postcode="89073", street="Weg 1", phone="0731 12345"
    )
    two = make(
        "Company",
        name="Mueller Pumpen GmbH",
        city="Neu-Ulm",
        postcode="89073",
        street="Weg 1",
        phone="0731 12345",
    )
    task = make("Task", title="Call", company=two)
    client = sign_in()
    text = client.get("/duplicates").content.decode()
    assert f"/duplicates/companies/{one.pk}-{two.pk}" in text
    where = f"/duplicates/companies/{one.pk}-{two.pk}"
    look = client.get(f"{where}?keep={one.pk}&choose.city={two.pk}").content.decode()
    assert re.search(rf'name="choose.city" value="{two.pk}" checked', look)
    assert "Task: 1" in look
    sent = client.post(where, {"csrfmiddlewaretoken": "x", "keep": str(one.pk), "choose.city": str(two.pk)})
    assert (
        sent.headers["Location"] == f"{where}?keep={one.pk}&choose.city={two.pk}"
    )  # and no token in an address
    assert re.search(rf'method="post" action="{where}"', look)
    client.post(f"{where}/merge", {"keep": str(one.pk), "choose.city": str(two.pk)})
    one.refresh_from_db()
    task.refresh_from_db()
    assert (one.city, task.company) == ("Neu-Ulm", one)
    assert not m.Company.present.filter(pk=two.pk).exists()
    assert "Mueller Pumpen GmbH" in client.get("/duplicates?show=merged").content.decode()
    client.post(f"/duplicates/companies/{two.pk}/unmerge")
    one.refresh_from_db()
    task.refresh_from_db()
    assert (one.city, task.company) == ("Ulm", two)
    assert where in client.get("/duplicates").content.decode()
    client.post(f"{where}/dismiss")
    assert where not in client.get("/duplicates").content.decode()
    client.post(f"{where}/dismiss", {"again": "yes"})
    assert where in client.get("/duplicates").content.decode()


def test_pairs_of_contacts_are_personal(sign_in: Any, served: Any) -> None:
    """Whoever may not see personal data sees no pair of contacts, by list or address."""
    firm = make("Company", name="Firm")
    a, b = (
        make("Contact", name="Zebrowski", first_name="Ada", email="ada@x.de", company=firm) for _ in range(2)
    )
    reader, boss = sign_in("rita", role="reader"), sign_in()
    assert "Zebrowski" in boss.get("/duplicates?kind=contacts").content.decode()
    assert "Zebrowski" not in reader.get("/duplicates?kind=contacts").content.decode()
    assert reader.get(f"/duplicates/contacts/{a.pk}-{b.pk}").status_code == 404
    assert boss.get(f"/duplicates/contacts/{a.pk}-{b.pk}").status_code == 200
    assert boss.get(f"/duplicates/contacts/{a.pk}-{a.pk}").status_code == 404
    assert boss.get(f"/duplicates/deals/{a.pk}-{b.pk}").status_code == 404
    assert reader.post(f"/duplicates/contacts/{a.pk}-{b.pk}/merge").status_code == 404


def test_portfolios_have_members_by_rule_and_by_hand(sign_in: Any, served: Any, today: date) -> None:
    """Made, given a rule, somebody kept out by hand; who joined and left between two days, and why."""
    from klientel.web.records import models as m

    rep = make("Rep", number="R1", name="Anna")
    for name, region in (("South firm", "South"), ("North firm", "North"), ("Other south", "South")):
        firm = make("Company", name=name, region=region)
        make("Contract", company=firm, type="Service", start=date(2026, 2, 1), recurring_amount=Decimal(100),
             period_months=1)  # fmt: skip
    client = sign_in()
    assert client.get("/portfolios").status_code == 200
    assert client.post("/portfolios/add", {"name": " ", "owner": rep.pk}).status_code == 422
    client.post("/portfolios/add", {"name": "The south", "owner": rep.pk})
    folio = m.Portfolio.objects.get()
    where = f"/portfolios/{folio.pk}"
    editor = client.get(f"{where}?part=rule&attribute=region").content.decode()
    assert re.findall(r'name="rule.region" value="(\w+)"', editor) == ["North", "South"]
    client.post(f"{where}/rule", {"rule.region": ["South"]})
    other = m.Company.objects.get(name="Other south")
    client.post(
        f"{where}/members",
        {"company_id.text": "Other south", "since": "2026-05-01", "excluded": "yes", "reason": "rival"},
    )
    assert "Other south is written down" in client.get(f"{where}?part=hand").content.decode()
    members = client.get(f"{where}?as_of=2026-06-15").content.decode()
    assert "South firm" in members
    assert "Other south" not in members
    assert "North firm" not in members
    assert "Other south" in client.get(f"{where}?as_of=2026-04-01").content.decode()
    moves = client.get(f"{where}?part=moves&before=2026-04-01&after=2026-06-15").content.decode()
    assert "0 joined, 1 left" in moves
    assert "by hand: rival" in moves
    assert client.get(f"{where}?part=moves&before=2026-06-15&after=2026-04-01").status_code == 200
    hand = m.Membership.objects.get(company=other)
    client.post(f"{where}/members/{hand.pk}/end", {"on": "2026-06-10", "reason": "no longer"})
    assert "Other south" in client.get(f"{where}?as_of=2026-06-15").content.decode()
    assert "The south" in client.get("/portfolios").content.decode()
    sales = sign_in("ben", role="sales")
    assert sales.get(where).status_code == 404
    assert sales.post(f"{where}/rule", {"rule.region": ["North"]}).status_code == 404


def test_side_by_side_names_no_hidden_parent(sign_in: Any, served: Any) -> None:
    """What two companies refer to is told as far as the person sees it."""
    from klientel.web.records import duplicates

    rep = make("Rep", number="R1", name="Rau")
    anna = sign_in("anna", role="sales", rep="R1")
    hidden, seen = make("Company", name="Secret Holding"), make("Company", name="Known Holding", owner=rep)
    pair = [make("Company", name="A", owner=rep, parent=one) for one in (hidden, seen)]

    def parents(actor: Any) -> tuple[Any, ...]:
        return next(x.values for x in duplicates.side_by_side(pair, actor=actor) if x.column == "parent_id")

    assert parents(anna.user) == ("Company", "Known Holding")  # it has no number to be called by
    assert parents(None) == ("Secret Holding", "Known Holding")
    text = anna.get(f"/duplicates/companies/{pair[0].pk}-{pair[1].pk}").content.decode()
    assert "Known Holding" in text
    assert "Secret" not in text


def test_a_deal_of_a_lead_begins_where_the_deals_of_the_firm_begin(sign_in: Any, served: Any) -> None:
    """The board's own stages are offered; whoever writes none gets the first of them."""
    from klientel.web.records import deals, services
    from klientel.web.records import models as m

    on = {"created_on": date(2026, 1, 1)}
    deal = services.add(m.Opportunity, {"name": "One", "stage": "Erstgespräch", **on}, at=AT)
    services.add(m.Opportunity, {"name": "Two", "stage": "Erstgespräch", **on}, at=AT)
    deals.move(deal, "Angebot", at=datetime(2026, 1, 5, tzinfo=UTC))
    lead = make("Lead", company_name="Westwerk", created_on=date(2026, 1, 2))
    client = sign_in()
    form = client.get(f"/leads/{lead.pk}/convert").content.decode()
    assert re.findall(r'<option value="([^"]*)">', form) == ["Erstgespräch", "Angebot"]
    client.post(f"/leads/{lead.pk}/convert", {"company": "new", "deal": "yes", "stage": ""})
    assert m.Opportunity.objects.get(company__name="Westwerk").stage == "Erstgespräch"


def test_a_portfolio_is_renamed_and_called_as_before(sign_in: Any, served: Any) -> None:
    from klientel.web import portfolios
    from klientel.web.records import models as m

    rep = make("Rep", number="R1", name="Anna")
    folio = portfolios.create(None, "The south", rep, None, AT)
    portfolios.create(None, "The north", rep, None, AT)
    client = sign_in()
    where = f"/portfolios/{folio.pk}"
    assert f'action="{where}/name"' in client.get(where).content.decode()
    for name, said in (("The north", "already"), ("  ", "needs a name")):
        assert said in client.post(f"{where}/name", {"name": name}, follow=True).content.decode()
    told = client.post(f"{where}/name", {"name": " The   far south "}, follow=True)
    assert "is called “The far south” now" in told.content.decode()
    assert m.Change.objects.filter(model="Portfolio", object_id=folio.pk, actor__isnull=False).count() == 1
    undo(client, told)
    folio.refresh_from_db()
    assert folio.name == "The south"
    assert client.post(f"{where}/name", {"name": "The south"}, follow=True).status_code == 200
    sales = sign_in("ben", role="sales")
    assert sales.post(f"{where}/name", {"name": "Mine"}).status_code == 404
    seller = sign_in("anna", role="reader", rep="R1")
    assert "/name" not in seller.get(where).content.decode()
    assert seller.post(f"{where}/name", {"name": "Mine"}).status_code == 403


def test_numbers_that_nobody_gave_are_shown_nowhere(sign_in: Any, served: Any) -> None:
    """Own records are called by their names or their kind, in lists, on pages, in forms and where they are chosen."""
    from klientel.web.records import models as m
    from klientel.web.records import services

    client = sign_in()
    firm = services.add(m.Company, {"name": "Ownfirm"}, at=AT)
    rows = {
        "contracts": services.add(m.Contract, {"company": firm, "start": date(2026, 1, 1)}, at=AT),
        "deals": services.add(m.Opportunity, {"company": firm, "stage": "New"}, at=AT),
        "contacts": services.add(m.Contact, {"company": firm, "email": "a@b.example"}, at=AT),
        "reps": services.add(m.Rep, {"first_name": "Ada"}, at=AT),
    }
    made = make("Company", number="~0123456789abcdef0123", name="Fromfile")
    hidden = [made.number, firm.number, *(r.number for r in rows.values())]
    pages = ["/companies?cols=number&cols=name", f"/companies/{firm.pk}", f"/companies/{firm.pk}/edit", "/",
             "/companies/choose?q=own", "/search?q=own", "/deals/board",
             f"/deals/{rows['deals'].pk}/close", "/people/add"]  # fmt: skip
    pages += [f"/{kind}" for kind in rows] + [f"/{kind}/{r.pk}" for kind, r in rows.items()]
    pages += [f"/{kind}/{r.pk}/edit" for kind, r in rows.items()]
    for page in pages:
        answer = client.get(page, follow=True)
        assert answer.status_code == 200, page
        text = re.sub(r'<option value="[^"]*"', "", answer.content.decode())
        assert not [number for number in hidden if number in text], page
    form = client.get(f"/companies/{firm.pk}/edit").content.decode()
    based_on = re.findall(r'name="based_on" value="(\d+)"', form)[0]
    client.post(f"/companies/{firm.pk}/edit", {"name": "Ownfirm 2", "number": "", "based_on": based_on})
    firm.refresh_from_db()
    assert (firm.name, firm.number) == ("Ownfirm 2", hidden[1])
