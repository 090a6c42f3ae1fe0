"""Keeps one worker beside the web processes: started with them, started again if it dies, ended with them."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 15.0  # seconds to end in, before it is made to
_PAUSES = (0.2, 1.0, 5.0, 30.0)  # before it is started again, the longer the more often it died


@contextmanager
def worker(folder: Path) -> Iterator[None]:
    """A worker for as long as the block lasts."""
    kept = Kept(folder)
    kept.start()
    try:
        yield
    finally:
        kept.stop()


class Kept:
    """One worker process and the thread that looks after it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Start it."""
        self._thread.start()

    def stop(self) -> None:
        """End it: it takes a running job back first. One that does not listen is killed; the next cleans up."""
        self._over.set()
        process = self.process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._thread.join(PATIENCE)

    def _keep(self) -> None:
        died = 0
        while not self._over.is_set():
            # A session of its own: Ctrl+C at the terminal reaches the server, which ends the worker in order.
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "klientel.web.jobs.worker", str(self.folder)],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
            if self._over.is_set():
                self.process.terminate()
            self.process.wait()
            with suppress(OSError):
                assert self.process.stdin is not None
                self.process.stdin.close()
            self._over.wait(_PAUSES[min(died, len(_PAUSES) - 1)])
            died += 1
