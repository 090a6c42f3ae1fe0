# ruff: noqa: E501 - headers and expectations of one case belong on one line
"""Mappings are saved, loaded and applied; ready ones recognise the exports of known programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from making import make, run, taken

from klientel.errors import BadFile, BadParameter
from klientel.ingest.mapping import Template, preset, presets
from klientel.schema import TABLES

ODD = "Spalte A=customer>-; Spalte B=date>-; Wert 1=money>-; Wert 2=money>-"


def _saved(tmp_path: Path) -> Path:
    found = run(make(ODD)[0], overrides={
        "order_line.customer_id": "Spalte A", "order_line.order_date": "Spalte B", "order_line.net_amount": "Wert 2",
    })  # fmt: skip
    path = tmp_path / "odd.json"
    Template.of(found, "odd").save(path)
    return path


def test_what_is_saved_is_applied_again(tmp_path: Path) -> None:
    template = Template.load(_saved(tmp_path))
    for notation in (ODD, "Wert 2=money>-; Neu=text>-; Spalte B=date>-; Wert 1=money>-; spalte a=customer>-"):
        went = {
            k.lower(): v for k, v in taken(run(make(notation, "other.csv")[0], template=template)).items()
        }
        assert went["wert 2"] == "net_amount"
        assert (went["spalte a"], went["spalte b"]) == ("customer_id", "order_date")


def test_what_is_saved_is_readable_json(tmp_path: Path) -> None:
    content = json.loads(_saved(tmp_path).read_text(encoding="utf-8"))
    assert content["format"] == "klientel-mapping-1"
    assert content["sheets"][0]["columns"]["net_amount"] == ["Wert 2"]


def test_a_template_that_fits_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="odd fits none of the files"):
        run(make("Kunde=firm>-; Umsatz=money>-")[0], template=Template.load(_saved(tmp_path)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not a template"),
        ("[]", '"format"'),
        (
            '{"format": "klientel-mapping-1", "sheets": [{"table": "order_lin", "columns": {"qty": ["a"]}}]}',
            "order_line",
        ),
        (
            '{"format": "klientel-mapping-1", "sheets": [{"table": "order_line", "columns": {"qyt": ["a"]}}]}',
            '"qty"',
        ),
        (
            '{"format": "klientel-mapping-1", "sheets": [{"table": "order_line", "columns": {}}]}',
            "no columns",
        ),
        ('{"format": "klientel-mapping-1", "sheets": [7]}', "did you mean"),
    ],
)
def test_what_is_no_template_is_said(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadFile) as wrong:
        Template.load(path)
    assert said in str(wrong.value)


def test_a_missing_template_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="There is no template"):
        Template.load(tmp_path / "absent.json")


def test_ready_mappings_name_only_columns_that_exist() -> None:
    assert {p.name for p in presets()} == {
        "hubspot", "salesforce", "pipedrive", "odoo", "zoho", "sap_sd", "datev", "lexware", "sevdesk", "erp", "shopify",
        "woocommerce",
    }  # fmt: skip
    for ready in presets():
        for sheet in ready.sheets:
            assert set(sheet.columns) <= set(TABLES[sheet.table].names()), (ready.name, sheet.table)
            assert sheet.signature
            for group in TABLES[sheet.table].required:
                assert any(name in sheet.columns for name in group), (ready.name, sheet.table)


def test_a_ready_mapping_is_found_by_name() -> None:
    assert preset(" HubSpot ").name == "hubspot"
    assert Template.load("odoo").name == "odoo"
    with pytest.raises(BadParameter, match='did you mean "pipedrive"'):
        preset("pipdrive")


# program: (table, file, notation), as the program writes its headers
EXPORTS = {
    "hubspot deals": ("opportunity", "hubspot-crm-exports-alle-deals.csv", "Record ID=unique>opportunity_id; Deal Name=text>name; Deal Stage=stage>stage; Close Date=iso>close_date; Deal owner=rep>rep_id; Amount=dot>amount; Create Date=iso>created_on; Associated Company=firm>customer_name; Pipeline=group>-"),
    "hubspot deals de": ("opportunity", "export.csv", "Datensatz-ID=unique>opportunity_id; Dealname=text>name; Deal-Phase=stage>stage; Abschlussdatum=iso>close_date; Zuständiger Mitarbeiter für Deal=rep>rep_id; Betrag=dot>amount; Erstellungsdatum=iso>created_on"),
    "hubspot companies": ("customer", "export.csv", "Record ID=unique>customer_id; Company name=firm>name; Company owner=rep>owner_rep_id; City=city>city; Country/Region=country>country; Industry=industry>industry_code; Number of Employees=employees>employees; Annual Revenue=whole>annual_revenue"),
    "hubspot contacts": ("contact", "export.csv", "Record ID=unique>contact_id; First Name=person>first_name; Last Name=surname>name; Email=email>email; Contact owner=rep>-; Associated Company=firm>customer_name"),
    "salesforce opportunities": ("opportunity", "report1700000000.csv", "Opportunity Owner=rep>rep_id; Account Name=firm>customer_name; Opportunity Name=text>name; Stage=stage>stage; Close Date=iso>close_date; Amount=dot>amount; Expected Revenue=dot>-; Probability (%)=percent>probability; Created Date=iso>created_on; Lead Source=plan>source_channel; Type=segment>kind"),
    "salesforce api": ("opportunity", "Opportunity.csv", "Id=unique>opportunity_id; AccountId=customer>customer_id; Name=text>name; StageName=stage>stage; Amount=dot>amount; CloseDate=iso>close_date; CreatedDate=iso>created_on; OwnerId=rep>rep_id; ExpectedRevenue=dot>-"),
    "salesforce accounts": ("customer", "report.csv", "Account ID=unique>customer_id; Account Name=firm>name; Account Owner=rep>owner_rep_id; Billing City=city>city; Industry=industry>industry_code; Annual Revenue=whole>annual_revenue; Employees=employees>employees"),
    "pipedrive deals": ("opportunity", "deals-123.csv", "Deal - ID=unique>opportunity_id; Deal - Title=text>name; Deal - Organization=firm>customer_name; Deal - Value=dot>amount; Deal - Currency of Value=currency>currency; Deal - Stage=stage>stage; Deal - Status=segment>outcome; Deal - Owner=rep>rep_id; Deal - Deal created=iso>created_on; Deal - Expected close date=iso>close_date; Deal - Weighted value=dot>-"),
    "pipedrive organizations": ("customer", "organizations.csv", "Organization - Name=firm>name; Organization - ID=unique>customer_id; Organization - Owner=rep>owner_rep_id; Organization - Address=unique>street"),
    "pipedrive persons": ("contact", "people.csv", "Person - ID=unique>contact_id; Person - Name=surname>name; Person - Organization=firm>customer_name; Person - Email - Work=email>email"),
    "pipedrive activities": ("interaction", "activities.csv", "Activity - ID=unique>interaction_id; Activity - Type=visit>type; Activity - Due date=iso>ts; Activity - Organization=firm>customer_name; Activity - Assigned to user=rep>rep_id"),
    "odoo lines": ("order_line", "sale.order.line.csv", "order_id/name=docs>order_id; product_id/name=item>product_name; product_uom_qty=small>qty; price_unit=dot>invoice_price; discount=percent>discount_share; price_subtotal=dot>net_amount; price_total=dot>-; order_partner_id=firm>customer_name"),
    "odoo orders": ("order_header", "sale.order.xlsx", "name=doc>order_id; partner_id/name=firm>customer_name; date_order=iso>order_date; user_id/name=rep>rep_id; amount_untaxed=dot>net_amount; amount_tax=dot>-; amount_total=dot>-; state=plan>status"),
    "odoo invoices": ("order_header", "account.move.csv", "Number=doc>order_id; Invoice Partner Display Name=firm>customer_name; Invoice/Bill Date=iso>order_date; Untaxed Amount Signed=dot>net_amount; Total Signed=dot>-; Status=plan>status"),
    "odoo partners": ("customer", "res.partner.csv", "id=unique>customer_id; name=firm>name; is_company=yesno>attribute; city=city>city; country_id=country>country; vat=unique>vat_id; user_id=rep>owner_rep_id"),
    "zoho deals": ("opportunity", "Deals_2024.csv", "Record Id=unique>opportunity_id; Deal Owner=rep>rep_id; Amount=dot>amount; Deal Name=text>name; Closing Date=iso>close_date; Account Name=firm>customer_name; Stage=stage>stage; Probability (%)=percent>probability; Expected Revenue=dot>-; Created Time=iso>created_on; Lead Source=plan>source_channel"),
    "zoho accounts": ("customer", "Accounts.csv", "Record Id=unique>customer_id; Account Owner=rep>owner_rep_id; Account Name=firm>name; Billing City=city>city; Industry=industry>industry_code; Modified Time=iso>-"),
    "zoho invoices": ("order_header", "Invoices.csv", "Record Id=unique>-; Invoice Number=doc>order_id; Account Name=firm>customer_name; Invoice Date=iso>order_date; Sub Total=dot>net_amount; Tax=dot>-; Grand Total=dot>-; Status=plan>status"),
    "sap german": ("order_line", "export.xlsx", "Fakturabeleg=docs>order_id; Position=pos>line_no; Fakturadatum=date>order_date; Auftraggeber=number>customer_id; Material=sku>product_id; Bezeichnung=item>product_name; Fakturierte Menge=small>qty; Nettowert=money>net_amount; Belegwährung=currency>currency; Steuerbetrag=money>-"),
    "datev": ("order_line", "EXTF_Buchungsstapel.csv", "Umsatz (ohne Soll/Haben-Kz)=money>net_amount; Soll/Haben-Kennzeichen=yesno>kind; WKZ Umsatz=currency>currency; Konto=number>customer_id; Gegenkonto (ohne BU-Schlüssel)=small>-; Belegdatum=date>order_date; Belegfeld 1=docs>order_id; Buchungstext=text>-"),
    "lexware by file name": ("order_header", "lexware_rechnungen.csv", "Belegnummer=doc>order_id; Kundennummer=customer>customer_id; Firma=firm>customer_name; Belegdatum=date>order_date; Netto=money>net_amount; Brutto=money>-"),
    "sevdesk by file name": ("order_header", "sevDesk-Rechnungen.csv", "Rechnungsnummer=doc>order_id; Kunde=firm>customer_name; Rechnungsdatum=date>order_date; Betrag Netto=money>net_amount; Betrag Brutto=money>-; Status=plan>status"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_of_known_programs_are_read_by_their_own_headers(name: str) -> None:
    table, file, notation = EXPORTS[name]
    made, expected = make(notation, file, 15)
    found = run(made)
    assert found[0].table == table, found[0].why
    went = taken(found)
    assert {header: went.get(header, "-") for header in expected} == expected


def test_the_erp_mapping_is_used_by_name() -> None:
    made, _ = make(
        "Belegnummer=docs>-; Kundennummer=customer>-; Artikelnummer=sku>-; Menge=small>-; Zeilenbetrag=money>-; Belegdatum=date>-"
    )
    found = run(made, template=preset("erp"))
    assert taken(found)["Zeilenbetrag"] == "net_amount"
    assert found[0].columns["net_amount"].why == "by the template erp"
