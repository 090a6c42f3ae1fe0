"""Letters of the door, in the language of the person, if the environment says how to send mail (KLIENTEL_MAIL_*)."""

from __future__ import annotations

import logging
from threading import Thread
from typing import Any

from klientel.web.settings import setting
from klientel.words import Word, mark, say, translate

_log = logging.getLogger(__name__)
SUBJECTS: dict[str, Word] = {
    "invitation": mark("Your access to Klientel"),
    "forgotten": mark("A new password for Klientel"),
}
OPENINGS: dict[str, Word] = {
    "invitation": mark("you were invited to Klientel. With this link you choose your password:"),
    "forgotten": mark(
        "somebody, most likely you, asked for a new password for Klientel. With this link you choose it:"
    ),
}
ENDS: dict[str, Word] = {
    "invitation": mark("The link works once and holds for three days."),
    "forgotten": mark(
        "The link works once and holds for three days. If it was not you, nothing has changed; "
        "you can ignore this letter."
    ),
}


def on() -> bool:
    """True if the environment says how to send mail."""
    return setting("KLIENTEL_MAIL_HOST") is not None


def possible(user: Any) -> bool:
    """True if mail can be sent to the user."""
    return bool(on() and user.email)


def written(kind: str, user: Any, link: str) -> tuple[str, str]:
    """Subject and text of a letter. kind: "invitation" or "forgotten"."""
    lang = user.language
    name = user.get_full_name() or user.username
    parts = [
        translate(say("Hello {name},", name=name), lang),
        translate(OPENINGS[kind], lang),
        link,
        translate(ENDS[kind], lang),
    ]
    return translate(SUBJECTS[kind], lang), "\n\n".join(parts) + "\n"


def send(kind: str, user: Any, link: str) -> Thread:
    """Send a letter behind the scenes: how long that takes must not tell whether there is such a person."""
    subject, text = written(kind, user, link)
    thread = Thread(target=_send, args=(subject, text, user.email), daemon=True)
    thread.start()
    return thread


def _send(subject: str, text: str, to: str) -> None:
    from django.core.mail import send_mail

    try:
        send_mail(subject, text, None, [to])
    except OSError as failed:
        _log.error("A letter could not be sent: %s", failed)
