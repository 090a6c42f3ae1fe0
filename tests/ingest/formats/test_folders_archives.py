"""Folders and archives give one table for each thing in them, and a word on what was left out."""

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from reading_tables import headers, read, read_one, staged, written

from klientel.errors import BadFile
from klientel.ingest.formats import read_sources
from klientel.ingest.formats.limits import Limits

CSV = "Kunde;Umsatz\nMüller;1,5\nB;2,5\n"
ROWS = [("Müller", "1,5", 2), ("B", "2,5", 3)]


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_compressed_files(tmp_path: Path, suffix: str, pack: object) -> None:
    table = read_one(written(tmp_path, f"umsatz.csv{suffix}", pack(CSV.encode("cp1252"))), tmp_path)  # type: ignore[operator]
    assert (table.name, table.file) == ("umsatz", f"umsatz.csv{suffix}")
    assert staged(table) == ROWS
    assert [p.suffix for p in (tmp_path / "stage").iterdir()] == [".parquet"]


def test_zip_with_several_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("kunden.csv", CSV)
        archive.writestr("sub/auftraege.csv", "Nr,Kunde,Umsatz\n1,A,5\n")
        archive.writestr("README.txt", "nothing")
        archive.writestr("__MACOSX/._kunden.csv", b"\0\1\2")
        archive.writestr("kaputt.csv", b"\0\1\2\3" * 500)
        archive.writestr("bild.png", b"\x89PNG")
    tables = read(tmp_path / "export.zip", tmp_path)
    assert [(t.name, t.file, t.rows) for t in tables] == [
        ("kunden", "export.zip/kunden.csv", 2),
        ("auftraege", "export.zip/sub/auftraege.csv", 1),
    ]
    assert [(r.file, r.line) for r in tables[0].rejections] == [("export.zip/kaputt.csv", 0)]
    assert tables[0].rejected == 1


def test_zip_in_zip_stops_somewhere(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", CSV)
    for k in range(5):
        outer = tmp_path / f"{k}.zip"
        with zipfile.ZipFile(outer, "w") as archive:
            archive.write(path, path.name)
        path = outer
    with pytest.raises(BadFile, match="packed too many times"):
        read_one(path, tmp_path)
    assert staged(read_one(tmp_path / "1.zip", tmp_path)) == ROWS


@pytest.mark.parametrize("cut", [5, 20, -1, -5])
def test_cut_off_gz(tmp_path: Path, cut: int) -> None:
    data = gzip.compress(("Kunde;Umsatz\n" + "A;1\n" * 5000).encode())[:cut]
    with pytest.raises(BadFile, match="damaged or cut off"):
        read_one(written(tmp_path, "x.csv.gz", data), tmp_path)


def test_bombs_are_stopped(tmp_path: Path) -> None:
    limits = Limits(ratio_from=1_000_000)
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 3_000_000, 9)
    assert len(bomb) * 250 < 12_000_000
    with pytest.raises(BadFile, match="unpacks to far more"):
        read_sources([written(tmp_path, "b.csv.gz", bomb)], tmp_path / "s", limits=limits)
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b.csv", b"a,b\n" + b"1,2\n" * 3_000_000)
    with pytest.raises(BadFile, match="unpacks to far more"):
        read_sources([tmp_path / "b.zip"], tmp_path / "s", limits=limits)
    with pytest.raises(BadFile, match="unpacks to far more"):
        read_sources([tmp_path / "b.zip"], tmp_path / "s", limits=Limits(unpacked=2_000_000))
    assert list((tmp_path / "s").iterdir()) == []


def test_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "sub" / "deep").mkdir(parents=True)
    for name in (
        "kunden.csv",
        ".versteckt.csv",
        "README.txt",
        "skript.py",
        "sub/orte.csv",
        "sub/deep/nein.csv",
    ):
        written(data, name, CSV)
    written(data, "leer.csv", "")
    written(data, "handbuch.pdf", "%PDF-1.4")
    tables = read(data, tmp_path)
    assert [(t.name, t.file) for t in tables] == [("kunden", "kunden.csv"), ("orte", "sub/orte.csv")]
    (left,) = tables[0].rejections
    assert (left.file, left.line) == ("leer.csv", 0)
    assert "empty" in left.reason


