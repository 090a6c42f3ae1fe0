# ruff: noqa: E501, SIM905 - data
"""Companies as sales lists have them, with planted duplicates and with neighbours that are none; all from one seed."""

from __future__ import annotations

import random
from dataclasses import replace

from klientel.web.records.likeness import Firm

SURNAMES = (
    "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf "
    "Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz Krause Meier Lehmann "
    "Schmid Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn "
    "Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Albrecht Schuster Simon Ludwig Böhm "
    "Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto Sommer Groß Seidel Heinrich Brandt Haas Schreiber Graf "
    "Dietrich Ziegler Kuhn Kühn Pohl Engel Horn Busch Bergmann Thomas Voigt Sauer Arnold Wolff Pfeiffer Smith Jones Taylor "
    "Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts Green Hall Wood Jackson Clarke"
).split()
TRADES = (
    "Maschinenbau Metallbau Elektrotechnik Präzisionstechnik Werkzeugbau Kunststofftechnik Anlagenbau Stahlbau Holzbau Bau "
    "Logistik Spedition Transporte Druck Verpackungen Lebensmittel Getränke Textil Möbel Gartenbau Fensterbau Dachdeckerei "
    "Sanitär Heizung Software Systems Consulting Medizintechnik Pharma Chemie Lacke Optik Messtechnik Automation Robotik "
    "Antriebstechnik Hydraulik Pumpen Armaturen Dichtungen Schrauben Federn Gießerei Guss Handel Großhandel Import Service "
    "Engineering Solutions Packaging Foods Textiles Plastics Tools Instruments Controls"
).split()
PLACES = {  # town -> postcode
    "Ulm": "89073", "Kiel": "24103", "Bonn": "53111", "Köln": "50667", "München": "80331", "Nürnberg": "90402",
    "Hannover": "30159", "Bremen": "28195", "Münster": "48143", "Lübeck": "23552", "Jena": "07743", "Erfurt": "99084",
    "Dresden": "01067", "Leipzig": "04109", "Rostock": "18055", "Trier": "54290", "Mainz": "55116", "Worms": "67547",
    "Aachen": "52062", "Siegen": "57072", "Gießen": "35390", "Kassel": "34117", "Fulda": "36037", "Bamberg": "96047",
    "Passau": "94032", "Regensburg": "93047", "Konstanz": "78462", "Freiburg": "79098", "Karlsruhe": "76131",
    "Heilbronn": "74072", "Leeds": "LS1 4AP", "Bristol": "BS1 4ST", "York": "YO1 7HH", "Bath": "BA1 1SU",
}  # fmt: skip
FORMS = (
    "GmbH",
    "GmbH",
    "GmbH",
    "GmbH",
    "GmbH & Co. KG",
    "GmbH & Co. KG",
    "AG",
    "KG",
    "OHG",
    "e.K.",
    "UG",
    "Ltd",
    "SE",
)
SPELLINGS = {
    "GmbH": ("GmbH", "G.m.b.H.", "Gmbh", "Gesellschaft mbH", "GMBH", ""),
    "GmbH & Co. KG": ("GmbH & Co. KG", "GmbH & Co KG", "GmbH und Co. KG", "GmbH + Co. KG", "GmbH&Co.KG"),
    "AG": ("AG", "A.G.", "Aktiengesellschaft", ""),
    "KG": ("KG", "K.G.", "Kommanditgesellschaft"),
    "OHG": ("OHG", "oHG"),
    "e.K.": ("e.K.", "e. K.", "e.Kfm."),
    "UG": ("UG (haftungsbeschränkt)", "UG"),
    "Ltd": ("Ltd", "Ltd.", "Limited"),
    "SE": ("SE",),
}
STREETS = "Haupt Bahnhof Garten Berg Schul Linden Wald Industrie Ring Hafen Mühlen Kirch Park Markt Goethe Schiller".split()
SYLLABLES = "ka ro ven tex mi lo san dur pra fe nor bel quo zan tri vex pal mer gon sil tas ura net lix cor dan".split()


