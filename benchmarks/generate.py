"""Makes the order lines that the benchmarks read: seeded, so that every machine measures the same lines."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

SEED = 20240229
FIRST_DAY, LAST_DAY = date(2019, 1, 1), date(2023, 12, 31)
LINES_PER_CUSTOMER = 20
GROUP = 1_000_000  # rows of a Parquet row group, and of one step of the generator
SCHEMA = pa.schema([("customer", pa.int64()), ("date", pa.date32()), ("amount", pa.float64())])


def lines(folder: Path, rows: int) -> Path:
    """The Parquet file with that many order lines in `folder`, made if it is not there.

    customer int64 (rows / 20 of them, uniform), date DATE32 (five years, uniform), amount DOUBLE with two
    decimals (log-normal, median 50), rows in no order: no engine is helped by sorted keys.
    """
    path = folder / f"lines-{rows}.parquet"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with pq.ParquetWriter(unfinished, SCHEMA, compression="snappy") as writer:
        for batch in _batches(rows):
            writer.write_table(batch, row_group_size=GROUP)
    unfinished.rename(path)
    return path


def german_csv(folder: Path, rows: int) -> Path:
    """The same lines as a CSV file in the German dialect: Kunde;Datum;Betrag, 31.12.2023, 1234,56."""
    path = folder / f"zeilen-{rows}.csv"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as out:
        out.write(b"Kunde;Datum;Betrag\n")
        options = csv.WriteOptions(include_header=False, delimiter=";", quoting_style="none")
        for batch in _batches(rows):
            csv.write_csv(_german(batch), out, options)
    unfinished.rename(path)
    return path


def _batches(rows: int):
    random = np.random.default_rng(SEED)
    start = np.datetime64(FIRST_DAY, "D").astype("int32")
    days = (LAST_DAY - FIRST_DAY).days + 1
    for done in range(0, rows, GROUP):
        size = min(GROUP, rows - done)
        customers = random.integers(1, max(1, rows // LINES_PER_CUSTOMER), size, endpoint=True)
        dates = (start + random.integers(0, days, size)).astype("int32")
        amounts = np.round(np.exp(random.normal(np.log(50), 1.0, size)), 2)
        yield pa.table([customers, pa.array(dates, pa.date32()), amounts], schema=SCHEMA)


def _german(batch: pa.Table) -> pa.Table:
    import pyarrow.compute as pc

    dates = pc.strftime(batch["date"], "%d.%m.%Y")
    cents = pc.cast(pc.round(pc.multiply(batch["amount"], 100)), pa.int64())
    whole, rest = (
        pc.divide(cents, 100),
        pc.cast(pc.subtract(cents, pc.multiply(pc.divide(cents, 100), 100)), pa.string()),
    )
    amounts = pc.binary_join_element_wise(pc.cast(whole, pa.string()), pc.utf8_lpad(rest, 2, "0"), ",")
    return pa.table([batch["customer"], dates, amounts], names=["Kunde", "Datum", "Betrag"])
