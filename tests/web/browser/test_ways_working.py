"""Ways 3, 4, 5 and 10: a lead becomes a customer, a visit is logged, a duplicate goes, all on a phone."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect


def test_a_lead_becomes_a_customer(firm: Any) -> None:
    """A call is logged; the lead becomes a customer with a deal; its story goes on there; taken back, it is a lead."""
    page = firm.person("demo", language="de")
    page.goto(f"{firm.address}/leads")
    page.get_by_role("table").get_by_role("link", name="Verhoveld Polymers B.V.").click()
    page.get_by_role("link", name="Anruf eintragen").click()
    expect(page.get_by_role("combobox", name="Art")).to_have_value("call")
    page.get_by_role("textbox", name="Text").fill("Will ein Angebot für Dichtungen")
    page.get_by_role("button", name="Hinzufügen").click()
    expect(page.get_by_role("heading", name="Verhoveld Polymers B.V.", level=1)).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Dichtungen").first).to_be_visible()

    page.get_by_role("link", name="Umwandeln").click()
    page.get_by_role("radio", name="Ein neues Unternehmen: Verhoveld Polymers B.V.").check()
    page.get_by_role("textbox", name="Betrag").fill("12.500,00")
    page.get_by_role("button", name="Umwandeln").click()
    expect(page.get_by_text("Der Interessent ist jetzt bei Verhoveld Polymers B.V.")).to_be_visible()
    story = page.get_by_role("region", name="Zeitleiste")
    expect(story.get_by_text("Will ein Angebot für Dichtungen")).to_be_visible()
    expect(story.get_by_role("listitem").filter(has_text="Interessent eingegangen")).to_be_visible()
    deal = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Verhoveld Polymers B.V."))
    expect(deal).to_contain_text("12,5")

    # The customer's page may still ask for what is computed when the undo takes its customer away.
    page.get_by_role("button", name="Rückgängig").click()
    expect(page.get_by_role("link", name="Umwandeln")).to_be_visible()
    expect(page.get_by_text("Will ein Angebot für Dichtungen").first).to_be_visible()
    page.goto(f"{firm.address}/companies?q=Verhoveld+Polymers")
    expect(page.get_by_role("heading", name="Nichts passt")).to_be_visible()
    assert page.faults == []


def test_a_visit_is_logged_at_the_customer(firm: Any) -> None:
    """From the customer's page and back to it: the visit stands on top of the timeline and counts as effort."""
    page = firm.person("demo")
    page.goto(f"{firm.address}/companies")
    page.get_by_role("searchbox", name="Search in: Companies").fill("Montalmont")
    page.get_by_role("table").get_by_role("link", name="Montalmont & Marelivier Construction SAS").click()
    expect(page.get_by_role("heading", name="Montalmont", level=1)).to_be_visible()
    page.get_by_role("link", name="Log contact").click()
    page.get_by_role("combobox", name="Type").select_option("Visit")
    page.get_by_role("textbox", name="Duration").fill("90")
    page.get_by_role("textbox", name="Text").fill("Showed the new seals")
    page.get_by_role("button", name="Add").click()

    expect(page.get_by_role("heading", name="Montalmont", level=1)).to_be_visible()
    newest = page.get_by_role("region", name="Timeline").get_by_role("list").get_by_role("listitem").first
    expect(newest).to_contain_text("Visit")
    expect(newest).to_contain_text("Showed the new seals")
    expect(page.get_by_text("1 Visit")).to_be_visible()
    assert page.faults == []


