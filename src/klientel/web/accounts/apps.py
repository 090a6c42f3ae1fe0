"""The app of accounts."""

from django.apps import AppConfig


class Accounts(AppConfig):
    """Users, rights, and what happens at the door."""

    name = "klientel.web.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Sessions go on the list when they begin, and leave it when they end."""
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from klientel.web.accounts import sessions

        user_logged_in.connect(sessions.opened, dispatch_uid="klientel.opened")
        user_logged_out.connect(sessions.closed, dispatch_uid="klientel.closed")
