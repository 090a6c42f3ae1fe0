"""Addresses."""

from __future__ import annotations

from typing import Any

from django.urls import path

from klientel.web.pages.people import entry, links

app_name = "people"
urlpatterns: list[Any] = [
    path("sign-in", entry.sign_in, name="sign-in"),
    path("sign-in/code", entry.second_factor, name="second-factor"),
    path("sign-in/passkey", entry.passkey_sign_in, name="passkey-sign-in"),
    path("sign-in/question", entry.passkey_question, name="passkey-question"),
    path("sign-in/forgotten", entry.forgotten, name="forgotten"),
    path("sign-out", entry.sign_out, name="sign-out"),
    path("confirm", entry.confirm, name="confirm"),
    path("language", entry.language, name="language"),
    path("welcome/<str:token>", links.welcome, name="welcome"),
    path("enter/<str:token>", links.enter, name="enter"),
    path("invitation/<str:token>", links.accept, name="accept"),
]
