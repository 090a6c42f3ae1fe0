# ruff: noqa: E501 - data, one thing per line
"""What the name of a file or sheet says about its contents."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import PurePath

from klientel.ingest.mapping.names import words
from klientel.ingest.raw import RawTable

_HINTS: dict[str, str] = {
    "customer": """customer customers kunde kunden kundenstamm kundenstammdaten kundenliste kundendaten account accounts company
        companies firma firmen unternehmen debitoren debitor stammdaten clients client adressen organisationen organizations
        organisations partner kundenexport geschaeftspartner debitorenstamm""",
    "order_header": """order orders auftrag auftraege invoices invoice rechnungen rechnung bestellungen belege auftragskopf
        auftragsliste rechnungsliste orderheader header kopf koepfe belegkopf auftragskoepfe""",
    "order_line": """lines line details detail positionen position sales umsatz umsaetze verkaeufe verkauf transactions transaktionen
        purchases absatz umsatzliste auftragspositionen rechnungspositionen umsatzstatistik erloese revenue orderlines retail
        items artikelumsatz belegpositionen orderdetails verkaufsdaten umsatzexport fakturen kundenumsatz kundenumsaetze""",
    "credit_note_line": "gutschriften gutschrift credits creditnotes storno stornos retouren returns rechnungskorrekturen",
    "product": "product products artikel artikelstamm produkte produkt items sortiment artikelliste material materialstamm materialien articles preisliste",
    "product_group": "categories category kategorien kategorie warengruppen warengruppe produktgruppen artikelgruppen groups sortimente",
    "project_contract": """contracts contract vertraege vertrag subscriptions subscription abos abonnements vertragsliste projekte
        projects churn wartungsvertraege rahmenvertraege laufzeiten""",
    "opportunity": """opportunities opportunity pipeline deals deal verkaufschancen chancen angebote angebot offers quotes
        verkaufschance salespipeline angebotsliste""",
    "contact": "contacts contact kontakte ansprechpartner persons people personen kontaktpersonen kontaktliste",
    "interaction": """activities activity aktivitaeten besuche besuchsberichte calls visits interactions interaktionen termine tasks
        aufgaben meetings kontakthistorie besuchsbericht anrufe engagements events""",
    "lead": "leads lead interessenten anfragen leadliste",
    "rep": """rep reps employees employee mitarbeiter vertreter verkaeufer aussendienst salesteams teams agents salespeople
        vertrieb vertriebsmitarbeiter users user adm betreuer salesreps personal team""",
    "fx_rate": "rates kurse wechselkurse fx exchangerates devisenkurse exchange",
    "customer_succession": "succession mergers fusionen nachfolge zusammenlegung umschluesselung nachfolger",
    "supplier": "suppliers supplier lieferanten lieferant vendors vendor kreditoren",
    "shipper": "shippers shipper spediteure speditionen carriers versandfirmen versender paketdienste transporteure frachtfuehrer",
    "place": "region regions regionen territories territory gebiete employeeterritories laender countries",
    "dictionary": "dictionary readme datenbeschreibung codebook metadata legende feldbeschreibung",
}
_BY_WORD: dict[str, set[str]] = {}
for _table, _words in _HINTS.items():
    for _word in _words.split():
        _BY_WORD.setdefault(_word, set()).add(_table)


@lru_cache(maxsize=4_000)
def hints_of(name: str) -> frozenset[str]:
    """Tables that a name speaks of: "order_details.csv" is lines, "Kundenstamm 2024.xlsx" customers.

    A name of several words is told by its last known word ("order details", "customer invoices"); words
    joined together count as well ("orderdetails").
    """
    stem = name
    while PurePath(stem).suffix.lower() in {
        ".csv",
        ".txt",
        ".tsv",
        ".xlsx",
        ".xls",
        ".ods",
        ".gz",
        ".zip",
        ".parquet",
        ".json",
        ".db",
        ".sqlite",
    }:
        stem = PurePath(stem).stem
    found = words(PurePath(stem).name)
    joined = [first + second for first, second in pairwise(found)]
    for word in joined:
        if word in _BY_WORD:
            return frozenset(_BY_WORD[word])
    for word in reversed(found):
        if word in _BY_WORD:
            return frozenset(_BY_WORD[word])
    return frozenset(_compound(found))


def hinted(raw: RawTable) -> frozenset[str]:
    """Tables that the sheet name or, if that says nothing, the file name speaks of."""
    if raw.sheet and (found := hints_of(raw.sheet)):
        return found
    return hints_of(raw.file) or hints_of(raw.name)


def says(raw: RawTable, table: str) -> bool:
    """True if a whole word of the sheet or file name speaks of the table ("kunden.csv", not "versandfirmen")."""
    return any(
        table in _BY_WORD.get(word, ()) for name in (raw.sheet or "", raw.file) for word in words(name)
    )


def _compound(found: tuple[str, ...]) -> set[str]:
    """German compounds: "kundenstammdaten" contains a known word at its end."""
    for word in reversed(found):
        for start in range(3, len(word) - 4):
            if word[start:] in _BY_WORD:
                return _BY_WORD[word[start:]]
    return set()
