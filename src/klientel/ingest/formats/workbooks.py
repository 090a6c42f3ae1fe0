"""Looks into a workbook before it is loaded: passwords, bombs, cells without a stored value."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.parsers import expat

from klientel.errors import BadFile
from klientel.ingest.formats.archives import bomb, locked
from klientel.ingest.formats.limits import MIB, Limits
from klientel.words import Sentence, say

_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_CELL = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="([A-Z]{1,3})(\d{1,7})"[^>]*?(/?)>')
_ROW = re.compile(rb'row r="(\d{1,7})"')
_WIDE = re.compile(rb' r="([A-Z]{2,3})(\d{1,7})"')
_DEEP = re.compile(rb' r="[A-Z](\d{6,7})"')
_NO_RESULT = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>|</c>)")
_TRIAL = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (ImportError, OSError, ValueError):
    pass
from python_calamine import CalamineWorkbook, PasswordError
with open(sys.argv[1], "rb") as stream:
    try:
        book = CalamineWorkbook.from_filelike(stream)
    except PasswordError:
        sys.exit(0)
    for name in book.sheet_names:
        for row in book.get_sheet_by_name(name).iter_rows():
            pass
"""
_PATIENCE = 120  # seconds
_OVERLAP = 512  # bytes kept between pieces, so that no cell is overlooked at a seam
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


@dataclass
class Facts:
    """What was seen in a workbook: error cells, formulas without result, a sheet that may reach too far."""

    errors: int = 0
    unsolved: int = 0
    suspect: bool = False

    def notes(self) -> list[Sentence]:
        """Cells whose content is not there, as sentences."""
        notes = []
        if self.errors:
            notes.append(say("Cells with an error such as #N/A, counted as empty: {n}.", n=self.errors))
        if self.unsolved:
            notes.append(
                say(
                    "Formulas without a stored result, counted as empty: {n}. "
                    "Open the file in Excel or LibreOffice once and save it.",
                    n=self.unsolved,
                )
            )
        return notes


def inspect(path: Path, file: str, limits: Limits) -> Facts:
    """Check that a workbook can be loaded into memory.

    Raises BadFile if it needs a password, is damaged, or would grow beyond the limits (few bytes of XML
    can claim a sheet of 17 billion cells).
    """
    with path.open("rb") as stream:
        if stream.read(4) == _OLE:
            if _holds(stream, _ENCRYPTED):
                raise BadFile(locked(file))
            if not _survives(path):
                raise BadFile(damaged(file))
            return Facts()
    if not zipfile.is_zipfile(path):
        return Facts()
    facts = Facts()
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(archive, file, limits)
            for info in archive.infolist():
                with archive.open(info) as member:
                    if info.filename == "content.xml":
                        _open_document(member, file, limits)
                    elif info.filename == "META-INF/manifest.xml":
                        _refuse_encryption(member, file, limits)
                    else:
                        _sheet(member, info.filename, facts, file, limits)
            if facts.suspect:
                _check_extent(archive, file, limits)
    except _DAMAGED as error:
        raise BadFile(damaged(file)) from error
    return facts


