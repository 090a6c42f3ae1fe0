"""Makes damaged files, the same ones on every run, and reads them all: run as a program, prints a summary.

usage: python malformed_files.py FOLDER COUNT
"""

import bz2
import gzip
import io
import json
import random
import re
import resource
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from xls_files import xls

Mutation = Callable[[bytes, random.Random], bytes]


def valid_files() -> dict[str, bytes]:
    rows = [["Kunde", "Datum", "Umsatz", "Notiz"]]
    rows += [[f"Müller {i}", f"2024-01-{i % 28 + 1:02}", f"{i},5", f'"Notiz {i}"'] for i in range(400)]
    text = "\n".join(";".join(row) for row in rows) + "\n"
    files = {f"{e}.csv": text.encode(e) for e in ("utf-8", "cp1252", "utf-16", "utf-16-le", "utf-8-sig")}
    files["spaces.txt"] = "".join(
        f" {i:05}  1997{i % 12 + 1:02}01 {i % 9}  {i}.50\r\n" for i in range(300)
    ).encode()
    files["plain.csv.gz"] = gzip.compress(text.encode(), mtime=0)
    files["plain.csv.bz2"] = bz2.compress(text.encode())
    files["x.jsonl"] = "\n".join(json.dumps({"kunde": f"K{i}", "umsatz": i}) for i in range(200)).encode()
    files["x.json"] = json.dumps([{"kunde": f"K{i}", "umsatz": i} for i in range(200)]).encode()
    table = pa.table({"kunde": [f"K{i}" for i in range(200)], "umsatz": [i / 2 for i in range(200)]})
    for name, write in (("x.parquet", pq.write_table), ("x.feather", feather.write_feather)):
        out = io.BytesIO()
        write(table, out)
        files[name] = out.getvalue()
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows[:60]:
        book.active.append([*row, "=1+1"])
    book.save(out)
    files["x.xlsx"] = _timeless(out.getvalue())
    files["x.xls"] = xls("S", list(rows[:60]))
    files["x.ods"] = _timeless(_ods(rows[:60]))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", text)
        archive.writestr("b.csv", text.encode("cp1252"))
    files["x.zip"] = _timeless(out.getvalue())
    return files


def _timeless(data: bytes) -> bytes:
    """The same archive without the time of its making, so that mutations hit the same bytes on every run."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            text = re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+", b"2024-01-01T00:00:00", source.read(info))
            target.writestr(zipfile.ZipInfo(info.filename), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


_CONTENT = """<office:document-content xmlns:office="{name}office:1.0" xmlns:table="{name}table:1.0"
 xmlns:text="{name}text:1.0"><office:body><office:spreadsheet><table:table table:name="S">{body}</table:table>
 </office:spreadsheet></office:body></office:document-content>"""


def _ods(rows: list[list[str]]) -> bytes:
    """By hand: odfpy writes other namespaces when something else used it before."""
    name = "urn:oasis:names:tc:opendocument:xmlns:"
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    lines = ["".join(cell.format(escape(text)) for text in row) for row in rows]
    body = "".join(f"<table:table-row>{line}</table:table-row>" for line in lines)
    parts = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{name}manifest:1.0"/>',
        "content.xml": _CONTENT.format(name=name, body=body),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, text in parts.items():
            archive.writestr(part, text)
    return out.getvalue()


def truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 5, 50, 500])):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def spliced(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + rng.randbytes(rng.choice([1, 100, 5000])) + data[at:]


def nulled(data: bytes, rng: random.Random) -> bytes:
    at, n = rng.randrange(len(data)), rng.choice([1, 3, 4000])
    return data[:at] + b"\0" * n + data[at + n :]


def quoted(data: bytes, rng: random.Random) -> bytes:
    changed = data
    for _ in range(rng.choice([1, 7])):
        at = rng.randrange(len(changed))
        changed = changed[:at] + rng.choice([b'"', b"'", b'\n"', b';"', b'"\n', b"\\", b"\r"]) + changed[at:]
    return changed


def ragged(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    for _ in range(rng.choice([1, 50])):
        at = rng.randrange(len(lines))
        lines[at] = rng.choice(
            [lines[at] + b";x;y", lines[at][: len(lines[at]) // 2], b"", b"#", lines[at] * 2]
        )
    return b"\n".join(lines)


def recoded(data: bytes, rng: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(rng.choice(["utf-16", "utf-32", "cp037", "latin-1", "utf-16-be"]), "replace")


def junk(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.choice([0, 4, 8])] + rng.randbytes(rng.choice([0, 1, 3, 100, 100_000]))


def wide(data: bytes, rng: random.Random) -> bytes:
    n = rng.choice([3000, 10_000, 100_000])
    return b";".join(b"c%d" % i for i in range(n)) + b"\n" + b";".join([b"1"] * n) + b"\n"


def long(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return (
        data[:at] + rng.choice([b"x", b"1;", b'"', b"\xe4"]) * rng.choice([100_000, 10_000_000]) + data[at:]
    )


def bombed(data: bytes, rng: random.Random) -> bytes:
    unit = rng.choice([b"\0", b"a;b\n", b"1;2\n"])
    return gzip.compress(unit * (300_000_000 // len(unit)), 9, mtime=0)


def headed(data: bytes, rng: random.Random) -> bytes:
    return rng.choice(
        [data.split(b"\n")[0], data.split(b"\n")[0] + b"\n", b"\n" * 1000, b" ", b"a", b";" * 50]
    )


MUTATIONS: list[Mutation] = [
    truncated, flipped, flipped, spliced, nulled, quoted, ragged, recoded, junk, wide, long, headed
]  # fmt: skip


def malformed(count: int) -> list[tuple[str, str, bytes]]:
    """(kind, file name, bytes), the same on every run."""
    rng, valid, made = random.Random(2024), valid_files(), []
    names = sorted(valid)
    for k in range(count):
        if k % 125 == 60:
            made.append(("bombed", "bomb.csv.gz", bombed(b"", rng)))
            continue
        change = MUTATIONS[k % len(MUTATIONS)]
        name = rng.choice(names)
        other = rng.choice(names) if rng.random() < 0.1 else name  # a wrong suffix now and then
        made.append((change.__name__, other, change(valid[name], rng)))
    return made


def peak_kb() -> int:
    """Highest memory of this program. ru_maxrss would also count the test process that started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1])


def main(folder: Path, count: int) -> None:
    from klientel.errors import BadFile
    from klientel.ingest.formats import read_sources

    before = peak_kb()
    seen: Counter[str] = Counter()
    wrong: list[str] = []
    for k, (kind, name, data) in enumerate(malformed(count)):
        path = folder / f"{k:03}" / name
        path.parent.mkdir()
        path.write_bytes(data)
        try:
            tables = read_sources([path], folder / "stage")
            assert all(t.columns and all(r.reason and r.hint for r in t.rejections) for t in tables)
            seen["table"] += 1
        except BadFile as error:
            seen["sentence"] += 1
            text = str(error)
            if not (text.endswith((".", "?")) and "\n" not in text and len(text) < 400):
                wrong.append(f"{kind} {path}: not a sentence: {text}")
        except BaseException as error:  # noqa: BLE001 (nothing at all may come through)
            wrong.append(f"{kind} {path}: {type(error).__name__}: {str(error)[:200]}")
    wrong += [f"left behind: {path.name}" for path in sorted((folder / "stage").glob("*.raw"))]
    peak = peak_kb()
    print(json.dumps({"seen": seen, "wrong": wrong, "peak_mb": peak // 1024, "start_mb": before // 1024}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
