"""How much of a file is believed: limits that keep memory bounded whatever is thrown in."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds for reading; all sizes in bytes. The defaults keep the process well under 1 GB of memory.

    ratio and ratio_from: an archive member that unpacks to more than `ratio_from` bytes and more than
    `ratio` times its packed size is refused as a zip bomb; unpacked: the most one source may unpack to.
    """

    block: int = 8 * MIB  # text parsed at a time
    sample: int = MIB  # text looked at to find out dialect and header
    line: int = MIB  # longest physical line
    record_lines: int = 500  # most physical lines in one row (line breaks inside quotes)
    columns: int = 4096
    rejections: int = 10_000  # kept; more are only counted
    excerpt: int = 120  # characters of a bad row that are shown
    ratio: int = 250
    ratio_from: int = 64 * MIB
    unpacked: int = 32 << 30
    members: int = 1000  # usable files in one archive or folder
    sheet_bytes: int = 400 * MIB  # a workbook, unpacked: it must fit into memory
    sheet_cells: int = 12_000_000  # rows times columns of one sheet, empty cells included
    record_bytes: int = 32 * MIB  # a JSON document that is not JSON lines
    group_bytes: int = 64 * MIB  # rows collected in memory before they are written


LIMITS = Limits()
