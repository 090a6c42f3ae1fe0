"""Invented companies, people and where they sit. Streets and towns exist; the companies do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from klientel.demo.columns import Ints, Texts

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """A sales area: country, region, share of customers, towns with the first digits of their postcodes."""

    country: str
    region: str
    weight: float
    digits: int
    towns: tuple[tuple[str, str], ...]
    currency: str = "EUR"


PLACES = (
    Place(
        "DE",
        "North",
        0.16,
        5,
        (
            ("Lüneburg", "213"),
            ("Oldenburg", "261"),
            ("Kiel", "241"),
            ("Stade", "216"),
            ("Celle", "292"),
            ("Rostock", "180"),
        ),
    ),
    Place(
        "DE",
        "West",
        0.24,
        5,
        (
            ("Hagen", "580"),
            ("Siegen", "570"),
            ("Krefeld", "477"),
            ("Paderborn", "330"),
            ("Remscheid", "428"),
            ("Koblenz", "560"),
            ("Gütersloh", "333"),
        ),
    ),
    Place(
        "DE",
        "South",
        0.28,
        5,
        (
            ("Heilbronn", "740"),
            ("Aalen", "734"),
            ("Ingolstadt", "850"),
            ("Ulm", "890"),
            ("Offenburg", "776"),
            ("Bamberg", "960"),
            ("Reutlingen", "727"),
        ),
    ),
    Place(
        "DE",
        "East",
        0.10,
        5,
        (("Chemnitz", "091"), ("Zwickau", "080"), ("Jena", "077"), ("Cottbus", "030"), ("Magdeburg", "391")),
    ),
    Place("AT", "Austria", 0.07, 4, (("Linz", "40"), ("Wels", "46"), ("Graz", "80"), ("Dornbirn", "68"))),
    Place(
        "CH",
        "Switzerland",
        0.08,
        4,
        (("Winterthur", "84"), ("Aarau", "50"), ("Thun", "36"), ("Wil", "95")),
        "CHF",
    ),
    Place("NL", "Benelux", 0.03, 4, (("Venlo", "59"), ("Enschede", "75"), ("Eindhoven", "56"))),
    Place("FR", "France", 0.03, 5, (("Colmar", "680"), ("Nancy", "540"), ("Annecy", "740"))),
    Place("GB", "Great Britain", 0.01, 4, (("Leeds", "LS"), ("Derby", "DE"), ("Telford", "TF"))),
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


HEADS = _words(
    "Hal Bren Kor Lin Mar Nor Ost Rein Sieg Tal Ul Vor Wald Zim Eich Fal Gren Hag Brück Lüt Dor Ach "
    "Bir Cor Ebers Frei Gol Hün Ker Lau Mei Neu Ofer Pren Ro Schön Thei Ver Wie Zel"
)
MIDDLES = _words("ken der ber ten gen win sen ler ding hol ren mer")
_TAILS = _words("mann berg hof stein feld er ing bach wald ner rath hausen meyer kamp")
_JOINTS = ("a", "o", "i", "e")
_FIRMS = ("tec", "werk", "plast", "metal", "system", "form", "tron", "flex", "mont")
_FOREIGN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "FR": (
        _words("Beaure Montal Charli Valo Rosin Granve Clerre Fonti Mareli Durvi"),
        _words("vier mont lac ville tier rand champ neau"),
    ),
    "NL": (
        _words("Verho Oostel Zander Koolen Westel Molder Brinkel"),
        _words("stra veld huis kamp hoven dijk"),
    ),
    "GB": (
        _words("Wexen Thornel Crowin Harlen Pendel Quarin Osmer Ellow"),
        _words("ley combe worth field bury"),
    ),
}
_BRANCHES = (
    ("Maschinenbau", "Anlagenbau", "Sondermaschinen", "Pumpentechnik", "Verpackungsmaschinen", "Werkzeugbau"),
    ("Metallbau", "Stahlverarbeitung", "Blechtechnik", "Zerspanung", "Gießerei", "Drahtwerke"),
    ("Kunststofftechnik", "Chemie", "Lacke", "Spritzguss", "Folien", "Klebstoffe"),
    ("Automotive", "Fahrzeugteile", "Antriebskomponenten", "Fahrwerktechnik", "Interieur"),
    ("Backwaren", "Molkerei", "Getränke", "Feinkost", "Fleischwaren", "Süßwaren"),
    ("Bau", "Tiefbau", "Baustoffe", "Betonwerk", "Straßenbau", "Gerüstbau"),
    ("Logistik", "Spedition", "Lagertechnik", "Intralogistik", "Transporte"),
    ("Medizintechnik", "Labortechnik", "Dentaltechnik", "Orthopädietechnik"),
    ("Technischer Handel", "Industriebedarf", "Antriebstechnik", "Werkzeughandel"),
)
_BRANCHES_ABROAD = (
    "Engineering",
    "Metals",
    "Polymers",
    "Automotive",
    "Foods",
    "Construction",
    "Logistics",
    "Medical",
    "Industrial Supplies",
)
_FORMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "DE": (("GmbH", "GmbH", "GmbH", "GmbH & Co. KG", "KG", "e. K."), ("AG", "SE", "GmbH", "GmbH & Co. KG")),
    "AT": (("GmbH", "GmbH", "KG"), ("AG", "GmbH")),
    "CH": (("AG", "GmbH"), ("AG", "SA")),
    "NL": (("B.V.",), ("B.V.", "N.V.")),
    "FR": (("SARL", "SAS"), ("SA", "SAS")),
    "GB": (("Ltd",), ("Ltd", "plc")),
}
FIRST_NAMES = (
    "Anke",
    "Jonas",
    "Miriam",
    "Tobias",
    "Selin",
    "Frank",
    "Katharina",
    "Lukas",
    "Birgit",
    "Daniel",
    "Claudia",
    "Emre",
)


def stems(rng: np.random.Generator, countries: list[str]) -> list[str]:
    """A family name or coined word per company, from syllables, in the manner of its country."""
    a, b, c, kind = rng.random((4, len(countries)))
    made = []
    for country, x, y, z, k in zip(countries, a.tolist(), b.tolist(), c.tolist(), kind.tolist(), strict=True):
        heads, tails = _FOREIGN.get(country, (HEADS, _TAILS))
        head, middle, tail = _pick(heads, x), _pick(MIDDLES, y), _pick(tails, z)
        if country in _FOREIGN:
            made.append(head + tail)
        elif k < 0.22:
            made.append(head + _pick(_JOINTS, y) + _pick(_FIRMS, z))
        else:
            made.append(head + middle + tail)
    return made


def _pick(options: tuple[T, ...], u: float) -> T:
    return options[int(u * len(options))]


def company_names(
    rng: np.random.Generator, industry: Ints, size: Ints, place: Ints, towns: list[str], parent: Ints
) -> tuple[list[str], list[str]]:
    """Names (all different) and legal forms. Members of a group carry the stem of its head."""
    countries = [PLACES[p].country for p in place.tolist()]
    stem = stems(rng, countries)
    partner = stems(rng, countries)
    for i in np.flatnonzero(parent >= 0).tolist():
        stem[i] = stem[int(parent[i])]
    heads = set(parent[parent >= 0].tolist())
    u, v, w = rng.random((3, len(stem)))
    names: list[str] = []
    forms: list[str] = []
    seen: set[str] = set()
    for i, country in enumerate(countries):
        small, large = _FORMS[country]
        form = _pick(large if size[i] >= 2 else small, float(w[i]))
        local = country in ("DE", "AT", "CH")
        branch = _pick(_BRANCHES[industry[i]], float(u[i])) if local else _BRANCHES_ABROAD[industry[i]]
        name = "Holding" if i in heads and local else branch
        family = f"{stem[i]} & Söhne" if local and v[i] < 0.07 else stem[i]
        family = f"{stem[i]} & {partner[i]}" if 0.07 <= v[i] < 0.14 and parent[i] < 0 else family
        name = _unused(seen, f"{family} {name}", towns[i], partner[i])
        names.append(f"{name} {form}")
        forms.append(form)
    return names, forms


def _unused(seen: set[str], name: str, town: str, second: str) -> str:
    for candidate in (name, f"{name} {town}", f"{second}-{name}", f"{second}-{name} {town}"):
        if candidate not in seen:
            seen.add(candidate)
            return candidate
    number = 2
    while f"{name} {town} {number}" in seen:
        number += 1
    seen.add(f"{name} {town} {number}")
    return f"{name} {town} {number}"


def addresses(rng: np.random.Generator, place: Ints) -> tuple[list[str], list[str]]:
    """Town and postcode per company."""
    u, v = rng.random((2, len(place)))
    towns, codes = [], []
    for p, x, y in zip(place.tolist(), u.tolist(), v.tolist(), strict=True):
        town, start = _pick(PLACES[p].towns, x)
        width = PLACES[p].digits - len(start)
        towns.append(town)
        codes.append(f"{start}{int(y * 10**width):0{width}d}")
    return towns, codes


def slug(name: str, form: str) -> str:
    """A web address for a company, under the reserved top-level domain .example."""
    text = name.removesuffix(form).strip().lower()
    for a, b in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), (" & ", "-"), (" ", "-")):
        text = text.replace(a, b)
    return f"{text}.example"


def surnames(rng: np.random.Generator, n: int) -> Texts:
    """Different family names for people."""
    made = [
        HEADS[i] + MIDDLES[j] + t
        for i, j, t in zip(
            rng.permutation(len(HEADS))[:n].tolist(),
            rng.integers(len(MIDDLES), size=n).tolist(),
            rng.choice(["mann", "er", "ing", "meyer"], n).tolist(),
            strict=True,
        )
    ]
    return np.array(made, dtype=object)
