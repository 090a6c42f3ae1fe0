"""`klientel serve` as a process: addresses that work, names that are known, and a taken port that ends nothing."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

KLIENTEL = str(Path(sys.executable).with_name("klientel"))
Start = Callable[..., tuple[Any, str, str]]


def six() -> bool:
    """True if this machine knows IPv6."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.fixture
def start(home: Any, tmp_path: Path) -> Iterator[Start]:
    """start(*options): (process, address, everything said) of a server once it answers, or has ended."""
    running: list[Any] = []

    def started(*options: str, **environment: str) -> tuple[Any, str, str]:
        said = tmp_path / f"said-{len(running)}"
        known = {k: v for k, v in os.environ.items() if k != "KLIENTEL_HOSTS"}
        with said.open("w") as log:
            process = subprocess.Popen(
                [KLIENTEL, "serve", str(home.folder), "--lang", "en", *options],
                stdout=log, stderr=log, env={**known, **environment}, start_new_session=True,
            )  # fmt: skip
        running.append(process)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            found = re.search(r"open at (http://\S+)", said.read_text())
            if process.poll() is not None or (found and status(f"{found.group(1)}/sign-in") == 200):
                return process, found.group(1) if found else "", said.read_text()
            time.sleep(0.1)
        raise AssertionError(said.read_text())

    yield started
    for process in running:
        process.terminate()
    for process in running:
        process.wait(30)


def status(address: str, host: str = "") -> int:
    """The status of an address, 0 if nobody answers."""
    request = urllib.request.Request(address, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


def test_a_taken_port_ends_nothing_of_the_server_there(start: Start) -> None:
    process, address, said = start("--host", "localhost", "--port", "0")
    welcome = re.search(r"http://\S+/welcome/\S+", said)
    assert welcome is not None
    port = address.rsplit(":", 1)[1]
    second, _, told = start("--host", "localhost", "--port", port)
    assert second.poll() not in (None, 0)
    assert f"Nobody can listen at localhost:{port}" in told
    assert "/welcome/" not in told
    assert status(welcome.group()) == 200
    assert process.poll() is None


def test_all_addresses_need_names(start: Start) -> None:
    _, address, said = start("--host", "0.0.0.0", "--port", "0", KLIENTEL_HOSTS="")
    assert address.startswith("http://localhost:")
    assert "KLIENTEL_HOSTS=" in said
    assert status(f"{address}/sign-in", "klientel.lan") == 400


@pytest.mark.parametrize("host", ["127.0.0.2", "::1"])
def test_a_host_is_answered_and_led_to(start: Start, host: str) -> None:
    if ":" in host and not six():
        pytest.skip("needs IPv6, which this machine does not have")
    _, address, said = start("--host", host, "--port", "0")
    named = f"[{host}]" if ":" in host else host
    assert re.fullmatch(rf"http://{re.escape(named)}:\d+", address)
    assert "KLIENTEL_HOSTS" not in said
    welcome = re.search(r"http://\S+/welcome/\S+", said)
    assert welcome is not None
    assert status(welcome.group()) == 200
