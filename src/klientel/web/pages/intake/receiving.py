"""Uploaded files on their way to the disk: streamed into the draft's folder, counted, never trusted by name."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler

from klientel.errors import KlientelError
from klientel.words import Sentence, say

if TYPE_CHECKING:
    from klientel.web.imports.drafts import Draft

_KEEP_FREE = 256 * 10**6  # bytes of the disk that uploads leave alone


class TooLarge(KlientelError):
    """More was sent than may be uploaded."""


def too_large() -> Sentence:
    """What to say of more than may be uploaded."""
    return say(
        "The files are larger than {mb} MB together. Send fewer, or have KLIENTEL_UPLOAD_MB raised.",
        mb=settings.UPLOAD_LIMIT // 10**6,
    )


class IntoDraft(FileUploadHandler):
    """Writes each file of a request into the draft, readable by the owner of the workspace only.

    Raises TooLarge as soon as the limit is passed; what was written of the file goes then.
    """

    chunk_size = 2**20

    def __init__(self, request: Any, draft: Draft) -> None:
        super().__init__(request)
        self.draft = draft
        self.left = settings.UPLOAD_LIMIT - draft.size
        self.target: Any = None
        self.path: Any = None

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *_: Any) -> None:  # noqa: ARG002
        """Refuse what says itself that it is too large."""
        if content_length > self.left + 10**6:
            raise TooLarge(too_large())
        if content_length + _KEEP_FREE > shutil.disk_usage(self.draft.folder).free:
            raise TooLarge(say("There is not enough room on the server's disk for these files."))

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self.path = self.draft.place_for(str(self.file_name))
        self.target = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002
        """Write a piece."""
        self.left -= len(raw_data)
        if self.left < 0:
            self._throw_away()
            raise TooLarge(too_large())
        self.target.write(raw_data)

    def file_complete(self, file_size: int) -> Any:  # noqa: ARG002
        """The file is there; the request needs no copy of it."""
        self.target.close()
        self.target = None
        return None

    def upload_interrupted(self) -> None:
        """The sender went away."""
        self._throw_away()

    def _throw_away(self) -> None:
        if self.target is not None:
            self.target.close()
            self.target = None
            self.draft.leave_out(self.path.name)
