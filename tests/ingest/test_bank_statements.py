"""Bank statements are refused with a sentence, unless a person maps them; sales with an IBAN are sales."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from writing_files import by_customer, opened

from klientel.cli import cli
from klientel.errors import BadFile
from klientel.ingest.opening import open_book

SPARKASSE = (
    '"Auftragskonto";"Buchungstag";"Valutadatum";"Buchungstext";"Verwendungszweck";"Glaeubiger ID";"Mandatsreferenz";'
    '"Kundenreferenz (End-to-End)";"Beguenstigter/Zahlungspflichtiger";"Kontonummer/IBAN";"BIC (SWIFT-Code)";"Betrag";'
    '"Waehrung";"Info"\n'
    '"DE02";"02.01.24";"02.01.24";"GUTSCHRIFT";"RE 1001";"";"";"";"Alpha GmbH";"DE12";"GENO";"119,00";"EUR";"gebucht"\n'
    '"DE02";"03.01.24";"03.01.24";"LASTSCHRIFT";"Strom";"G1";"M1";"";"Stadtwerke";"DE13";"GENO";"-80,00";"EUR";"gebucht"\n'
    '"DE02";"05.01.24";"05.01.24";"GUTSCHRIFT";"RE 1002";"";"";"";"Beta AG";"DE14";"GENO";"238,00";"EUR";"gebucht"\n'
)
ING = (
    "Umsatzanzeige;Datei erstellt am: 01.02.2024\n\nIBAN;DE02 1234\nKontoname;Girokonto\nBank;ING\nSaldo;1.000,00;EUR\n"
    "\n"
    "Buchung;Valuta;Auftraggeber/Empfänger;Buchungstext;Verwendungszweck;Saldo;Währung;Betrag;Währung\n"
    "02.01.2024;02.01.2024;Alpha GmbH;Gutschrift;RE 1;1.000,00;EUR;119,00;EUR\n"
    "03.01.2024;03.01.2024;Beta AG;Gutschrift;RE 2;1.100,00;EUR;100,00;EUR\n"
    "04.01.2024;04.01.2024;Gamma KG;Gutschrift;RE 3;1.200,00;EUR;100,00;EUR\n"
)
VOLKSBANK = (
    "Bezeichnung Auftragskonto;IBAN Auftragskonto;BIC Auftragskonto;Bankname Auftragskonto;Buchungstag;Valutadatum;"
    "Name Zahlungsbeteiligter;IBAN Zahlungsbeteiligter;BIC (SWIFT-Code) Zahlungsbeteiligter;Buchungstext;"
    "Verwendungszweck;Betrag;Waehrung;Saldo nach Buchung\n"
    "Giro;DE1;G1;VB;02.01.2024;02.01.2024;Alpha;DE2;G2;Gutschrift;RE 1;100,00;EUR;100,00\n"
    "Giro;DE1;G1;VB;03.01.2024;03.01.2024;Beta;DE3;G2;Gutschrift;RE 2;50,00;EUR;150,00\n"
)
BRITISH = (
    "Date,Type,Description,Paid out,Paid in,Balance\n01/02/2024,BGC,ACME LTD,,120.00,1120.00\n"
    "14/02/2024,DD,POWER CO,80.00,,1040.00\n20/02/2024,BGC,BOLT LTD,,60.00,1100.00\n"
)
AMERICAN = (
    "Date,Description,Amount,Running Balance\n01/02/2024,ACME INC,120.00,1120.00\n01/14/2024,POWER CO,-80.00,1040.00\n"
    "01/20/2024,BOLT LLC,60.00,1100.00\n"
)
WISE = (
    "Value Date,Counterparty,Counterparty IBAN,Payment Reference,Amount,Currency\n"
    "2024-01-02,Acme Ltd,GB1,INV 1,120.00,GBP\n2024-01-03,Bolt Ltd,GB2,INV 2,60.00,GBP\n"
)


@pytest.mark.parametrize("text", [SPARKASSE, ING, VOLKSBANK, BRITISH, AMERICAN, WISE])
def test_statements_are_refused_and_say_what_to_bring(tmp_path, text):
    path = tmp_path / "konto.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(
        BadFile, match=r"konto\.csv: a bank statement: payments are not sales\. Bring the list of"
    ):
        open_book(path)
    answer = CliRunner().invoke(cli, ["analyse", "abc", str(path)], standalone_mode=False)
    assert isinstance(answer.exception, BadFile)


def test_a_person_may_map_it(tmp_path):
    path = tmp_path / "konto.csv"
    path.write_text(SPARKASSE, encoding="utf-8")
    mapped = {
        "order_line.customer_name": "Beguenstigter/Zahlungspflichtiger", "order_line.net_amount": "Betrag",
        "order_line.order_date": "Buchungstag",
    }  # fmt: skip
    book = opened(path, map=mapped)
    assert by_customer(book) == {
        "Alpha GmbH": Decimal(119),
        "Stadtwerke": Decimal(-80),
        "Beta AG": Decimal(238),
    }


@pytest.mark.parametrize(
    "header",
    [
        "Kunde;IBAN;BIC;Rechnungsdatum;Betrag;Verwendungszweck",
        "Client;IBAN;BIC;Date;Amount;Payment reference",
        "Kundennr;Firma;IBAN;BIC;Buchungsdatum;Umsatz",
    ],
)
def test_invoices_with_bank_details_are_sales(tmp_path: Path, header: str):
    cells = {"Betrag": "100,00", "Amount": "100.00", "Umsatz": "100,00"}
    names = header.split(";")
    rows = []
    for i in range(4):
        special = {
            "Kunde": f"Firma {i % 2}", "Client": f"Firma {i % 2}", "Firma": f"Firma {i % 2}", "Kundennr": f"K{i % 2}",
            "IBAN": f"DE{i}", "BIC": "GENO", "Rechnungsdatum": f"0{i + 1}.02.2024", "Date": f"2024-02-0{i + 1}",
            "Buchungsdatum": f"0{i + 1}.02.2024", "Verwendungszweck": f"RE {i}", "Payment reference": f"INV {i}",
        }  # fmt: skip
        rows.append(";".join((special | cells)[n] for n in names))
    path = tmp_path / "l.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    assert sum(by_customer(opened(path)).values()) == 400
