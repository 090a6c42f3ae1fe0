"""What requests carry: files only where a page asks for them, and text without NUL, which no database keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler

from klientel.web.pages.refusals import unreadable


class FilesRefused(TooManyFilesSent):
    """A file came to an address that takes none."""


class NoFiles(FileUploadHandler):
    """Refuses files before anything of them is written: the default, since strangers may send to some addresses."""

    def new_file(self, *_: Any, **__: Any) -> None:
        """No file begins."""
        raise FilesRefused

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never asked: no file began."""

    def file_complete(self, file_size: int) -> None:
        """Never asked: no file began."""


class Incoming:
    """Answers 400 to NUL in path, query, form and cookies: PostgreSQL fails at it."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        """Cookies first: the session is looked up by one of them."""
        if any("\0" in value for value in request.COOKIES.values()):
            return unreadable(request)
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, *_: Any) -> Any:
        """None lets the request through. What is exempt from CSRF reads its body itself, with other limits."""
        texts = [request.path, *_of(request.GET)]
        if request.method == "POST" and not getattr(view, "csrf_exempt", False):
            texts += _of(request.POST)
        return unreadable(request) if any("\0" in text for text in texts) else None


def _of(given: Any) -> list[str]:
    return [text for name, values in given.lists() for text in (name, *values)]
