"""The words inside the simulated files in German; the tables of a firm are in English.

Not part of the catalogue of translations: these are data, as a company's ERP system would hold them.
"""

from __future__ import annotations

from klientel.demo.sales_words import BEGINNINGS, SALES_WORDS

GERMAN: dict[str, str] = {
    # relations, contracts, channels
    "customer": "Kunde",
    "lead": "Lead",
    "prospect": "Interessent",
    "partner": "Partner",
    "single orders": "Einzelaufträge",
    "framework contract": "Rahmenvertrag",
    "service contract": "Wartungsvertrag",
    "running": "laufend",
    "renewed": "verlängert",
    "expired": "ausgelaufen",
    "terminated": "gekündigt",
    "trade fair": "Messe",
    "recommendation": "Empfehlung",
    "website": "Webseite",
    "cold call": "Kaltakquise",
    "field sales": "Außendienst",
    "phone": "Telefon",
    "web shop": "Webshop",
    "EDI": "EDI",
    "contract": "Vertrag",
    # industries
    "Mechanical engineering": "Maschinenbau",
    "Metal processing": "Metallverarbeitung",
    "Chemicals and plastics": "Chemie und Kunststoff",
    "Automotive supply": "Automobilzulieferer",
    "Food and beverages": "Lebensmittel und Getränke",
    "Construction": "Bau",
    "Logistics": "Logistik",
    "Medical technology": "Medizintechnik",
    "Technical trade": "Technischer Handel",
    # regions and teams
    "North": "Nord",
    "West": "West",
    "South": "Süd",
    "East": "Ost",
    "Austria": "Österreich",
    "Switzerland": "Schweiz",
    "Benelux": "Benelux",
    "France": "Frankreich",
    "Great Britain": "Großbritannien",
    "Key accounts": "Großkunden",
    "Abroad": "Ausland",
    "Team North": "Team Nord",
    "Team South": "Team Süd",
    "Team Key Accounts and Abroad": "Team Großkunden und Ausland",
    # product groups, series, units
    "Gear motors": "Getriebemotoren",
    "Bearings": "Lager",
    "Belts": "Riemen",
    "Chains": "Ketten",
    "Couplings": "Kupplungen",
    "Sensors": "Sensoren",
    "Controls": "Steuerungen",
    "Pneumatics": "Pneumatik",
    "Seals": "Dichtungen",
    "Lubricants": "Schmierstoffe",
    "Conveyor modules": "Fördermodule",
    "Service": "Service",
    "pc": "Stk",
    "m": "m",
    "l": "l",
    "flat": "psch",
    # credit notes, rates, successions
    "return": "Rücksendung",
    "complaint": "Reklamation",
    "price correction": "Preiskorrektur",
    "annual bonus": "Jahresbonus",
    "stock taken back": "Warenrücknahme",
    "average": "Monatsmittel",
    "merger": "Fusion",
    **SALES_WORDS,
}
SERIES: dict[str, str] = {
    "Helical gear motor": "Stirnradgetriebemotor",
    "Worm gear motor": "Schneckengetriebemotor",
    "Bevel gear motor": "Kegelradgetriebemotor",
    "Ball bearing": "Kugellager",
    "Roller bearing": "Rollenlager",
    "Pillow block": "Stehlager",
    "Timing belt": "Zahnriemen",
    "V-belt": "Keilriemen",
    "Flat belt": "Flachriemen",
    "Roller chain": "Rollenkette",
    "Conveyor chain": "Förderkette",
    "Claw coupling": "Klauenkupplung",
    "Bellows coupling": "Metallbalgkupplung",
    "Proximity switch": "Näherungsschalter",
    "Light barrier": "Lichtschranke",
    "Encoder": "Drehgeber",
    "Frequency inverter": "Frequenzumrichter",
    "Control module": "Steuerungsmodul",
    "Cylinder": "Zylinder",
    "Valve terminal": "Ventilinsel",
    "Filter regulator": "Filterregler",
    "Shaft seal": "Wellendichtring",
    "O-ring set": "O-Ring-Satz",
    "Gear oil": "Getriebeöl",
    "Bearing grease": "Lagerfett",
    "Belt module": "Bandmodul",
    "Roller module": "Rollenmodul",
    "Maintenance flat rate": "Wartungspauschale",
    "Remote support": "Fernwartung",
}


def german(word: str) -> str:
    """A word of the simulated data in German; a product name keeps its type designation."""
    if word in GERMAN:
        return GERMAN[word]
    for series, translated in SERIES.items():
        if word.startswith(f"{series} "):
            return translated + word.removeprefix(series)
    for beginning, translated in BEGINNINGS.items():
        if word.startswith(f"{beginning} "):
            return translated + word.removeprefix(beginning)
    subject, colon, rest = word.partition(": ")
    return f"{GERMAN[subject]}: {rest}" if colon and subject in GERMAN else word
