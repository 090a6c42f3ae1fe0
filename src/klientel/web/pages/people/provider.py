"""Signing in with a provider of identities (OpenID Connect)."""

from __future__ import annotations

from klientel.web.settings import setting


def name() -> str:
    """What the button says; "" where no provider is set up."""
    if not setting("KLIENTEL_OIDC_ISSUER"):
        return ""
    return setting("KLIENTEL_OIDC_NAME") or "OpenID Connect"
