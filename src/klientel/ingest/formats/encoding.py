"""Finds the encoding of a text file by reading all of it, and streams it as UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from klientel.errors import BadFile
from klientel.ingest.formats.limits import LIMITS, Limits
from klientel.words import say

_BOMS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\r\f\x0b\x1a\x1b\x1c\x1d\x1e\x1f")
_BINARY_SHARE = 0.02


@dataclass(frozen=True)
class Encoding:
    """What the bytes of a file mean. `bom` bytes are skipped; some_bad: single rows cannot be decoded."""

    codec: str
    label: str
    bom: int = 0
    some_bad: bool = False


def find_encoding(path: Path, file: str, limits: Limits = LIMITS) -> Encoding:
    """Byte order mark, else strict UTF-8 over the whole file, else Windows-1252.

    A file that is UTF-8 but for a few bytes stays UTF-8 (its bad rows are rejected later). Raises
    BadFile for an empty file and for one that is not text.
    """
    with path.open("rb") as stream:
        head = stream.read(64 * 1024)
    if not head.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        if path.stat().st_size <= len(head):
            raise BadFile(say("{file} is empty: there is nothing to read in it.", file=file))
        raise BadFile(_not_text(file))
    for bom, codec, label in _BOMS:
        if head.startswith(bom):
            return _marked(path, codec, label, len(bom), file, limits)
    wide = _unmarked_utf16(head)
    if wide:
        return Encoding(wide, "UTF-16")
    _refuse_binary(head, file)
    good, bad = _count_utf8(path, 0, limits)
    if bad == 0 or good >= 4 * bad:
        return Encoding("utf-8", "UTF-8", some_bad=bad > 0)
    return Encoding("cp1252", "Windows-1252")


def stream_utf8(path: Path, encoding: Encoding, limits: Limits = LIMITS) -> Iterator[tuple[bytes, int]]:
    """Yield (UTF-8 bytes, bytes of the file read so far). What cannot be decoded stays invalid UTF-8.

    Files whose lines end in a lone carriage return get line feeds instead, so that later steps know
    one kind of line end besides CRLF.
    """
    mac: bool | None = None
    for data, position in _transcoded(path, encoding, limits):
        if mac is None:
            mac = b"\n" not in data and b"\r" in data[:-1]
        yield (data.replace(b"\r", b"\n") if mac else data), position


def _transcoded(path: Path, encoding: Encoding, limits: Limits) -> Iterator[tuple[bytes, int]]:
    position = encoding.bom
    with path.open("rb") as stream:
        stream.seek(position)
        if encoding.codec in ("utf-8", "cp1252"):
            while data := stream.read(limits.block):
                position += len(data)
                if encoding.codec == "cp1252" and not data.isascii():
                    data = data.decode("cp1252", "surrogateescape").encode("utf-8", "surrogateescape")
                yield data, position
            return
        decoder = codecs.getincrementaldecoder(encoding.codec)("surrogatepass")
        while data := stream.read(limits.block):
            position += len(data)
            try:
                text = decoder.decode(data)
            except UnicodeDecodeError:  # UTF-32 beyond Unicode: the block is shown as damaged
                decoder.reset()
                text = data.decode(encoding.codec, "replace").replace("�", "\udcff")
            yield text.encode("utf-8", "surrogatepass"), position
        if decoder.getstate()[0]:
            yield b"\xff", position  # a character cut off at the end: its row is rejected


def _marked(path: Path, codec: str, label: str, bom: int, file: str, limits: Limits) -> Encoding:
    if codec != "utf-8":
        return Encoding(codec, label, bom)
    with path.open("rb") as stream:
        _refuse_binary(stream.read(64 * 1024), file)
    _, bad = _count_utf8(path, bom, limits)
    return Encoding(codec, label, bom, some_bad=bad > 0)


def _count_utf8(path: Path, start: int, limits: Limits) -> tuple[int, int]:
    """Characters beyond ASCII that are good UTF-8, and bytes that are not UTF-8, in the whole file."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    with path.open("rb") as stream:
        stream.seek(start)
        while data := stream.read(limits.block):
            if data.isascii() and not decoder.getstate()[0]:
                continue
            text = decoder.decode(data)
            wrong = _wrong(text)
            bad += wrong
            good += len(text) - len(text.encode("ascii", "ignore")) - wrong
        bad += _wrong(decoder.decode(b"", final=True))
    return good, bad


def _wrong(text: str) -> int:
    """Bytes that were no UTF-8, counted without a list of them: there can be millions."""
    return len(text) - len(text.encode("utf-8", "ignore").decode("utf-8"))


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without a mark shows in zero bytes at every other place."""
    even, odd = head[0:4096:2], head[1:4096:2]
    if len(odd) < 4:
        return None
    zeros_even, zeros_odd = even.count(0) / len(even), odd.count(0) / len(odd)
    if zeros_odd > 0.6 and zeros_even < 0.05:
        return "utf-16-le"
    if zeros_even > 0.6 and zeros_odd < 0.05:
        return "utf-16-be"
    return None


def _refuse_binary(head: bytes, file: str) -> None:
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls > _BINARY_SHARE * len(head) and controls > 2:
        raise BadFile(_not_text(file))


def _not_text(file: str) -> str:
    return say(
        "{file} is not a text file and none of the formats that can be read: "
        "save it as CSV, XLSX or Parquet and try again.",
        file=file,
    )
