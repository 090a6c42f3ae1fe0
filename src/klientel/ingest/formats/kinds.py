"""Tells what a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Literal

from klientel.words import Sentence, mark, say

Kind = Literal[
    "text", "workbook", "parquet", "arrow", "json", "sqlite", "gzip", "bzip2", "xz", "zip", "useless"
]

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook"),
    (b"\x09\x08\x10\x00", "workbook"),
    (b"\x09\x08\x08\x00", "workbook"),
)
_USELESS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", mark("a PDF document")),
    (b"\x89PNG", mark("a picture")),
    (b"\xff\xd8\xff", mark("a picture")),
    (b"GIF8", mark("a picture")),
    (b"7z\xbc\xaf", mark("a 7z archive")),
    (b"Rar!", mark("a RAR archive")),
    (b"\x28\xb5\x2f\xfd", mark("a Zstandard archive")),
    (b"{\\rtf", mark("a text document")),
    (b"FEA1", mark("a Feather file of the first version")),
    (b"\x7fELF", mark("a program")),
    (b"MZ\x90\x00", mark("a program")),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table", b"<workbook")

_SUFFIXES = """.csv .tsv .tab .txt .dat .psv .asc .gz .bz2 .xz .zip .xlsx .xlsm .xltx .xls .ods .parquet .pq
    .arrow .ipc .feather .json .jsonl .ndjson .sqlite .sqlite3 .db .db3"""
SUFFIXES = frozenset(_SUFFIXES.split())
_NO_DATA = "readme license licence changelog contributing copying authors notice requirements thumbs"
_PROSE = frozenset(_NO_DATA.split())


def usable_name(path: Path) -> bool:
    """True for files in a folder or archive that may hold data; README, pictures, scripts do not."""
    hidden = any(part.startswith((".", "_", "~$")) for part in path.parts[-2:])
    return not hidden and path.suffix.lower() in SUFFIXES and path.stem.split(".")[0].lower() not in _PROSE


def stem(name: str) -> str:
    """Name of a table from a file name: without folders, compression and format suffixes."""
    bare = Path(name).name
    while Path(bare).suffix.lower() in SUFFIXES:
        bare = Path(bare).stem
    return bare or name


def find_kind(path: Path, name: str) -> tuple[Kind, Sentence | None]:
    """What the file is, by its first bytes; for a useless one also the sentence that says so.

    name: the file's own name, which decides only between JSON and text.
    """
    with path.open("rb") as stream:
        head = stream.read(2048)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind, None
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(path), None
    for magic, what in _USELESS:
        if head.startswith(magic):
            return "useless", _useless(name, what)
    if head[8:12] == b"DUCK":
        return "useless", _useless(name, mark("a DuckDB database"))
    if head[257:262] == b"ustar":
        return "useless", _useless(name, mark("a tar archive"))
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:16].lower().startswith(_MARKUP):
        return "useless", _useless(name, mark("a web page or XML document"))
    return ("json" if _looks_json(start, name) else "text"), None


def _zip_kind(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        return "zip"  # damaged: reading it will say so
    if "[Content_Types].xml" in names and any(n.startswith("xl/") for n in names):
        return "workbook"
    return "workbook" if {"content.xml", "META-INF/manifest.xml"} <= names else "zip"


def _looks_json(start: bytes, name: str) -> bool:
    suffixes = {s.lower() for s in Path(name).suffixes}
    if suffixes & {".json", ".jsonl", ".ndjson"}:
        return start[:1] in (b"{", b"[")
    if start[:1] != b"{":
        return False
    try:
        return isinstance(json.loads(start.split(b"\n", 1)[0]), dict)
    except (ValueError, RecursionError):
        return False


def _useless(name: str, what: str) -> Sentence:
    return say(
        "{file} is {what}, not a table: open it in the program it belongs to and save it as CSV or XLSX.",
        file=name,
        what=what,
    )
