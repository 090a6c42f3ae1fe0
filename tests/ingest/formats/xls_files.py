"""Writes the old binary workbook (BIFF8 in an OLE container), just enough of it for tests."""

import struct


def xls(name: str, rows: list[list[str | float | None]]) -> bytes:
    """A workbook of one sheet with texts and numbers."""
    globals_size = len(_globals(name, 0))
    stream = _globals(name, globals_size) + _sheet(rows)
    return _ole(stream.ljust(4096, b"\0"))


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _begin(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 1996, 0, 6))


def _globals(name: str, offset: int) -> bytes:
    bound = struct.pack("<IBBBB", offset, 0, 0, len(name), 1) + name.encode("utf-16-le")
    return (
        _begin(5) + _record(0x0042, struct.pack("<H", 1200)) + _record(0x0085, bound) + _record(0x000A, b"")
    )


def _sheet(rows: list[list[str | float | None]]) -> bytes:
    width = max(len(row) for row in rows)
    out = _begin(0x10) + _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    for i, row in enumerate(rows):
        for k, cell in enumerate(row):
            if isinstance(cell, str):
                text = struct.pack("<HHHHB", i, k, 0, len(cell), 1) + cell.encode("utf-16-le")
                out += _record(0x0204, text)
            elif cell is not None:
                out += _record(0x0203, struct.pack("<HHHd", i, k, 0, cell))
    return out + _record(0x000A, b"")


def _ole(stream: bytes) -> bytes:
    """One stream in a compound file: sector 0 the allocation table, 1 the directory, from 2 on the stream."""
    stream += b"\0" * (-len(stream) % 512)
    sectors = len(stream) // 512
    chain = [*range(3, sectors + 2), -2]
    table = struct.pack("<128i", *([-3, -2, *chain] + [-1] * (126 - sectors)))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    head += struct.pack("<HHHHH6xIIIIIiiii", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, -2, 0, -2, 0)
    head += struct.pack("<109i", 0, *[-1] * 108)
    root = _entry("Root Entry", 5, 1, -2, 0)
    return head + table + root + _entry("Workbook", 2, -1, 2, len(stream)) + b"\0" * 256 + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    fixed = struct.pack("<HBBiii", len(text) + 2, kind, 1, -1, -1, child)
    return text.ljust(64, b"\0") + fixed + b"\0" * 36 + struct.pack("<iII", start, size, 0)
