# ruff: noqa: E501 - headers and expectations of one case belong on one line
"""Made-up exports in German and English: each header must go where a person would put it."""

from __future__ import annotations

import pytest
from making import make, run, taken

# name: (expected table, file, "Header=kind of values>where it goes"); "-" is nowhere, "@t.c" a secondary table
ROWS: dict[str, tuple[str, str, str]] = {
    "erp lines": ("order_line", "export.csv", """Belegnr=docs>order_id; Pos.=pos>line_no; Kd.-Nr.=customer>customer_id; Belegdatum=date>order_date;
        Artikelnr.=sku>product_id; Bezeichnung=item>product_name; Menge=small>qty; ME=unit>uom; Einzelpreis=money>invoice_price; Rabatt %=percent>discount_share; Netto=money>net_amount; MwSt=money>-; Brutto=money>-"""),
    "capitals": ("order_line", "EXPORT.CSV", "KUNDENNR=number>customer_id; RECHNUNGSDATUM=date>order_date; RECHNUNGSNUMMER=docs>order_id; NETTOUMSATZ EUR=money>net_amount; WÄHRUNG=currency>currency"),
    "no umlauts": ("order_line", "umsaetze.csv", "Kundennummer=number>customer_id; Verkaeufer=rep>rep_id; Datum=date>order_date; Umsatz netto EUR=money>net_amount; Waehrung=currency>currency"),
    "lost umlauts": ("order_line", "u.csv", "Kundennummer=number>customer_id; Verkaufer=rep>rep_id; Datum=date>order_date; Umsatz=money>net_amount; Wahrung=currency>currency"),
    "typos": ("order_line", "export.csv", "Kudennummer=number>customer_id; Rechnungsdatm=date>order_date; Nettobetarg=money>net_amount; Artikelbezeichung=item>product_name; Mengee=small>qty"),
    "camel case": ("order_line", "export.csv", "kundenNr=customer>customer_id; belegDatum=iso>order_date; nettoBetrag=dot>net_amount; artikelNr=sku>product_id; stueckZahl=small>qty"),
    "snake": ("order_line", "export.csv", "kunden_id=customer>customer_id; auftrags_datum=iso>order_date; netto_betrag=dot>net_amount; auftrags_nr=docs>order_id; menge_stk=small>qty"),
    "debitor": ("order_line", "export.csv", "Debitor=number>customer_id; Buchungsdatum=date>order_date; Betrag=money>net_amount; Whrg=currency>currency"),
    "debitor by name": ("order_line", "export.csv", "Debitor=firm>customer_name; Buchungsdatum=date>order_date; Betrag=money>net_amount"),
    "debitor number": ("order_line", "export.csv", "Debitorennummer=number>customer_id; Debitorenname=firm>customer_name; Fakturadatum=date>order_date; Warenwert netto=money>net_amount; Deckungsbeitrag=money>margin"),
    "margin": ("order_line", "export.csv", "Kundennr.=customer>customer_id; Monat=date>period; Umsatz=money>net_amount; DB=money>margin; DB %=percent>margin_share"),
    "cost": ("order_line", "export.csv", "Kunde=firm>customer_name; Re-Datum=date>order_date; Artikel=item>product_name; Stk=small>qty; VK=money>invoice_price; EK=money>unit_cost"),
    "line cost": ("order_line", "export.csv", "Kunde=customer>customer_id; Datum=date>order_date; Umsatz=money>net_amount; Wareneinsatz=money>direct_cost; Rohertrag=money>margin"),
    "only gross": ("order_line", "export.csv", "Kundennummer=number>customer_id; Rechnungsdatum=date>order_date; Bruttobetrag=money>net_amount"),
    "gross and tax": ("order_line", "export.csv", "Kundennummer=number>customer_id; Datum=date>order_date; Umsatz brutto=money>-; Umsatzsteuer=money>-; Umsatz netto=money>net_amount"),
    "total incl": ("order_line", "sales.csv", "Customer No.=number>customer_id; Posting Date=iso>order_date; Amount=dot>net_amount; Amount Including VAT=dot>-; VAT %=percent>-"),
    "thousands": ("order_line", "export.csv", "Kunde=firm>customer_name; Datum=date>order_date; Umsatz in T€=money>net_amount"),
    "unit": ("order_line", "export.csv", "Customer=firm>customer_name; Date=iso>order_date; Revenue (USD)=dot>net_amount"),
    "sap": ("order_line", "zsd_faktura.txt", """VBELN=docs>order_id; POSNR=pos>line_no; FKDAT=yyyymmdd>order_date; KUNAG=number>customer_id; MATNR=sku>product_id; ARKTX=item>product_name; FKIMG=small>qty; NETWR=dot>net_amount; WAERK=currency>currency; MWSBP=dot>-; FKART=kind>kind; VKGRP=rep>rep_id"""),
    "navision": ("order_line", "Sales Invoice Lines.xlsx", """Document No.=docs>order_id; Line No.=pos>line_no; Sell-to Customer No.=number>customer_id; Posting Date=iso>order_date; No.=sku>product_id; Description=item>product_name; Quantity=small>qty; Unit Price=dot>invoice_price; Line Discount %=percent>discount_share; Line Amount=dot>net_amount"""),
    "retail": ("order_line", "data.csv", "InvoiceNo=docs>order_id; StockCode=sku>product_id; Description=item>product_name; Quantity=small>qty; InvoiceDate=iso>order_date; UnitPrice=dot>invoice_price; CustomerID=number>customer_id; Country=country>country"),
    "transactions": ("order_line", "transactions.csv", "transaction_id=doc>order_id; cust_id=number>customer_id; purchase_date=iso>order_date; qty=small>qty; price=dot>invoice_price; total=dot>net_amount"),
    "discount amount": ("order_line", "export.csv", "Kunden-ID=customer>customer_id; Datum=date>order_date; Menge=small>qty; Preis=money>invoice_price; Rabattbetrag=money>on_invoice_discount"),
    "discount in money": ("order_line", "export.csv", "Kunden-ID=customer>customer_id; Datum=date>order_date; Menge=small>qty; Preis=money>invoice_price; Rabatt=money>on_invoice_discount"),
    "discount as share": ("order_line", "lines.csv", "order_id=docs>order_id; product_id=sku>product_id; unit_price=dot>invoice_price; quantity=small>qty; discount=share>discount_share"),
    "credit in lines": ("order_line", "export.csv", "Belegnummer=doc>order_id; Belegart=kind>kind; Kunde Nr.=customer>customer_id; Belegdatum=date>order_date; Nettowert=money>net_amount; Bezugsrechnung=empty>original_order_id"),
    "channel": ("order_line", "export.csv", "Kunde=firm>customer_name; Bestelldatum=date>order_date; Warenwert=money>net_amount; Vertriebsweg=segment>channel; Warengruppe=group>product_group_id; ADM=rep>rep_id"),
    "aussendienst": ("order_line", "export.csv", "Außendienst=rep>rep_id; Firma=firm>customer_name; PLZ=plz>@customer.postcode; Ort=city>@customer.city; Auftragsdatum=date>order_date; Auftragswert=money>net_amount"),
    "flat": ("order_line", "Umsatzliste 2024.xlsx", """Kundennr=customer>customer_id; Kundenname=firm>customer_name; Branche=industry>@customer.industry_code; Ort=city>@customer.city; Mitarbeiter=employees>@customer.employees; Betreuer=rep>rep_id; Kundenklasse=segment>@customer.segment;
        Rechnungsdatum=date>order_date; Artikelnr=sku>product_id; Umsatz=money>net_amount; Zahlweise intern=plan>attribute"""),
    "flat english": ("order_line", "sales_2024.csv", "Account Number=number>customer_id; Account Name=firm>customer_name; Industry=industry>@customer.industry_code; Company Size=size>@customer.size_class; Region=segment>@customer.region; Sales Rep=rep>rep_id; Order Date=iso>order_date; Net Sales=dot>net_amount; Loyalty Tier Code=plan>attribute"),
    "remarks stay out": ("order_line", "export.csv", "Kunde=customer>customer_id; Datum=date>order_date; Umsatz=money>net_amount; Bemerkung=text>-; Fälligkeitsdatum=date>-"),
    "plan stays out": ("order_line", "export.csv", "Kunde=customer>customer_id; Datum=date>order_date; Planumsatz=money>-; Umsatz=money>net_amount; Vorjahresumsatz=money>-"),
    "french": ("order_line", "export.csv", "code client=customer>customer_id; date de commande=iso>order_date; montant HT=dot>net_amount; quantité=small>qty"),
    "order list": ("order_line", "Rechnungen.csv", "Rechnungsnummer=doc>order_id; Kunde=firm>customer_name; Rechnungsdatum=date>order_date; Netto=money>net_amount"),
    "order heads": ("order_header", "auftraege.csv", "Auftragsnummer=doc>order_id; Kundennummer=customer>customer_id; Auftragsdatum=date>order_date; Vertreter=rep>rep_id; Frachtkosten=money>freight"),
    "customers de": ("customer", "Kundenstamm.csv", "Kundennummer=unique>customer_id; Firma=firm>name; Straße=unique>street; PLZ=plz>postcode; Ort=city>city; Land=country>country; Branche=industry>industry_code; Kunde seit=since>acquired_on; Betreuer=rep>owner_rep_id; Telefon=phone>phone; E-Mail=email>email"),
    "customers en": ("customer", "accounts.csv", "Account ID=unique>customer_id; Company=firm>name; Sector=industry>industry_code; Employees=employees>employees; Annual Revenue=whole>annual_revenue; Website=web>website; Account Manager=rep>owner_rep_id; Parent Account=parent>parent_customer_id"),
    "customers with own fields": ("customer", "kunden.csv", "Kd-Nr=unique>customer_id; Name 1=firm>name; Gründungsjahr=founded>year_established; Rechtsform=size>legal_form; Bonität=segment>credit_rating; Lieblingsfarbe=plan>attribute"),
    "products": ("product", "Artikelstamm.csv", "Artikelnummer=unique>product_id; Artikelbezeichnung=item>name; Warengruppe=group>product_group_id; Listenpreis=money>list_price; EK=money>standard_cost; Mengeneinheit=unit>uom"),
    "products en": ("product", "items.csv", "SKU=unique>product_id; Product Name=item>name; Category=group>product_group_id; Unit Price=dot>list_price; Standard Cost=dot>standard_cost"),
    "reps": ("rep", "vertreter.csv", "Vertreternr=unique>rep_id; Vorname=person>first_name; Nachname=surname>name; Vertriebsteam=segment>team_id; Vorgesetzter=rep>reports_to"),
    "deals de": ("opportunity", "verkaufschancen.csv", "Chance-ID=unique>opportunity_id; Kunde=firm>customer_name; Erstellt am=date>created_on; Abschlussdatum=date>close_date; Erwarteter Umsatz=money>amount; Phase=stage>stage; Wahrscheinlichkeit=percent>probability; Verkäufer=rep>rep_id; Verlustgrund=plan>loss_reason"),
    "deals en": ("opportunity", "pipeline.csv", "Deal ID=unique>opportunity_id; Deal=text>name; Account=firm>customer_name; Created=iso>created_on; Closed=iso>close_date; Deal Value=dot>amount; Stage=stage>stage; Owner=rep>rep_id; Lead Source=plan>source_channel; Competitor=segment>competitor"),
    "quotes": ("opportunity", "Angebote.csv", "Angebotsnummer=unique>opportunity_id; Kundennr=customer>customer_id; Angebotsdatum=date>created_on; Angebotswert=money>amount; Status=stage>stage"),
    "contracts": ("project_contract", "vertraege.csv", "Vertragsnummer=unique>contract_id; Kundennummer=customer>customer_id; Vertragsbeginn=date>start; Vertragsende=date>end; Monatsbetrag=money>recurring_amount; Laufzeit=small>min_term_months; Kündigungsfrist (Tage)=small>notice_days; Vertragsart=plan>type; Automatische Verlängerung=yesno>auto_renew"),
    "subscriptions": ("project_contract", "subscriptions.csv", "Subscription ID=unique>contract_id; Customer=firm>customer_name; Start Date=iso>start; End Date=iso>end; MRR=dot>recurring_amount; Plan=plan>type; Billing Period=small>period_months; Currency=currency>currency"),
    "notice": ("project_contract", "vertraege.csv", "Vertragsnummer=unique>contract_id; Kundennummer=customer>customer_id; Vertragsbeginn=date>start; Vertragsende=date>end; Monatsbetrag=money>recurring_amount; Kündigungsdatum=date>cancelled_on; Beendet am=date>ended_on; Vertragsstatus=plan>status"),
    "notice en": ("project_contract", "contracts.csv", "Contract ID=unique>contract_id; Customer=firm>customer_name; Start Date=iso>start; End Date=iso>end; MRR=dot>recurring_amount; Notice given on=iso>cancelled_on; End date actual=iso>ended_on"),
    "notice and term": ("project_contract", "vertraege.csv", "Vertragsnummer=unique>contract_id; Kunde=firm>customer_name; Beginn=date>start; Gekündigt zum=date>end; Gekündigt am=date>cancelled_on; Gekündigt=yesno>ended; Kündigungsfrist=small>notice_days; Monatsbetrag=money>recurring_amount"),
    "subscriptions that end": ("project_contract", "subscriptions.csv", "Subscription ID=unique>contract_id; Customer=firm>customer_name; Start Date=iso>start; MRR=dot>recurring_amount; Cancelled at=iso>cancelled_on; Churn date=iso>ended_on"),
    "churn list": ("project_contract", "churn.csv", "customer_id=unique>customer_id; tenure=small>tenure_months; monthly_charges=dot>recurring_amount; contract=plan>type; churn=yesno>ended; gender=size>attribute"),
    "contacts": ("contact", "Ansprechpartner.csv", "Kontakt-ID=unique>contact_id; Kundennummer=customer>customer_id; Vorname=person>first_name; Nachname=surname>name; Funktion=plan>role; Abteilung=group>department; E-Mail=email>email; Telefon=phone>phone"),
    "contacts en": ("contact", "people.csv", "First Name=person>first_name; Last Name=surname>name; Company=firm>customer_name; Job Title=plan>role; Email=email>email"),
    "visits": ("interaction", "Besuchsberichte.csv", "Besuchsnr=unique>interaction_id; Besuchsdatum=date>ts; Kunde=firm>customer_name; Besuchsart=visit>type; Dauer (Min)=small>duration_min; Außendienst=rep>rep_id"),
    "activities": ("interaction", "activities.csv", "Activity Type=visit>type; Date=iso>ts; Account ID=customer>customer_id; Duration minutes=small>duration_min; Owner=rep>rep_id; Outcome=segment>outcome"),
    "leads": ("lead", "leads.csv", "Lead-ID=unique>lead_id; Firma=firm>company; Name=surname>name; Erstellt am=date>created_on; Leadquelle=plan>channel; Leadstatus=segment>status; E-Mail=email>email"),
    "credit notes": ("credit_note_line", "Gutschriften.csv", "Gutschriftsnummer=unique>credit_id; Rechnungsnummer=docs>original_order_id; Kundennr=customer>customer_id; Datum=date>date; Betrag netto=money>net_amount; Grund=plan>reason"),
    "rates": ("fx_rate", "kurse.csv", "Datum=date>date; Von Währung=currency>from_currency; Nach Währung=currency>to_currency; Kurs=dot>rate"),
    "mergers": ("customer_succession", "fusionen.csv", "Alte Kundennummer=unique>from_id; Neue Kundennummer=customer>to_id; Gültig ab=date>valid_from"),
    "product groups": ("product_group", "warengruppen.csv", "Warengruppe=unique>product_group_id; Bezeichnung=text>name"),
    "long header": ("order_line", "export.csv", "Kundennummer (ERP)=number>customer_id; Datum der Rechnung=date>order_date; Gesamtnettoumsatz lt. Rechnung=money>net_amount"),
    "subtotal": ("order_line", "shop.csv", "Order ID=docs>order_id; Customer Email=email>@customer.email; Customer Name=firm>customer_name; Created at=iso>order_date; Subtotal=dot>net_amount; Shipping=dot>-; Taxes=dot>-; Grand Total=dot>-"),
    "net among many": ("order_line", "export.csv", "Kunde=customer>customer_id; Datum=date>order_date; Gesamt=money>-; Nettobetrag=money>net_amount; USt-Betrag=money>-"),
    "positions": ("order_line", "Auftragspositionen.csv", "Auftrag=docs>order_id; Position=pos>line_no; Material=sku>product_id; Auftragsmenge=small>qty; Nettopreis=money>invoice_price; Positionswert=money>net_amount"),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_each_header_goes_where_a_person_would_put_it(name: str) -> None:
    table, file, notation = ROWS[name]
    rows = 15 if table in {"customer", "product", "rep"} or name == "churn list" else 45
    made, expected = make(notation, file, rows)
    found = run(made)
    assert found[0].table == table, found[0].why
    went = taken(found)
    assert {header: went.get(header, "-") for header in expected} == expected


@pytest.mark.parametrize("name", ROWS)
def test_the_order_of_the_columns_does_not_matter(name: str) -> None:
    _, file, notation = ROWS[name]
    made, _ = make(notation, file, 15)
    straight = run(made)
    for seed in (1, 2, 3):
        shuffled, _ = make(notation, file, 15, shuffle=seed)
        # the values are made before the columns are shuffled, so both tables hold the same columns
        again = run(shuffled)
        assert again[0].table == straight[0].table
        assert taken(again) == taken(straight)


def test_there_are_enough_rows_to_mean_something() -> None:
    assert len(ROWS) >= 40
