"""The same number everywhere: for every analysis the page, the command line and the library agree."""

from __future__ import annotations

import html
import json
import re
import time
from typing import Any

import pytest
from answered_firm import firm

from klientel.analyses import ANALYSES

__all__ = ["firm"]  # a fixture


def page_of(client: Any, name: str) -> str:
    """The page of an analysis once its answer is there; on the day that it is, as the command line has it."""
    until = time.monotonic() + 180
    while time.monotonic() < until:
        text = client.get(f"/analyses/{name}").content.decode()
        if 'class="waiting"' not in text:
            return html.unescape(re.sub(r"<small>.*?</small>", "", text))
        time.sleep(0.05)
    raise AssertionError(f"no answer came: {name}")


@pytest.mark.parametrize(("rep", "names"), [("", tuple(ANALYSES)), ("R1", ("abc", "movement", "segments"))])
def test_page_command_line_and_library_agree(
    firm: Any, sign_in: Any, rep: str, names: tuple[str, ...]
) -> None:
    """Every figure, for who sees everything and for who sees a part (`--as`)."""
    from click.testing import CliRunner

    from klientel.answer import answer, lacking
    from klientel.cli import cli
    from klientel.result import plain
    from klientel.show import chapters
    from klientel.web import books

    client = sign_in("anna", role="sales", rep=rep) if rep else sign_in("boss")
    book = books.open_book(firm, actor=client.user)
    told = 0
    for name in names:
        text = page_of(client, name)
        as_user = ["--as", "anna"] if rep else []
        command = ["analyse", name, str(firm.folder), *as_user, "--format", "json", "--lang", "en"]
        said = CliRunner().invoke(cli, command)
        if lacking(book, ANALYSES[name]) is not None:
            assert "cannot be answered yet" in text
            assert said.exit_code == 2
            continue
        assert said.exit_code == 0, (name, said.output)
        figures = json.loads(said.stdout)["figures"]
        library = answer(book, ANALYSES[name])
        for figure, value in library.figures.items():
            wanted = pytest.approx(value, rel=1e-9) if isinstance(value, float) else plain(value)
            assert figures[figure] == wanted, (name, figure)
            told += 1
        for tile in chapters.tiles(library, "en"):
            assert f">{tile.value}<" in text, (name, tile)
    assert told > 10 * len(names) // 2
