"""Values of text columns: the format of each column and the SQL that reads numbers, dates, flags and keys."""

from klientel.ingest.values.calendar import period_of
from klientel.ingest.values.dates import DateFormat, date_empty_sql, date_end_sql, date_sql
from klientel.ingest.values.flags import FlagFormat, flag_sql
from klientel.ingest.values.keys import KeyFormat, key_sql
from klientel.ingest.values.numbers import (
    MONEY,
    RATE,
    NumberFormat,
    currency_sql,
    number_sql,
    share_sql,
)
from klientel.ingest.values.profile import Profile, profile
from klientel.ingest.values.shapes import empty_sql

__all__ = [
    "MONEY",
    "RATE",
    "DateFormat",
    "FlagFormat",
    "KeyFormat",
    "NumberFormat",
    "Profile",
    "currency_sql",
    "date_empty_sql",
    "date_end_sql",
    "date_sql",
    "empty_sql",
    "flag_sql",
    "key_sql",
    "number_sql",
    "period_of",
    "profile",
    "share_sql",
]
