"""500 damaged files: a sentence or a table with rejections, never anything else, never much memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from malformed_files import malformed


def test_the_files_are_the_same_on_every_run() -> None:
    assert malformed(50) == malformed(50)


@pytest.mark.slow
def test_malformed_files_give_sentences_in_bounded_memory(tmp_path: Path) -> None:
    program = Path(__file__).with_name("malformed_files.py")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path), "500"],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["wrong"] == []
    assert sum(told["seen"].values()) == 500
    assert min(told["seen"]["table"], told["seen"]["sentence"]) > 50
    assert told["peak_mb"] < 1000
