"""Uploaded files on their way to the disk: streamed beside the draft, and taken into it when the request is good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.files.uploadhandler import FileUploadHandler

from klientel.web.imports.receiving import Incoming, demand_room

if TYPE_CHECKING:
    from klientel.web.imports.drafts import Draft


class IntoDraft(FileUploadHandler):
    """Receives the files of a request for a draft; `keep` makes them files of it.

    Raises TooLarge as soon as the limit is passed; what was written of that file goes then.
    """

    chunk_size = 2**20

    def __init__(self, request: Any, draft: Draft) -> None:
        super().__init__(request)
        self.draft = draft
        self._coming: Incoming | None = None
        self._whole: list[Incoming] = []

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *_: Any) -> None:  # noqa: ARG002
        """Refuse what says itself that it is too large."""
        demand_room(self.draft, content_length)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self._coming = Incoming(self.draft, str(self.file_name))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002
        """Write a piece."""
        assert self._coming is not None
        try:
            self._coming.write(raw_data, sum(one.size for one in self._whole))
        except BaseException:
            self._throw_away()
            raise

    def file_complete(self, file_size: int) -> Any:  # noqa: ARG002
        """The file is there; the request needs no copy of it."""
        assert self._coming is not None
        self._whole.append(self._coming)
        self._coming = None
        return None

    def upload_interrupted(self) -> None:
        """The sender went away."""
        self._throw_away()

    def keep(self) -> int:
        """Take the files of the request into the draft; how many. TooLarge if others left no room meanwhile."""
        kept = 0
        while self._whole:
            self._whole.pop(0).keep()
            kept += 1
        return kept

    def drop(self) -> None:
        """Throw away whatever is not in the draft."""
        self._throw_away()
        while self._whole:
            self._whole.pop().throw_away()

    def _throw_away(self) -> None:
        if self._coming is not None:
            self._coming.throw_away()
            self._coming = None
