"""Which files the firm hands over, with which headers, in which dialect."""

from __future__ import annotations

from klientel.demo.crm_layouts import CRM_LAYOUTS
from klientel.demo.layout import Format, Header, Layout

__all__ = ["LAYOUTS", "NOT_YET", "Format", "Header", "Layout"]

ERP_LAYOUTS = (
    Layout(
        "customer",
        "customers.xlsx",
        "Kunden.xlsx",
        (
            Header("customer_id", "Customer number", "Kundennummer"),
            Header("name", "Company", "Firma"),
            Header("legal_form", "Legal form", "Rechtsform"),
            Header("industry_code", "Industry", "Branche", "word"),
            Header("employees", "Employees", "Mitarbeiter", "count"),
            Header("size_class", "Size class", "Größenklasse"),
            Header("country", "Country", "Land"),
            Header("region", "Region", "Region", "word"),
            Header("postcode", "Postcode", "PLZ"),
            Header("city", "City", "Ort"),
            Header("website", "Website", "Webseite"),
            Header("year_established", "Founded", "Gründungsjahr", "count"),
            Header("parent_customer_id", "Parent company", "Konzernmutter"),
            Header("acquired_on", "Customer since", "Kunde seit", "date"),
            Header("acquisition_channel", "Acquisition channel", "Akquisekanal", "word"),
            Header("owner_rep_id", "Account manager", "Betreuer"),
            Header("contract_type", "Contract type", "Vertragsart", "word"),
            Header("relation_type", "Relation", "Beziehung", "word"),
        ),
        title=("Customer list", "Kundenliste"),
    ),
    Layout(
        "order_header",
        "orders.csv",
        "Auftraege.csv",
        (
            Header("order_id", "Document number", "Belegnummer"),
            Header("order_date", "Document date", "Belegdatum", "date"),
            Header("customer_id", "Customer number", "Kundennummer"),
            Header("currency", "Currency", "Währung"),
            Header("channel", "Channel", "Vertriebsweg", "word"),
            Header("rep_id", "Sales person", "Verkäufer"),
            Header("contract_id", "Contract number", "Vertragsnummer"),
        ),
    ),
    Layout(
        "order_line",
        "order_lines.csv",
        "Auftragspositionen.csv",
        (
            Header("order_id", "Document number", "Belegnummer"),
            Header("line_no", "Line", "Pos.", "count"),
            Header("product_id", "Item number", "Artikelnummer"),
            Header("qty", "Quantity", "Menge", "count"),
            Header("list_price", "List price", "Listenpreis", "money"),
            Header("invoice_price", "Unit price", "Einzelpreis", "money"),
            Header("discount_share", "Discount %", "Rabatt %", "percent"),
            Header("net_amount", "Net amount", "Nettobetrag", "money"),
            Header("unit_cost", "Unit cost", "Einstandspreis", "money"),
        ),
        old_encoding=True,
    ),
    Layout(
        "credit_note_line",
        "credit_notes.csv",
        "Gutschriften.csv",
        (
            Header("credit_id", "Credit note number", "Gutschriftsnummer"),
            Header("line_no", "Line", "Pos.", "count"),
            Header("date", "Date", "Datum", "date"),
            Header("customer_id", "Customer number", "Kundennummer"),
            Header("original_order_id", "Original document", "Ursprungsbeleg"),
            Header("product_id", "Item number", "Artikelnummer"),
            Header("qty", "Quantity", "Menge", "count"),
            Header("net_amount", "Net amount", "Nettobetrag", "money"),
            Header("reason", "Reason", "Gutschriftsgrund", "word"),
            Header("currency", "Currency", "Währung"),
        ),
        old_encoding=True,
    ),
    Layout(
        "product",
        "products.csv",
        "Artikel.csv",
        (
            Header("product_id", "Item number", "Artikelnummer"),
            Header("name", "Item description", "Artikelbezeichnung", "word"),
            Header("product_group_id", "Product group", "Warengruppe", "word"),
            Header("uom", "Unit of measure", "Mengeneinheit", "word"),
            Header("list_price", "List price", "Listenpreis", "money"),
            Header("standard_cost", "Standard cost", "Standardkosten", "money"),
            Header("discontinued", "Discontinued", "Auslaufartikel", "flag"),
        ),
    ),
    Layout(
        "project_contract",
        "contracts.xlsx",
        "Vertraege.xlsx",
        (
            Header("contract_id", "Contract number", "Vertragsnummer"),
            Header("customer_id", "Customer number", "Kundennummer"),
            Header("type", "Contract type", "Vertragsart", "word"),
            Header("signed_on", "Contract date", "Vertragsdatum", "date"),
            Header("start", "Contract start", "Vertragsbeginn", "date"),
            Header("end", "Contract end", "Vertragsende", "date"),
            Header("recurring_amount", "Recurring amount", "Wiederkehrender Betrag", "money"),
            Header("period_months", "Billing period (months)", "Abrechnungszeitraum in Monaten", "count"),
            Header("currency", "Currency", "Währung"),
            Header("auto_renew", "Automatic renewal", "Automatische Verlängerung", "flag"),
            Header("notice_days", "Notice period (days)", "Kündigungsfrist (Tage)", "count"),
            Header("status", "Contract status", "Vertragsstatus", "word"),
            Header("min_term_months", "Minimum term", "Mindestlaufzeit", "count"),
            Header("indexation_rule", "Price clause", "Preisgleitklausel", "word"),
            Header("renewal_of", "Follows", "Vorgängervertrag"),
        ),
        title=("Contracts", "Vertragsübersicht"),
        total="recurring_amount",
    ),
    Layout(
        "rep",
        "employees.csv",
        "Mitarbeiter_Vertrieb.csv",
        (
            Header("rep_id", "Employee number", "Personalnummer"),
            Header("first_name", "First name", "Vorname"),
            Header("name", "Last name", "Nachname"),
            Header("team_id", "Team", "Team", "word"),
            Header("reports_to", "Reports to", "Vorgesetzter"),
            Header("region", "Territory", "Gebiet", "word"),
            Header("capacity_hours_month", "Hours per month", "Stunden pro Monat", "count"),
            Header("cost_hour", "Cost per hour", "Stundensatz", "money"),
        ),
    ),
    Layout(
        "customer_succession",
        "customer_successions.csv",
        "Kundennachfolge.csv",
        (
            Header("from_id", "Former customer number", "Alte Kundennummer"),
            Header("to_id", "New customer number", "Neue Kundennummer"),
            Header("valid_from", "Valid from", "Gültig ab", "date"),
            Header("share", "Share %", "Anteil %", "percent"),
            Header("kind", "Kind", "Art", "word"),
        ),
    ),
    Layout(
        "fx_rate",
        "exchange_rates.csv",
        "Wechselkurse.csv",
        (
            Header("date", "Date", "Datum", "date"),
            Header("from_currency", "From currency", "Von Währung"),
            Header("to_currency", "To currency", "Nach Währung"),
            Header("rate", "Exchange rate", "Wechselkurs", "rate"),
            Header("kind", "Rate type", "Kursart", "word"),
        ),
    ),
)

LAYOUTS = (*ERP_LAYOUTS, *CRM_LAYOUTS)
NOT_YET: dict[str, frozenset[str]] = {
    "contact": frozenset({"consent_on", "consent_withdrawn_on"}),
    "lead": frozenset({"first_response_at"}),
    "customer_attribute_hist": frozenset({"before", "reason"}),
    "touchpoint": frozenset({"url_class", "is_bot"}),
}
"""Columns of tables that Klientel knows which it may leave aside: companies' files have more than it uses."""