class World:
    """Companies and which pairs of them are truly one."""

    def __init__(self, n: int, seed: int = 7, duplicates: float = 0.05) -> None:
        self.random = random.Random(seed)
        self.firms: list[Firm] = []
        self.truth: set[tuple[int, int]] = set()
        self._taken: set[tuple[str, str]] = (
            set()
        )  # the register refuses a name that is taken in the same place
        while len(self.firms) < n:
            firm = self._firm()
            self._keep(firm)
            self._neighbour(firm)
            if self.random.random() < duplicates:
                twin = self._keep(self._twin(firm))
                self.truth.add((firm.id, twin.id))

    def _keep(self, firm: Firm) -> Firm:
        self.firms.append(firm)
        return firm

    def _next(self) -> int:
        return len(self.firms) + 1

    def _stem(self, city: str) -> str:
        r = self.random
        match r.randrange(5):
            case 0:
                return f"{r.choice(SURNAMES)} {r.choice(TRADES)}"
            case 1:
                brand = "".join(r.choice(SYLLABLES) for _ in range(r.randint(2, 4))).capitalize()
                return f"{brand} {r.choice(TRADES)}"
            case 2:
                return f"{r.choice(TRADES)} {city}"
            case 3:
                return f"{r.choice(SURNAMES)} & {r.choice(SURNAMES)}"
            case _:
                return "".join(r.choice(SYLLABLES) for _ in range(r.randint(3, 5))).capitalize()

    def _firm(self) -> Firm:
        r = self.random
        form, city, stem = r.choice(FORMS), "", ""
        while not stem or (_sorted(stem), city) in self._taken:
            city = r.choice(list(PLACES))
            stem = self._stem(city)
        self._taken.add((_sorted(stem), city))
        host = "".join(c for c in stem.lower() if c.isascii() and c.isalpha()) + str(self._next())
        return Firm(
            self._next(),
            f"{stem} {form}",
            street=f"{r.choice(STREETS)}straße {r.randint(1, 150)}" if r.random() < 0.8 else "",
            postcode=PLACES[city],
            city=city if r.random() < 0.95 else "",
            country="DE",
            phone=f"0{r.randint(200, 999)} {r.randint(100000, 9999999)}" if r.random() < 0.5 else "",
            website=f"www.{host}.de" if r.random() < 0.4 else "",
            vat_id=f"DE{r.randint(10**8, 10**9 - 1)}" if r.random() < 0.25 else "",
        )

    def _neighbour(self, firm: Firm) -> None:
        """Firms that look like one another and are not: sisters of other form, numbered ones."""
        r = self.random
        stem, form = _split(firm.name)
        if r.random() < 0.03:
            other = r.choice([f for f in ("GmbH", "AG", "GmbH & Co. KG", "KG") if f != form])
            self._keep(replace(firm, id=self._next(), name=f"{stem} {other}", vat_id=""))
        elif r.random() < 0.02:
            for number in (1, 2):
                self._keep(
                    replace(firm, id=self._next(), name=f"{stem} {number} {form}", vat_id="", phone="")
                )

    def _twin(self, firm: Firm) -> Firm:
        """The same firm as somebody else typed it in."""
        r = self.random
        stem, form = _split(firm.name)
        if r.random() < 0.5:
            stem = stem.translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))
        if r.random() < 0.35:
            stem = _slip(stem, r)
        if r.random() < 0.2:
            stem = " ".join(reversed(stem.split(" "))) if "&" not in stem else stem.replace("&", "und")
        if r.random() < 0.2:
            stem = stem.upper()
        name = f"{stem} {r.choice(SPELLINGS[form])}".strip()

        def kept(value: str, often: float) -> str:
            return value if r.random() < often else ""

        moved = r.random() < 0.1
        city = r.choice(list(PLACES)) if moved else firm.city
        return Firm(
            self._next(),
            name,
            street="" if moved else kept(firm.street.replace("straße", "str."), 0.6),
            postcode=PLACES.get(city, "") if moved else kept(firm.postcode, 0.8),
            city=kept(city, 0.9),
            country=kept("DE", 0.7),
            phone=kept(firm.phone.replace("0", "+49 ", 1), 0.6),
            website=kept(firm.website.replace("www.", "https://"), 0.6),
            vat_id=kept(firm.vat_id, 0.6),
        )


def _sorted(stem: str) -> str:
    return " ".join(sorted(stem.split()))


def _split(name: str) -> tuple[str, str]:
    form = max((f for f in SPELLINGS if name.endswith(f" {f}")), key=len)
    return name.removesuffix(f" {form}"), form


def _slip(text: str, r: random.Random) -> str:
    """One slip of the pen: a letter left out, doubled, swapped or wrong."""
    k = r.randrange(1, max(2, len(text) - 1))
    match r.randrange(4):
        case 0:
            return text[:k] + text[k + 1 :]
        case 1:
            return text[:k] + text[k] + text[k:]
        case 2:
            return text[: k - 1] + text[k] + text[k - 1] + text[k + 1 :]
        case _:
            return text[:k] + r.choice("aeinrst") + text[k + 1 :]
