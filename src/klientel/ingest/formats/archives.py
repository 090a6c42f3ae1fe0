"""Unpacks compressed files within limits, so that no archive can fill memory or disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from klientel.errors import BadFile
from klientel.ingest.formats.kinds import Kind, usable_name
from klientel.ingest.formats.limits import MIB
from klientel.ingest.formats.staging import Reading
from klientel.words import Sentence, say

_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile, OSError, ValueError)
_KEEP_FREE = 256 * MIB


def unpack(path: Path, kind: Kind, file: str, reading: Reading) -> Path:
    """Unpack a .gz, .bz2 or .xz file into the stage folder; the path of what was in it.

    Raises BadFile for a damaged or cut off file and for one that grows beyond the limits.
    """
    opened: IO[bytes]
    with path.open("rb") as packed:
        match kind:
            case "gzip":
                opened = cast("IO[bytes]", gzip.GzipFile(fileobj=packed))
            case "bzip2":
                opened = cast("IO[bytes]", bz2.BZ2File(packed))
            case _:
                opened = cast("IO[bytes]", lzma.open(packed))  # noqa: SIM115 (closed by the with below)
        with opened:
            return _copied(opened, path.stat().st_size, file, reading)


def members(path: Path, file: str, reading: Reading) -> Iterator[tuple[str, Path | Sentence]]:
    """Yield (name, unpacked file) of each usable member of a .zip; a sentence instead for one that is not.

    Raises BadFile if the archive itself is damaged or has nothing usable in it.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (*_DAMAGED, NotImplementedError) as error:
        raise BadFile(_damaged(file)) from error
    with archive:
        found = [i for i in archive.infolist() if not i.is_dir() and usable_name(Path(i.filename))]
        if not found:
            raise BadFile(say("{file} holds no file that could be read as a table.", file=file))
        for info in found[: reading.limits.members]:
            name = info.filename
            try:
                if info.flag_bits & 1:
                    raise BadFile(locked(f"{file}/{name}"))
                with archive.open(info) as member:
                    yield name, _copied(member, info.compress_size, f"{file}/{name}", reading)
            except BadFile as error:
                yield name, cast("Sentence", error.sentence)
            except (*_DAMAGED, NotImplementedError, RuntimeError):
                yield name, _damaged(f"{file}/{name}")
        if len(found) > reading.limits.members:
            yield (
                "…",
                say(
                    "{file} holds {n} files; only the first {most} were read.",
                    file=file,
                    n=len(found),
                    most=reading.limits.members,
                ),
            )


def locked(file: str) -> Sentence:
    """The sentence for a file with a password."""
    return say("{file} is protected by a password: remove the password and save it again.", file=file)


def bomb(file: str) -> Sentence:
    """The sentence for an archive that grows beyond measure."""
    return say(
        "{file} unpacks to far more than its size lets expect, so reading was stopped: "
        "if it is a real export, unpack it yourself and give the unpacked file.",
        file=file,
    )


def _damaged(file: str) -> Sentence:
    return say("{file} is damaged or cut off: export or download it again.", file=file)


def _copied(source: IO[bytes], packed: int, file: str, reading: Reading) -> Path:
    """Copy to the stage folder while the limits on ratio, total size and free disk hold."""
    limits, target, done = reading.limits, reading.new_path(".raw"), 0
    try:
        with target.open("wb") as out:
            while data := source.read(MIB):
                done += len(data)
                reading.unpacked += len(data)
                if done > limits.ratio_from and done > limits.ratio * max(packed, 1):
                    raise BadFile(bomb(file))
                if reading.unpacked > limits.unpacked:
                    raise BadFile(bomb(file))
                if done % (64 * MIB) < MIB and shutil.disk_usage(reading.stage).free < _KEEP_FREE:
                    raise BadFile(say("There is not enough free disk space to unpack {file}.", file=file))
                out.write(data)
                reading.tell(file, done, None)
    except BadFile:
        target.unlink(missing_ok=True)
        raise
    except _DAMAGED as error:
        target.unlink(missing_ok=True)
        raise BadFile(_damaged(file)) from error
    return target
