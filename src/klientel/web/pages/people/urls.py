"""Addresses."""

from __future__ import annotations

from typing import Any

from django.urls import path

from klientel.web.pages.people import entry, factors, history, links, own, provider, teams, users

app_name = "people"
urlpatterns: list[Any] = [
    path("sign-in", entry.sign_in, name="sign-in"),
    path("sign-in/code", entry.second_factor, name="second-factor"),
    path("sign-in/passkey", entry.passkey_sign_in, name="passkey-sign-in"),
    path("sign-in/question", entry.passkey_question, name="passkey-question"),
    path("sign-in/forgotten", entry.forgotten, name="forgotten"),
    path("sign-in/provider", provider.begin, name="provider"),
    path("sign-in/provider/back", provider.back, name="provider-back"),
    path("sign-out", entry.sign_out, name="sign-out"),
    path("confirm", entry.confirm, name="confirm"),
    path("language", entry.language, name="language"),
    path("welcome/<str:token>", links.welcome, name="welcome"),
    path("enter/<str:token>", links.enter, name="enter"),
    path("invitation/<str:token>", links.accept, name="accept"),
    path("account", own.account, name="account"),
    path("account/person", own.profile, name="profile"),
    path("account/password", own.password, name="password"),
    path("account/sessions", own.end_sessions, name="end-sessions"),
    path("account/tokens", own.add_token, name="add-token"),
    path("account/tokens/<int:pk>", own.revoke_token, name="revoke-token"),
    path("account/factors", factors.overview, name="factors"),
    path("account/factors/app", factors.app, name="factor-app"),
    path("account/factors/codes", factors.codes, name="factor-codes"),
    path("account/factors/question", factors.passkey_question, name="factor-passkey-question"),
    path("account/factors/passkey", factors.passkey, name="factor-passkey"),
    path("account/factors/<int:pk>", factors.remove, name="remove-factor"),
    path("people", users.listed, name="users"),
    path("people/add", users.add, name="add-user"),
    path("people/second-factor", users.need_factor, name="need-factor"),
    path("people/teams", teams.listed, name="teams"),
    path("people/teams/add", teams.add, name="add-team"),
    path("people/teams/<int:pk>", teams.change, name="change-team"),
    path("people/teams/<int:pk>/remove", teams.remove, name="remove-team"),
    path("people/log", history.log, name="log"),
    path("people/<int:pk>", users.user, name="user"),
    path("people/<int:pk>/rights", users.rights, name="user-rights"),
    path("people/<int:pk>/person", users.person, name="user-person"),
    path("people/<int:pk>/active", users.active, name="user-active"),
    path("people/<int:pk>/invitation", users.invite, name="user-invite"),
    path("people/<int:pk>/sessions", users.end_sessions, name="user-sessions"),
    path("people/<int:pk>/tokens/<int:token>", users.revoke_token, name="user-token"),
    path("people/<int:pk>/identity", users.untie, name="user-identity"),
    path("people/<int:pk>/factors", users.reset_factors, name="user-factors"),
]
