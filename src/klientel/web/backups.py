"""A workspace in one file and back: a consistent state, whatever is written meanwhile, checked when it comes back."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from klientel import __version__
from klientel.errors import BadFile, BadParameter
from klientel.store.facts import FactTable
from klientel.web import home as homes
from klientel.web.imports.disk import told_if_full
from klientel.words import mark, say

if TYPE_CHECKING:
    from klientel.ingest.raw import Progress

FORMAT = 1
MANIFEST = "klientel-backup.json"
_RECORDS = "records.sqlite3"
_ROWS = "rows/"  # records of a PostgreSQL, one file of JSON lines for each table
_ALLOWED = re.compile(
    r"workspace\.json|records\.sqlite3|rows/[a-z_]+\.jsonl|facts/[a-z_]+/(_delta_log/)?[\w.-]+"
    r"|imports/[0-9]+/[\w.-]+"
)
_MANIFEST_LIMIT = 50_000_000  # bytes
_CHUNK = 1 << 20


def write(home: homes.Home, file: Path, *, progress: Progress, within: bool = False) -> None:
    """Write the newest snapshot of a workspace, with everything an undo needs, into one file.

    Readers and writers go on meanwhile. The file appears whole or not at all. It holds everything that the
    workspace holds, personal data and the secret of its sessions too. within: it may lie in the workspace's folder,
    from where somebody downloads it.
    """
    file = file.absolute()
    if file.is_dir():
        raise BadParameter(say("{file} is a folder; name the file of the backup.", file=str(file)))
    if home.folder.absolute() in file.parents and not within:
        raise BadParameter(say("Write the backup to a place outside the workspace."))
    part = file.with_name(f"{file.name}.part")
    with told_if_full(file.parent), tempfile.TemporaryDirectory(prefix="klientel-backup-") as scratch:
        try:
            with part.open("wb") as target:
                part.chmod(0o600)
                _fill(home, target, Path(scratch), progress)
                target.flush()
                os.fsync(target.fileno())
            part.replace(file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _fill(home: homes.Home, target: IO[bytes], scratch: Path, progress: Progress) -> None:
    told: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        progress(mark("Saving the records"), 0, None)
        pinned, runs, records = _records(home, scratch)
        members = [*records, ("workspace.json", home.folder / homes.MARKER), *_files(home, pinned, runs)]
        for done, (name, path) in enumerate(members):
            progress(mark("Saving the files"), done, len(members))
            told[name] = _add(archive, name, path)
        manifest = {"format": FORMAT, "klientel": __version__, "facts": pinned, "members": told}
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1), zipfile.ZIP_DEFLATED)


def _records(home: homes.Home, scratch: Path) -> tuple[dict[str, int], list[int], list[tuple[str, Path]]]:
    """Pinned versions and finished imports of one state of the database, and the files that hold that state."""
    from django.db import connection

    if connection.vendor == "sqlite":
        copy = scratch / _RECORDS
        with (
            closing(sqlite3.connect(home.folder / _RECORDS)) as source,
            closing(sqlite3.connect(copy)) as saved,
        ):
            source.backup(saved)
            saved.execute("PRAGMA journal_mode=DELETE")
            row = saved.execute("SELECT facts FROM imports_snapshot ORDER BY number DESC LIMIT 1").fetchone()
            runs = [
                r[0] for r in saved.execute("SELECT id FROM imports_import WHERE state IN ('done', 'undone')")
            ]
        return (json.loads(row[0]) if row else {}), runs, [(_RECORDS, copy)]
    from klientel.web import portable

    return portable.dump(scratch)


def _files(home: homes.Home, pinned: dict[str, int], runs: list[int]) -> Iterator[tuple[str, Path]]:
    """Live files of the pinned versions, their logs up to there, and what undoing needs."""
    for name, version in sorted(pinned.items()):
        table = FactTable(home.facts / name)
        for entry in table.log(version):
            yield f"facts/{name}/_delta_log/{entry.name}", entry
        for data in table.files(version):
            yield f"facts/{name}/{data.name}", table.folder / data.name
    for run in sorted(runs):
        folder = home.of_import(run)
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file() and not path.name.endswith(".part"):
                yield f"imports/{run}/{path.name}", path


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> dict[str, Any]:
    """One member; files that are not packed yet are."""
    info = zipfile.ZipInfo(name)
    packed = path.suffix == ".parquet"
    info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return {"size": size, "sha256": digest.hexdigest()}


def restore(
    file: Path,
    folder: Path,
    *,
    progress: Progress,
    erased_in: Path | None = None,
    now: datetime | None = None,
) -> homes.Home:
    """Make a workspace in a new folder out of a backup.

    erased_in: the workspace that the backup is of, as it is now: who was erased in it is erased in the new one, too.
    Raises BadFile for a file that is no whole backup, was changed, or is of a newer Klientel; nothing of it stays
    then. Raises BadParameter if the folder is not empty or the PostgreSQL of the environment holds records.
    """
    homes.check_place(folder)
    newer = _protocol(erased_in) if erased_in is not None else None
    try:
        archive = zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile):
        raise BadFile(say("{file} is no backup of Klientel.", file=str(file))) from None
    with archive, told_if_full(folder.parent):
        manifest = _manifest(archive, file)
        _check(archive, manifest, file, folder)
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        try:
            home = _extract(archive, manifest, file, folder, progress)
            _end_visits()
            _end_work(now or datetime.now(UTC))
            if newer is not None:
                _erase_again(home, newer, now or datetime.now(UTC))
            return home
        except BaseException:
            from django.db import connections

            connections.close_all()
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if made:
                folder.rmdir()
            raise


def _end_visits() -> None:
    """Nobody is signed in to a restored workspace, and links that let people in are over: they were of another time."""
    from django.contrib.sessions.models import Session as Kept

    from klientel.web.accounts.models import Link, Session

    for model in (Session, Kept, Link):
        model.objects.all().delete()


def _end_work(now: datetime) -> None:
    """Nothing that the original was about to do is done again here: no job, no word to the receivers of webhooks."""
    from klientel.web.api.models import Delivery, Subscription
    from klientel.web.jobs.models import Job

    opened = Job.objects.filter(state__in=[Job.State.WAITING, Job.State.RUNNING])
    opened.update(state=Job.State.CANCELLED, ended_at=now)
    why = mark("The workspace was restored from a backup.")
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING)
    waiting.update(state=Delivery.State.GIVEN_UP, why=why, ended_at=now)
    Subscription.objects.filter(active=True).update(active=False, why=why)


def _protocol(folder: Path) -> tuple[str, Any]:
    """The secret of a workspace and the digests of who was erased in it. Raises BadParameter on PostgreSQL."""
    from klientel.web.settings import database

    newer = homes.find(folder)
    if "sqlite3" not in database(newer.folder)["ENGINE"]:
        raise BadParameter(
            say(
                "Of records on PostgreSQL the erasures of another workspace cannot be read; erase them again by hand."
            )
        )
    from klientel.web.privacy.returning import Gone

    return str(newer.settings["secret"]), Gone.load()


def _erase_again(home: homes.Home, newer: tuple[str, Any], now: datetime) -> None:
    secret, gone = newer
    if home.settings["secret"] != secret:
        raise BadParameter(say("The backup is not of the workspace whose erasures are to be done again."))
    from klientel.web.privacy import returning

    returning.again(home, gone, now)


def _manifest(archive: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    no_backup = BadFile(say("{file} is no backup of Klientel.", file=str(file)))
    try:
        info = archive.getinfo(MANIFEST)
        if info.file_size > _MANIFEST_LIMIT:
            raise no_backup
        manifest = json.loads(_limited(archive, info, _MANIFEST_LIMIT))
        if not isinstance(manifest["format"], int) or not isinstance(manifest["members"], dict):
            raise no_backup
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile):
        raise no_backup from None
    if manifest["format"] > FORMAT:
        raise BadFile(say("{file} was written by a newer Klientel; update this one.", file=str(file)))
    found: dict[str, Any] = manifest
    return found


def _limited(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    with archive.open(info) as source:
        content = source.read(limit + 1)
    return content if len(content) <= limit else b""


def _check(archive: zipfile.ZipFile, manifest: dict[str, Any], file: Path, folder: Path) -> None:
    """Only members that a backup has, each once, of the size that was written down, and room for them."""
    members = manifest["members"]
    names = [i.filename for i in archive.infolist() if i.filename != MANIFEST]
    for name in names:
        if not _ALLOWED.fullmatch(name) or ".." in name:
            raise BadFile(
                say(
                    "{file} holds {name}, which no backup has; it is not unpacked.", file=str(file), name=name
                )
            )
    sizes_fit = all(archive.getinfo(n).file_size == members[n].get("size") for n in names if n in members)
    if (
        len(set(names)) != len(names)
        or set(names) != set(members)
        or not sizes_fit
        or "workspace.json" not in members
    ):
        raise BadFile(say("{file} is not whole or was changed; it is not unpacked.", file=str(file)))
    total = sum(m["size"] for m in members.values())
    near = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(near).free
    if total > free:
        raise BadFile(
            say(
                "{file} unpacks to {size} MB, and {folder} has room for {free} MB.",
                file=str(file), size=total // 10**6 + 1, folder=str(near), free=free // 10**6,
            )
        )  # fmt: skip


def _extract(
    archive: zipfile.ZipFile, manifest: dict[str, Any], file: Path, folder: Path, progress: Progress
) -> homes.Home:
    members = manifest["members"]
    content = _take_out(archive, "workspace.json", members["workspace.json"], None, file)
    try:
        settings = json.loads(content)
        newer = settings["format"] > homes.FORMAT
    except (ValueError, KeyError, TypeError):
        raise BadFile(
            say("{file} is not whole or was changed; it is not unpacked.", file=str(file))
        ) from None
    if newer:
        raise BadFile(say("{file} was written by a newer Klientel; update this one.", file=str(file)))
    names = sorted(n for n in members if n != "workspace.json")
    for done, name in enumerate(names):
        progress(mark("Unpacking"), done, len(names))
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _take_out(archive, name, members[name], target, file)
    home = homes.Home(folder, settings)
    _bring_records(home)
    (folder / homes.MARKER).write_bytes(content)  # last: a folder with the marker is a whole workspace
    (folder / homes.MARKER).chmod(0o600)
    return home


def _take_out(
    archive: zipfile.ZipFile, name: str, told: dict[str, Any], target: Path | None, file: Path
) -> bytes:
    """Unpack one member, never more than was written down of it; its content if there is no target."""
    digest = hashlib.sha256()
    left = int(told["size"])
    kept: list[bytes] = []
    put: Callable[[bytes], Any] = kept.append
    handle = target.open("xb") if target is not None else None
    put = handle.write if handle is not None else put
    try:
        with archive.open(name) as source:
            while chunk := source.read(min(_CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    break
                digest.update(chunk)
                put(chunk)
        if handle is not None:
            handle.flush()
            os.fsync(handle.fileno())
    except (zipfile.BadZipFile, OSError, EOFError) as broke:
        if isinstance(broke, OSError) and broke.errno is not None:
            raise
        left = -1
    finally:
        if handle is not None:
            handle.close()
    if left != 0 or digest.hexdigest() != told.get("sha256"):
        raise BadFile(say("{file} is damaged: {name} is not what was written.", file=str(file), name=name))
    return b"".join(kept)


def _bring_records(home: homes.Home) -> None:
    """Records into the database of the environment, at the state of this Klientel's models."""
    homes.attach(home)
    from django.db import connection

    from klientel.web.migrating import migrate

    rows = home.folder / _ROWS.strip("/")
    if connection.vendor == "sqlite" and not rows.is_dir():
        migrate()
        return
    from klientel.web import portable

    migrate()
    if rows.is_dir():
        portable.load_rows(rows)
        shutil.rmtree(rows)
    else:
        portable.load_sqlite(home.folder / _RECORDS)
        (home.folder / _RECORDS).unlink()
