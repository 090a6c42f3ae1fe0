"""Names of firms and people as they can be compared: folded, with the legal form apart; addresses, domains, phones."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

# canonical form -> ways to write it, longest first where one is part of another; dots and blanks do not matter.
_FORMS: dict[str, tuple[str, ...]] = {
    "GmbH & Co. KGaA": ("gmbhcokgaa", "gmbhundcokgaa"),
    "AG & Co. KGaA": ("agcokgaa", "agundcokgaa"),
    "SE & Co. KGaA": ("secokgaa", "seundcokgaa"),
    "GmbH & Co. KG": ("gmbhcokg", "gmbhundcokg", "gmbhcokommanditgesellschaft", "mbhcokg", "mbhundcokg"),
    "GmbH & Co. OHG": ("gmbhcoohg", "gmbhundcoohg"),
    "AG & Co. KG": ("agcokg", "agundcokg"),
    "SE & Co. KG": ("secokg", "seundcokg"),
    "UG & Co. KG": ("ugcokg", "ugundcokg", "ughaftungsbeschraenktcokg", "ughaftungsbeschraenktundcokg"),
    "Ltd. & Co. KG": ("ltdcokg", "limitedcokg"),
    "KGaA": ("kgaa", "kommanditgesellschaftaufaktien"),
    "UG": ("ughaftungsbeschraenkt", "unternehmergesellschafthaftungsbeschraenkt", "ug"),
    "gGmbH": ("ggmbh", "gemeinnuetzigegmbh"),
    "GmbH": ("gesellschaftmitbeschraenkterhaftung", "gesellschaftmbh", "gesmbh", "gmbh", "mbh"),
    "AG": ("aktiengesellschaft", "ag"),
    "SE": ("societaseuropaea", "se"),
    "KG": ("kommanditgesellschaft", "cokg", "undcokg", "kg"),
    "OHG": ("offenehandelsgesellschaft", "ohg"),
    "GbR": ("gesellschaftbuergerlichenrechts", "gbrmbh", "gbr"),
    "PartG mbB": ("partgmbb", "partnerschaftsgesellschaftmbb"),
    "PartG": ("partnerschaftsgesellschaft", "partg"),
    "e.K.": ("eingetragenerkaufmann", "eingetragenekauffrau", "ekfr", "ekfm", "ek"),
    "e.V.": ("eingetragenerverein", "ev"),
    "eG": ("eingetragenegenossenschaft", "eg"),
    "Ltd.": ("limited", "ltd", "privatelimitedcompany", "pteltd", "ptyltd", "coltd"),
    "PLC": ("publiclimitedcompany", "plc"),
    "LLC": ("limitedliabilitycompany", "llc"),
    "LLP": ("limitedliabilitypartnership", "llp"),
    "LP": ("lp",),
    "Inc.": ("incorporated", "inc"),
    "Corp.": ("corporation", "corp"),
    "S.A.": ("societeanonyme", "sociedadanonima", "sa"),
    "SAS": ("sas",),
    "S.à r.l.": ("sarl",),
    "S.r.l.": ("srl",),
    "S.p.A.": ("spa",),
    "S.L.": ("sociedadlimitada", "slu", "sl"),
    "B.V.": ("beslotenvennootschap", "bv"),
    "N.V.": ("naamlozevennootschap", "nv"),
    "AB": ("aktiebolag", "ab"),
    "A/S": ("aktieselskab", "as"),
    "ApS": ("aps",),
    "Oy": ("oyj", "oy"),
    "Sp. z o.o.": ("spzoo",),
    "s.r.o.": ("sro",),
    "Kft.": ("kft",),
}
_BY_SPELLING = {spelling: form for form, spellings in _FORMS.items() for spelling in spellings}
_LONGEST = 6  # words that a legal form may take
_JOINING = frozenset({"und", "and", "et", "y"})
_EMPTY_WORDS = frozenset({"the", "die", "der", "das", "firma", "fa"})
_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "œ": "oe", "ł": "l"}
)
_WORD = re.compile(r"[a-z0-9]+")
# Addresses of providers say nothing about the firm.
FREE_MAIL = frozenset(
    {
        "gmail.com", "googlemail.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de",
        "outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "live.com", "live.de", "msn.com", "yahoo.com",
        "yahoo.de", "icloud.com", "me.com", "mac.com", "aol.com", "aol.de", "posteo.de", "mailbox.org", "arcor.de",
        "online.de", "proton.me", "protonmail.com", "bluewin.ch", "a1.net", "btinternet.com", "comcast.net",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Name:
    """A firm's name taken apart: its words without legal form, and the form ("" if the name has none)."""

    words: tuple[str, ...]
    form: str

    @property
    def core(self) -> str:
        """The words, joined."""
        return " ".join(self.words)