def test_day_files_are_one_table(tmp_path: Path) -> None:
    data = tmp_path / "umsatz"
    data.mkdir()
    for month in (1, 2, 3):
        written(data, f"umsatz_2024-{month:02}.csv", f"Kunde;Umsatz\nA;{month},5\nB;2\nkaputt\n")
    written(data, "umsatz_2023-12.csv", "Kunde;Umsatz;Ort\nA;1;Bonn\n")
    tables = sorted(read(data, tmp_path), key=lambda t: t.rows)
    assert [t.rows for t in tables] == [1, 6]
    months = tables[1]
    assert months.name == "umsatz"
    assert months.parts == tuple(f"umsatz_2024-{m:02}.csv" for m in (1, 2, 3))
    assert len(months.source) == 3
    assert staged(months) == [row for m in (1, 2, 3) for row in (("A", f"{m},5", 2), ("B", "2", 3))]
    assert [(r.file, r.line) for r in months.rejections] == [(p, 4) for p in months.parts]


def test_parquet_files_of_one_schema_are_one_table(tmp_path: Path) -> None:
    data = tmp_path / "lines"
    data.mkdir()
    table = pa.table({"kunde": ["A", "B"], "umsatz": [1.5, 2.5]})
    for k in range(3):
        pq.write_table(table, data / f"part-{k:05}.snappy.parquet")
    written(data, "_SUCCESS", "")
    one = read_one(data, tmp_path)
    assert (one.rows, one.has_line, len(one.source)) == (6, False, 3)
    assert [(c.name, c.type) for c in one.columns] == [("kunde", "string"), ("umsatz", "double")]
    assert one.source[0] == data / "part-00000.snappy.parquet"


def test_only_the_live_files_of_a_delta_table(tmp_path: Path) -> None:
    from deltalake import write_deltalake

    table = pa.table({"kunde": ["A", "B"], "umsatz": [1.5, 2.5]})
    write_deltalake(str(tmp_path / "d"), table)
    write_deltalake(str(tmp_path / "d"), table.slice(1), mode="overwrite")
    one = read_one(tmp_path / "d", tmp_path)
    assert (one.rows, one.name) == (1, "d")
    assert staged(one) == [("B", 2.5)]


@pytest.mark.parametrize("how", ["feather", "file", "stream"])
def test_arrow_files(tmp_path: Path, how: str) -> None:
    table = pa.table({"kunde": ["A", None], "umsatz": [1.5, 2.5]})
    path = tmp_path / "x.arrow"
    if how == "feather":
        feather.write_feather(table, path, compression="zstd")
    else:
        maker = pa.ipc.new_file if how == "file" else pa.ipc.new_stream
        with maker(str(path), table.schema) as writer:
            writer.write_table(table)
    one = read_one(path, tmp_path)
    assert (one.rows, headers(one), one.has_line) == (2, ["kunde", "umsatz"], False)
    assert staged(one) == [("A", 1.5), (None, 2.5)]


def test_damaged_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    data = (tmp_path / "x.parquet").read_bytes()
    with pytest.raises(BadFile, match="damaged or cut off"):
        read_one(written(tmp_path, "y.parquet", data[:-20]), tmp_path)


def test_folder_without_data(tmp_path: Path) -> None:
    (tmp_path / "leer").mkdir()
    with pytest.raises(BadFile, match="The folder leer holds no file"):
        read_one(tmp_path / "leer", tmp_path)


def test_names_of_tables_are_unique(tmp_path: Path) -> None:
    for sub in ("a", "b"):
        (tmp_path / sub).mkdir()
        written(tmp_path / sub, "kunden.csv", CSV)
    tables = read_sources([tmp_path / "a" / "kunden.csv", tmp_path / "b" / "kunden.csv"], tmp_path / "s")
    assert [t.name for t in tables] == ["kunden", "kunden_2"]


def test_json_documents(tmp_path: Path) -> None:
    lines = '{"id": 1, "wert": 1.50, "adresse": {"ort": "Köln"}}\n\nkaputt\n'
    lines += '{"id": 2, "neu": true, "wert": null}\n'
    table = read_one(written(tmp_path, "x.jsonl", lines), tmp_path)
    assert headers(table) == ["id", "wert", "adresse.ort", "neu"]
    assert staged(table) == [("1", "1.50", "Köln", None, 1), ("2", None, None, "true", 4)]
    assert [r.line for r in table.rejections] == [3]
    assert [c.native for c in table.columns] == [True, True, False, False]
    document = '{"anzahl": 2, "data": [{"id": "007", "wert": 3}, {"id": "8", "wert": 4}]}'
    table = read_one(written(tmp_path, "x.json", document), tmp_path)
    assert staged(table) == [("007", "3", 1), ("8", "4", 2)]
    for bad in ("[1, 2", "[]", "[1, 2]", '{"a": '):
        with pytest.raises(BadFile):
            read_one(written(tmp_path, "bad.json", bad), tmp_path)
