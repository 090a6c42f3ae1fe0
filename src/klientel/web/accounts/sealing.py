"""Secrets: made, kept as a hash, or encrypted with the secret of the workspace."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from klientel.errors import BadParameter
from klientel.words import say

BYTES = 32  # of a link or token: nobody guesses 256 bits, so a plain hash of them is enough


def made() -> str:
    """A new secret for a link or a token, safe in an address."""
    return secrets.token_urlsafe(BYTES)


def digest(text: str) -> str:
    """What is kept of a secret that only has to be recognised: its SHA-256, in hexadecimal."""
    return sha256(text.strip().encode()).hexdigest()


def sealed(text: str) -> str:
    """A secret that is needed again, encrypted with the secret of the workspace (AES-128-CBC and HMAC, Fernet)."""
    return str(_box().encrypt(text.encode()).decode())


def opened(text: str) -> str:
    """What `sealed` sealed. Raises BadParameter if the workspace has another secret now."""
    from cryptography.fernet import InvalidToken

    try:
        return str(_box().decrypt(text.encode()).decode())
    except InvalidToken:
        raise BadParameter(
            say("This was encrypted with another secret of the workspace and cannot be read any more.")
        ) from None


def _box() -> Any:
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    from django.conf import settings

    key = HKDF(SHA256(), 32, salt=None, info=b"klientel second factors").derive(settings.SECRET_KEY.encode())
    return Fernet(urlsafe_b64encode(key))
