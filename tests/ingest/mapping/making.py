"""Makes raw tables for the tests out of a short notation: "Kd.-Nr.=customer>customer_id; Netto=money>net_amount"."""

from __future__ import annotations

import random

import pyarrow as pa

from klientel.ingest.mapping import recognise
from klientel.ingest.mapping.evidence import Evidence, from_values
from klientel.ingest.raw import RawColumn, RawTable
from klientel.ingest.recognition import Recognition

FIRMS = (
    "Albrecht Metallbau GmbH", "Bäckerei Sonntag", "Cordes & Söhne KG", "Dorn Elektrotechnik AG", "Eifel Holzhandel",
    "Friesen Logistik GmbH", "Gärtnerei Blum", "Hansa Medizintechnik", "Ilmtal Glas GmbH", "Jensen Schiffsbedarf",
    "Krüger Maschinenbau", "Lausitz Textil AG", "Moselwein Kontor", "Nordlicht Solar GmbH", "Oberland Druck",
)  # fmt: skip
CITIES = ("Kiel", "Ulm", "Graz", "Basel", "Jena", "Bad Homburg", "Trier", "Linz")
Table = tuple[RawTable, dict[str, Evidence]]
Made = tuple[Table, dict[str, str]]
PEOPLE = ("Anna Berg", "Ben Cordes", "Cem Demir", "Doris Ebert")