def fold(text: str) -> str:
    """Small letters without accents; umlauts as two letters, so that Müller and Mueller are one."""
    small = unicodedata.normalize("NFC", text).casefold().translate(_LETTERS)
    if small.isascii():
        return small
    return "".join(c for c in unicodedata.normalize("NFKD", small) if not unicodedata.combining(c))


@lru_cache(maxsize=200_000)
def firm(text: str, legal_form: str = "") -> Name:
    """A firm's name taken apart. `legal_form`: what its own column says; the name itself counts first.

    The form is looked for at the end, then before words that follow it ("Müller GmbH Ulm", "Meyer AG Deutschland").
    A name that is nothing but a form stays as it is.
    """
    words = _words(text)
    form, rest = _cut(words)
    if not form and legal_form:
        form = _BY_SPELLING.get("".join(_words(legal_form)), "")
    kept = [w for w in rest if w not in _JOINING and w not in _EMPTY_WORDS]
    return Name(tuple(kept or rest or words), form)


def _words(text: str) -> list[str]:
    """The words of a text; letters set apart by dots are one word (A.G., e. K., S.p.A.)."""
    folded = fold(text.replace("&", " und ").replace("+", " und "))
    folded = re.sub(r"\b([a-z])\.\s?(?=[a-z]\b)", r"\1", folded)
    return _WORD.findall(folded)


def _cut(words: list[str]) -> tuple[str, list[str]]:
    n = len(words)
    for end in range(n, 0, -1):
        for start in range(max(0, end - _LONGEST), end):
            joined = "".join(words[start:end])
            form = _BY_SPELLING.get(joined)
            if form is None or (start == 0 and end == n):
                continue
            if end < n and len(joined) < 3 and joined not in ("ag", "kg", "ug"):
                continue  # "sa", "se", "as" inside a name are words
            before = words[:start]
            if before and before[-1] in _JOINING and joined.startswith(("co", "kg")):
                before = before[:-1]
            return form, [*before, *words[end:]]
    return _grown_together(words)


def _grown_together(words: list[str]) -> tuple[str, list[str]]:
    """Handelsgesellschaft mbH is a GmbH; so is "Baugesellschaft mbH", which ends as usual. Nothing else is guessed."""
    if words and len(words[-1]) > 12 and words[-1].endswith("aktiengesellschaft"):
        return "AG", [*words[:-1], words[-1].removesuffix("aktiengesellschaft")]
    return "", words


def differ(one: str, other: str) -> bool:
    """True if two legal forms are known and not the same: a GmbH is not an AG, nor a GmbH & Co. KG."""
    return bool(one and other and one != other)


def numerals(words: tuple[str, ...]) -> tuple[str, ...]:
    """Numbers in a name, Roman ones too: what tells "Solarpark 3" from "Solarpark 4"."""
    return tuple(sorted(w for w in words if any(c.isdigit() for c in w) or w in _ROMAN))


_ROMAN = frozenset({"ii", "iii", "iv", "vi", "vii", "viii", "ix", "xi", "xii"})


def domain(website: str, email: str = "") -> str:
    """The web domain of a firm; "" for providers that everybody uses."""
    text = website.strip().lower()
    if text:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    else:
        host = email.rpartition("@")[2].strip().lower()
    host = host.removeprefix("www.").rstrip(".")
    return "" if host in FREE_MAIL or "." not in host else host


def phone(text: str) -> str:
    """The digits that identify a connection, without country code and leading zeros; "" if they are too few."""
    digits = re.sub(r"\(0\)", "", text)
    plus = digits.strip().startswith(("+", "00"))
    digits = re.sub(r"\D", "", digits).lstrip("0")
    if plus and len(digits) > 9:
        digits = digits[2:].lstrip("0")  # two digits are right for the countries around
    return digits if len(digits) >= 6 else ""


def vat(text: str) -> str:
    """A VAT number without blanks and dots; "" if it is too short to be one."""
    found = re.sub(r"[^A-Z0-9]", "", text.upper())
    return found if len(found) >= 8 else ""


def street(text: str) -> str:
    """A street with its house number as it can be compared: Hauptstr. 5 = Hauptstraße 5."""
    words = _WORD.findall(re.sub(r"str\.|strasse\b|stra?s?e?\b(?=\s*\d)", "str ", fold(text)))
    joined = " ".join(words)
    return re.sub(r"\s+str\b", "str", joined)


def person(first: str, last: str) -> tuple[str, ...]:
    """The words of a person's name without titles, sorted, so that "Kurz, Eva" and "Eva Kurz" are one."""
    words = _WORD.findall(fold(f"{first} {last}"))
    return tuple(sorted(w for w in words if w not in _TITLES))


_TITLES = frozenset(
    {"dr", "prof", "dipl", "ing", "herr", "frau", "mr", "mrs", "ms", "med", "von", "van", "de", "mag"}
)
