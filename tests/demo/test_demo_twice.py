"""A firm written twice into one folder is one firm."""

from __future__ import annotations

from klientel.demo import simulate, write


def test_another_language_replaces_the_files_of_the_first(tmp_path):
    firm = simulate(seed=7, customers=60, years=1)
    (tmp_path / "notes.txt").write_text("mine")
    english = write(firm, tmp_path, "en")
    german = write(firm, tmp_path, "de")
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in german} | {"notes.txt"}
    assert {p.name for p in english} != {p.name for p in german}