def _values(kind: str, rng: random.Random, n: int) -> list[str | None]:
    """n values of a kind; those of a customer (name, city, ...) follow the same customers row by row."""
    who = [(i * 7 + i // 15) % len(FIRMS) for i in range(n)]
    per_customer = {
        "customer": lambda c: f"K{10040 + 13 * c}",
        "number": lambda c: str(10040 + 13 * c),
        "firm": lambda c: FIRMS[c],
        "city": lambda c: CITIES[c % len(CITIES)],
        "plz": lambda c: f"{1067 + 5311 * c:05d}",
        "industry": lambda c: ("Handel", "Maschinenbau", "Pharma")[c % 3],
        "country": lambda c: ("DE", "AT", "CH")[c % 3],
        "size": lambda c: ("S", "M", "L")[c % 3],
        "employees": lambda c: str(12 + 37 * c),
        "rep": lambda c: PEOPLE[c % 4],
        "since": lambda c: f"{1 + c:02d}.03.20{10 + c % 9}",
        "email": lambda c: f"info@firma{c}.de",
        "phone": lambda c: f"+49 431 55{c:04d}",
        "web": lambda c: f"www.firma{c}.de",
        "founded": lambda c: str(1920 + 5 * c),
        "plan": lambda c: ("Monatlich", "Jährlich", "Zwei Jahre")[c % 3],
        "yesno": lambda c: ("ja", "nein")[c % 2],
        "segment": lambda c: ("Gold", "Silber", "Bronze")[c % 3],
        "parent": lambda c: f"K{10040 + 13 * (c - c % 5)}" if c % 5 else None,
    }
    if kind in per_customer:
        return [per_customer[kind](c) for c in who]
    match kind:
        case "money":
            return [f"{rng.uniform(20, 9000):.2f}".replace(".", ",") for _ in range(n)]
        case "dot":
            return [f"{rng.uniform(20, 9000):.2f}" for _ in range(n)]
        case "whole":
            return [str(rng.randint(150, 90000)) for _ in range(n)]
        case "small":
            return [str(rng.randint(1, 24)) for _ in range(n)]
        case "percent":
            return [str(rng.choice([0, 0, 3, 5, 10, 15])) for _ in range(n)]
        case "share":
            return [str(rng.choice(["0", "0.05", "0.1", "0.25"])) for _ in range(n)]
        case "date":
            return [
                f"{rng.randint(1, 28):02d}.{rng.randint(1, 12):02d}.202{rng.randint(2, 4)}" for _ in range(n)
            ]
        case "iso":
            return [
                f"202{rng.randint(2, 4)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}" for _ in range(n)
            ]
        case "yyyymmdd":
            return [
                f"202{rng.randint(2, 4)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}" for _ in range(n)
            ]
        case "doc":
            return [f"RE-2024-{3000 + i}" for i in range(n)]
        case "docs":
            return [str(70100 + i // 3) for i in range(n)]
        case "sku":
            return [f"A-{rng.randint(100, 118)}" for _ in range(n)]
        case "item":
            return [
                rng.choice(["Winkel 40 mm", "Bohrer Satz", "Dichtung rot", "Pumpe klein"]) for _ in range(n)
            ]
        case "group":
            return [rng.choice(["Werkzeug", "Dichtungen", "Pumpen"]) for _ in range(n)]
        case "pos":
            return [str(10 * (i % 3 + 1)) for i in range(n)]
        case "unit":
            return [rng.choice(["Stk", "Karton"]) for _ in range(n)]
        case "currency":
            return [rng.choice(["EUR", "EUR", "CHF"]) for _ in range(n)]
        case "stage":
            return [rng.choice(["Angebot", "Verhandlung", "Gewonnen", "Verloren"]) for _ in range(n)]
        case "kind":
            return [rng.choice(["Rechnung", "Rechnung", "Gutschrift"]) for _ in range(n)]
        case "person":
            return [rng.choice(PEOPLE).split()[0] for _ in range(n)]
        case "surname":
            return [f"{rng.choice(PEOPLE).split()[1]}{'aeiou'[i % 5]}" for i in range(n)]
        case "visit":
            return [rng.choice(["Besuch", "Anruf", "E-Mail"]) for _ in range(n)]
        case "text":
            return [f"Bemerkung zu Vorgang {i}" for i in range(n)]
        case "unique":
            return [f"X{5000 + i}" for i in range(n)]
        case "one":
            return [str(i + 1) for i in range(n)]
        case "empty":
            return [None] * n
        case "year":
            return [str(rng.randint(2022, 2024)) for _ in range(n)]
    raise AssertionError(kind)


def make(notation: str, file: str = "export.csv", rows: int = 45, shuffle: int | None = None) -> Made:
    """The raw table of a notation "Header=kind>expectation; ...", its evidence and the expectations by header."""
    rng = random.Random(7)
    parts = [part.strip() for part in notation.strip().rstrip(";").split(";")]
    columns: list[tuple[str, list[str | None], str]] = []
    for part in parts:
        left, _, expectation = part.rpartition(">")
        text, _, kind = left.rpartition("=")
        columns.append((text.strip(), _values(kind.strip(), rng, rows), expectation.strip()))
    if shuffle is not None:
        random.Random(shuffle).shuffle(columns)
    return table([(h, v) for h, v, _ in columns], file), {h: expectation for h, _, expectation in columns}


def table(columns: list[tuple[str, list[str | None]]], file: str) -> Table:
    """A raw table of staged text with the given headers and values, and its evidence."""
    data = {f"c{i}": pa.array(values, pa.string()) for i, (_, values) in enumerate(columns)}
    rows = len(columns[0][1])
    data["line"] = pa.array(range(2, rows + 2), pa.int64())
    heads = tuple(RawColumn(f"c{i}", text) for i, (text, _) in enumerate(columns))
    raw = RawTable(file.rsplit(".", 1)[0], file, heads, pa.table(data), rows)
    return raw, {f"c{i}": from_values(values) for i, (_, values) in enumerate(columns)}


def run(*tables: Table, **further: object) -> list[Recognition]:
    """Recognise raw tables made here."""
    return recognise([t[0] for t in tables], {i: t[1] for i, t in enumerate(tables)}, **further)  # type: ignore[arg-type]


def taken(found: list[Recognition]) -> dict[str, str]:
    """Header -> where it went: "column" of the primary table, "@table.column" of a secondary, "attribute", "period"."""
    went: dict[str, str] = {}
    for recognition in sorted(found, key=lambda r: r.secondary, reverse=True):
        for name, match in recognition.columns.items():
            went[match.header] = f"@{recognition.table}.{name}" if recognition.secondary else name
        for match in recognition.attributes.values():
            went[match.header] = "attribute"
        headers = recognition.raw.headers()
        for column in recognition.periods:
            went[headers[column]] = "period"
    return went