def test_a_duplicate_is_merged_and_unmerged(firm: Any) -> None:
    """Added twice in spite of the warning, found as a pair, merged after a look at what moves, taken back."""
    page = firm.person("demo", language="de")
    for name in ("Quarzwerk Holtmann GmbH", "Quarzwerk Holtmann G.m.b.H."):
        page.goto(f"{firm.address}/companies/add")
        page.get_by_role("textbox", name="Name", exact=True).fill(name)
        page.get_by_role("textbox", name="Straße").fill("Hauptstraße 5")
        page.get_by_role("textbox", name="Postleitzahl").fill("48149")
        page.get_by_role("textbox", name="Ort").fill("Münster")
        page.get_by_role("button", name="Hinzufügen").click()
        if page.get_by_role("checkbox", name="Es ist ein anderes Unternehmen").count():
            expect(page.get_by_role("alert")).to_contain_text("Quarzwerk Holtmann GmbH")
            page.get_by_role("checkbox", name="Es ist ein anderes Unternehmen").check()
            page.get_by_role("button", name="Hinzufügen").click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    page.get_by_role("link", name="Notiz").click()
    page.get_by_role("textbox", name="Text").fill("Zahlt schnell")
    page.get_by_label("Zweck").fill("Betreuung")
    page.get_by_label("Läuft ab am").fill("2099-12-31")
    page.get_by_role("button", name="Hinzufügen").click()
    expect(page.get_by_role("heading", name="Quarzwerk Holtmann G.m.b.H.", level=1)).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Zahlt schnell").first).to_be_visible()

    page.goto(f"{firm.address}/duplicates")
    pair = page.get_by_role("row").filter(has_text="Quarzwerk")
    pair.get_by_role("link", name="Vergleichen").click()
    page.get_by_role("radio", name=re.compile(r"^Quarzwerk Holtmann GmbH")).first.check()
    page.get_by_role("button", name="Vorschau erneuern").click()
    expect(page.get_by_text("Das geht auf den über, der bleibt:")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Notiz: 1")).to_be_visible()
    page.get_by_role("button", name="Zusammenführen").click()
    expect(page.get_by_role("heading", name="Quarzwerk Holtmann GmbH", level=1)).to_be_visible()
    expect(page.get_by_text("Zahlt schnell").first).to_be_visible()
    page.goto(f"{firm.address}/companies?q=Quarzwerk")
    expect(page.get_by_role("status").filter(has_text="gefunden")).to_contain_text("1")

    page.goto(f"{firm.address}/duplicates")
    page.get_by_role("link", name="Zusammengeführt").click()
    page.get_by_role("row").filter(has_text="Quarzwerk").get_by_role("button", name="Zurücknehmen").click()
    expect(page.get_by_text("Die Zusammenführung ist zurückgenommen")).to_be_visible()
    page.goto(f"{firm.address}/companies?q=Quarzwerk")
    expect(page.get_by_role("status").filter(has_text="gefunden")).to_contain_text("2")
    assert page.faults == []


def test_on_the_way_with_a_phone(firm: Any) -> None:
    """390 pixels: the menu, a customer, a call; a card of the board moves by its menu. Nothing scrolls sideways."""
    page = firm.person("demo", language="de", width=390, has_touch=True)
    page.goto(firm.address)
    page.get_by_role("button", name="Menü").click()
    page.get_by_role("link", name="Unternehmen").click()
    page.get_by_role("searchbox", name="Suchen in: Unternehmen").fill("Dorgenmeyer")
    page.get_by_role("table").get_by_role("link", name="Dorgenmeyer Spritzguss SE").click()
    page.get_by_role("link", name="Kontakt erfassen").click()
    page.get_by_role("combobox", name="Art").select_option("Anruf")
    page.get_by_role("textbox", name="Text").fill("Vom Parkplatz aus angerufen")
    page.get_by_role("button", name="Hinzufügen").click()
    expect(page.get_by_role("region", name="Zeitleiste")).to_contain_text("Vom Parkplatz aus angerufen")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.goto(f"{firm.address}/deals/board")
    stage = page.get_by_role("region", name="Qualification")
    card = stage.get_by_role("article").first
    name = card.get_by_role("heading").inner_text()
    card.get_by_label(f"Verschieben: {name}").click()
    card.get_by_role("button", name="Nach „Proposal“").click()
    moved = page.get_by_role("region", name="Proposal").get_by_role("article").filter(has_text=name)
    expect(moved).to_have_count(1)
    expect(stage.get_by_role("article").filter(has_text=name)).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.faults == []
