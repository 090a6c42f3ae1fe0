"""People in a real browser: the first administrator, a passkey of a device, and axe on every page of people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from seen_by_axe import faults_of

PASSWORD = "a rather long phrase"
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def sign_out(page: Any, address: str) -> None:
    page.goto(f"{address}/account")
    page.locator(".whoami summary").click()
    page.locator(".whoami form button").last.click()
    page.wait_for_url("**/sign-in")


@pytest.mark.slow
def test_from_the_first_link_to_a_passkey(empty: Any) -> None:
    """Nobody is there: the link makes the administrator, who adds a passkey and then needs no password."""
    from klientel.web.accounts import links
    from klientel.web.accounts.models import User

    User.objects.update(is_superuser=False)
    secret = links.welcome(datetime.now(UTC))
    address = f"http://localhost:{empty.port}"  # passkeys need a host with a name
    page = empty.stranger()
    page.goto(f"{address}/welcome/{secret}")
    assert faults_of(page) == []
    page.fill("#name", "chief")
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.locator("button.primary").click()
    page.wait_for_url(f"{address}/")
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    page.goto(f"{address}/account/factors")
    page.fill("#passkey-name", "Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_selector("ol.codes")
    assert page.locator("ol.codes li").count() == 10
    assert faults_of(page) == []
    sign_out(page, address)
    page.fill("#name", "chief")
    page.fill("#password", PASSWORD)
    page.locator("button.primary").click()
    page.wait_for_url("**/sign-in/code")
    assert faults_of(page) == []
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{address}/")
    sign_out(page, address)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{address}/")
    page.goto(f"{address}/people/log")
    assert page.locator("tbody").inner_text().count("passkey") >= 2


def test_a_link_of_the_command_line_signs_in_by_itself(empty: Any) -> None:
    """Who opens it is in, without another click; a second time it is over."""
    from klientel.web.accounts import links
    from klientel.web.accounts.services import find_user

    path = f"/enter/{links.sign_in(find_user('boss'), datetime.now(UTC))}"
    page = empty.stranger()
    page.goto(empty.address + path)
    page.wait_for_url(f"{empty.address}/")
    assert page.locator(".who").inner_text() == "boss"
    other = empty.stranger()
    other.goto(empty.address + path)
    assert "over" in other.locator("h1").inner_text()


@pytest.mark.slow
@pytest.mark.parametrize(("language", "width", "dark"), [("en", 1360, False), ("de", 390, True)])
def test_pages_of_people_keep_nobody_out(firm: Any, language: str, width: int, dark: bool) -> None:
    from klientel.web.accounts import factors, services, tokens
    from klientel.web.accounts.models import User

    at = datetime.now(UTC)
    page = firm.person("demo", language=language, width=width, dark=dark)
    demo, head = services.find_user("demo"), services.find_user("head.of.sales")
    tokens.make(demo, "Report", ["read"], at)
    if not factors.has(head):
        secret = factors.new_secret()
        factors.add_app(head, secret, factors.code_at(secret, int(at.timestamp()) // 30), at)
    rep = User.objects.exclude(rep=None).order_by("pk").first()
    # fmt: off
    paths = ["/account", "/account/factors", "/account/factors/app", "/confirm", "/people", "/people/add",
             "/people/teams", "/people/log", f"/people/{rep.pk}", f"/people/{head.pk}", f"/people/{demo.pk}"]
    # fmt: on
    faults = {}
    for path in paths:
        assert page.goto(f"{firm.address}{path}").status == 200, path
        page.wait_for_load_state("networkidle")
        found = faults_of(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append("wider than the screen")
        if found:
            faults[path] = found
    assert faults == {}, faults
    assert page.faults == [], page.faults


@pytest.mark.parametrize("language", ["en", "de"])
def test_doors_keep_nobody_out(firm: Any, language: str) -> None:
    page = firm.stranger(language=language, width=390)
    for path in ("/sign-in", "/sign-in/forgotten", "/invitation/nothing"):
        page.goto(firm.address + path)
        assert faults_of(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{firm.address}/sign-in")
    page.fill("#name", "nobody")
    page.fill("#password", "wrong")
    page.locator("button.primary").click()
    page.wait_for_selector("[role=alert]")
    assert faults_of(page) == []