def _survives(path: Path) -> bool:
    """True if another process could load the binary workbook.

    In damaged files of this format lengths are believed before they are checked; the library then panics
    or asks for so much memory that its process is ended. That must not be ours.
    """
    try:
        done = subprocess.run(  # noqa: S603 (our own interpreter and program; the path is only read)
            [sys.executable, "-I", "-c", _TRIAL, str(path)],
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def damaged(file: str) -> Sentence:
    """The sentence for a workbook that cannot be opened."""
    return say(
        "{file} cannot be opened as a workbook: it is damaged or no spreadsheet. "
        "Open it in Excel or LibreOffice and save it again as XLSX.",
        file=file,
    )


def _holds(stream: IO[bytes], needle: bytes) -> bool:
    tail = b""
    while data := stream.read(MIB):
        if needle in tail + data:
            return True
        tail = data[-len(needle) :]
    return False


def _check_size(archive: zipfile.ZipFile, file: str, limits: Limits) -> None:
    size = sum(info.file_size for info in archive.infolist())
    packed = sum(info.compress_size for info in archive.infolist())
    if size > limits.sheet_bytes:
        raise BadFile(_too_large(file))
    if size > limits.ratio_from and size > limits.ratio * max(packed, 1):
        raise BadFile(bomb(file))


def _pieces(member: IO[bytes], file: str, limits: Limits) -> Iterator[bytes]:
    """The member in pieces, counted as they come: sizes in the directory of an archive can lie."""
    total = 0
    while data := member.read(4 * MIB):
        total += len(data)
        if total > limits.sheet_bytes:
            raise BadFile(_too_large(file))
        yield data


def _sheet(member: IO[bytes], name: str, facts: Facts, file: str, limits: Limits) -> None:
    """Count error cells and formulas without result, and check how far a sheet may extend."""
    is_sheet = name.startswith("xl/worksheets/") and name.endswith(".xml")
    tail, row, column = b"", 0, 26
    for data in _pieces(member, file, limits):
        if not is_sheet:
            continue
        text = tail + data
        wide = _WIDE.findall(text)
        rows = {*_ROW.findall(text), *_DEEP.findall(text), *(number for _, number in wide)}
        row = max([row, *map(int, rows)])
        column = max([column, *map(_column, {letters for letters, _ in wide})])
        # what reaches into the tail was counted with the piece before
        facts.errors += text.count(b' t="e"') - tail.count(b' t="e"')
        if b"</f>" in text:
            facts.unsolved += sum(m.end() > len(tail) for m in _NO_RESULT.finditer(text))
        tail = text[-_OVERLAP:]
    facts.suspect |= row * column > limits.sheet_cells


def _check_extent(archive: zipfile.ZipFile, file: str, limits: Limits) -> None:
    """Look at every cell of the sheets: only those with content count."""
    for info in archive.infolist():
        if not info.filename.startswith("xl/worksheets/"):
            continue
        row = column = 0
        tail = b""
        with archive.open(info) as member:
            for data in _pieces(member, file, limits):
                text = tail + data
                cells = [(letters, number) for letters, number, closed in _CELL.findall(text) if not closed]
                row = max([row, *map(int, {number for _, number in cells})])
                column = max([column, *map(_column, {letters for letters, _ in cells})])
                tail = text[-_OVERLAP:]
        if row * column > limits.sheet_cells:
            raise BadFile(_too_wide(file, row, column))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _open_document(member: IO[bytes], file: str, limits: Limits) -> None:
    """Add up repeated rows and columns of an OpenDocument sheet: calamine writes them all out."""
    extent = _Extent(file, limits)
    parser = expat.ParserCreate()
    parser.StartElementHandler = extent.start
    parser.EndElementHandler = extent.end
    try:
        for data in _pieces(member, file, limits):
            parser.Parse(data, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise BadFile(damaged(file)) from error


@dataclass
class _Extent:
    file: str
    limits: Limits
    rows: int = 0
    pending: int = 0  # empty rows that count only if a filled row follows
    width: int = 0
    repeat: int = 1
    cells: int = 0
    filled: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind == "table":
            self.rows = self.pending = self.width = 0
        elif kind == "table-row":
            self.repeat = int(attributes.get("table:number-rows-repeated", 1))
            self.cells = self.filled = 0
        elif kind in ("table-cell", "covered-table-cell"):
            self.cells += int(attributes.get("table:number-columns-repeated", 1))
            if "office:value-type" in attributes or "table:formula" in attributes:
                self.filled = self.cells
        elif kind == "p":
            self.filled = max(self.filled, self.cells)

    def end(self, name: str) -> None:
        if name.rpartition(":")[2] != "table-row":
            return
        self.pending += self.repeat
        if self.filled:
            self.rows, self.pending = self.rows + self.pending, 0
            self.width = max(self.width, self.filled)
            if self.rows * self.width > self.limits.sheet_cells:
                raise BadFile(_too_wide(self.file, self.rows, self.width))


def _refuse_encryption(member: IO[bytes], file: str, limits: Limits) -> None:
    if any(b"encryption-data" in data for data in _pieces(member, file, limits)):
        raise BadFile(locked(file))


def _too_large(file: str) -> Sentence:
    return say("{file} is too large to be read as a workbook: save its sheets as CSV.", file=file)


def _too_wide(file: str, rows: int, columns: int) -> Sentence:
    return say(
        "A sheet of {file} reaches over {rows} rows and {columns} columns: delete the empty rows and columns "
        "around the table, or save the sheet as CSV.",
        file=file,
        rows=rows,
        columns=columns,
    )
