"""Names as people write them in German and English, taken apart and put beside one another."""

from __future__ import annotations

import pytest

from klientel.web.records import names


@pytest.mark.parametrize(
    ("text", "core", "form"),
    [
        ("Müller GmbH", "mueller", "GmbH"),
        ("Mueller GmbH", "mueller", "GmbH"),
        ("MÜLLER G.m.b.H.", "mueller", "GmbH"),
        ("Müller Gesellschaft mit beschränkter Haftung", "mueller", "GmbH"),
        ("Müller Handelsgesellschaft mbH", "mueller handelsgesellschaft", "GmbH"),
        ("Müller Ges.m.b.H.", "mueller", "GmbH"),
        ("Müller AG", "mueller", "AG"),
        ("Müller A.G.", "mueller", "AG"),
        ("Müller Aktiengesellschaft", "mueller", "AG"),
        ("Müller GmbH & Co. KG", "mueller", "GmbH & Co. KG"),
        ("Müller GmbH und Co KG", "mueller", "GmbH & Co. KG"),
        ("Müller GmbH + Co. KG", "mueller", "GmbH & Co. KG"),
        ("Müller & Co. KG", "mueller", "KG"),
        ("Müller KG", "mueller", "KG"),
        ("Müller & Söhne OHG", "mueller soehne", "OHG"),
        ("Müller und Söhne OHG", "mueller soehne", "OHG"),
        ("Bäckerei Groß e.K.", "baeckerei gross", "e.K."),
        ("Bäckerei Groß e. K.", "baeckerei gross", "e.K."),
        ("Start UG (haftungsbeschränkt)", "start", "UG"),
        ("Hilfe gGmbH", "hilfe", "gGmbH"),
        ("Turnverein 1860 e.V.", "turnverein 1860", "e.V."),
        ("Merck KGaA", "merck", "KGaA"),
        ("Müller GmbH Ulm", "mueller ulm", "GmbH"),
        ("Smith Ltd", "smith", "Ltd."),
        ("Smith Limited", "smith", "Ltd."),
        ("The Smith Company, Inc.", "smith company", "Inc."),
        ("Smith & Sons LLC", "smith sons", "LLC"),
        ("Acme Corporation", "acme", "Corp."),
        ("Rossi S.p.A.", "rossi", "S.p.A."),
        ("Dupont S.A.R.L.", "dupont", "S.à r.l."),
        ("Nowak Sp. z o.o.", "nowak", "Sp. z o.o."),
        ("Jansen B.V.", "jansen", "B.V."),
        ("Stadtwerke Köln", "stadtwerke koeln", ""),
        ("SE", "se", ""),
        ("SAP SE", "sap", "SE"),
        ("Café Crème", "cafe creme", ""),
    ],
)
def test_a_firm_is_taken_apart(text: str, core: str, form: str) -> None:
    found = names.firm(text)
    assert (found.core, found.form) == (core, form)


def test_the_column_says_the_form_that_the_name_does_not() -> None:
    assert names.firm("Müller", "GmbH").form == "GmbH"
    assert names.firm("Müller AG", "GmbH").form == "AG"


def test_forms_differ_only_where_both_are_known() -> None:
    assert names.differ("GmbH", "AG")
    assert names.differ("GmbH", "GmbH & Co. KG")
    assert not names.differ("GmbH", "GmbH")
    assert not names.differ("GmbH", "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+49 (0)731 12345-0", "0731/123450"),
        ("0049 731 123450", "0731 12 34 50"),
        ("+44 20 7946 0958", "020 7946 0958"),
    ],
)
def test_phones_are_the_same_however_written(one: str, other: str) -> None:
    assert names.phone(one) == names.phone(other) != ""


def test_domains_streets_and_vat_numbers() -> None:
    assert (
        names.domain("https://www.mueller.de/kontakt") == names.domain("", "info@mueller.de") == "mueller.de"
    )
    assert names.domain("", "mueller@gmx.de") == ""
    assert names.street("Hauptstr. 5") == names.street("Hauptstraße 5") == names.street("HAUPTSTRASSE 5")
    assert names.street("Lange Str. 5a") == names.street("Lange Straße 5a")
    assert names.street("Hauptstr. 5") != names.street("Hauptstr. 6")
    assert names.vat("DE 123 456 789") == "DE123456789"
    assert names.vat("123") == ""


def test_people_are_the_same_in_either_order() -> None:
    assert names.person("Eva", "Kurz") == names.person("", "Dr. Kurz, Eva")
    assert names.numerals(names.firm("Solarpark Nord III GmbH").words) == ("iii",)
