"""Bank statements told by their headers: payments are no sales, whatever their columns are called."""

from __future__ import annotations

import re
from collections.abc import Sequence

from klientel.ingest.raw import RawColumn

# Each group is one thing that statements say and sales lists do not.
_SIGNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\biban\b|\bauftragskonto\b|\bsort ?code\b|\brouting (?:no|number)\b|^kontonummer\b|^account (?:no|number|#)",
        r"\bbic\b|\bswift\b|\bblz\b|bankleitzahl|\bbankname\b|^bank$|name der bank",
        r"verwendungszweck|\bvwz\b|remittance|payment (?:reference|details|purpose)|\bnarrative\b|^purpose\b|\bmemo\b",
        r"buchungstag|buchungsdatum|\bvaluta|wertstellung|value date|booking date|date posted|posting date|^posted",
        r"\bsaldo\b|kontostand|\bbalance\b",
        r"gläubiger|glaeubiger|creditor id|mandat|end-?to-?end|sammlerreferenz|kundenreferenz",
        r"auftraggeber|empfänger|empfaenger|begünstigter|beguenstigter|zahlungspflichtiger|zahlungsempf|zahlungsbeteiligte"
        r"|\bpayee\b|\bpayer\b|counter-?party|beneficiary|gegenpartei|remitter",
        r"\bpaid (?:in|out)\b|\bmoney (?:in|out)\b|\bwithdrawals?\b|\bdeposits?\b|lastschrift|buchungstext|umsatzart"
        r"|transaction (?:type|code)|^debit\b|^credit\b|\b(?:debit|credit) amount|^soll$|^haben$",
    )
)
_BALANCE, _OTHER_SIDE = _SIGNS[4], _SIGNS[7]
_PLAIN = re.compile(
    r"^(?:description|details|beschreibung|text|payee|memo|narrative|transaction)\b", re.IGNORECASE
)
_SALES = re.compile(
    r"kunden-?(?:n|id)|kunden?\b(?!.?referenz)|kundenname|debitor|customer|client|rechnung|invoice|bestell|order\b|artikel"
    r"|produkt|product|\bsku\b|menge|quantity|\bqty\b|netto|\bnet\b|mwst|\bvat\b",
    re.IGNORECASE,
)
_ENOUGH = 3


def is_bank_statement(columns: Sequence[RawColumn]) -> bool:
    """True for the headers of an account statement: account, purpose, value date, balance, other party."""
    headers = [c.header.replace("_", " ").strip() for c in columns]
    if any(_SALES.search(h) for h in headers):
        return False
    found = sum(any(sign.search(h) for h in headers) for sign in _SIGNS)
    if found >= _ENOUGH:
        return True
    balance = any(_BALANCE.search(h) for h in headers)
    return balance and (found >= 2 or any(_PLAIN.search(h) for h in headers)) and len(headers) >= 4
