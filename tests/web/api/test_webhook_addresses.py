"""Where webhooks may go: nothing inside, no name that changes its meaning, nobody who never ends."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.1", "255.255.255.255", "240.0.0.1", "198.18.0.1",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:c0a8:101::1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:db8::1", "nonsense",
    ],
)  # fmt: skip
def test_nothing_inside_is_reached(number: str) -> None:
    """Private, loopback, link-local, metadata, and IPv6 addresses that stand for them."""
    from klientel.web.api.reaching import may_be_reached

    assert not may_be_reached(number)


@pytest.mark.parametrize("number", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_the_open_internet_is_reached(number: str) -> None:
    from klientel.web.api.reaching import may_be_reached

    assert may_be_reached(number)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x", "file:///etc/passwd", "gopher://127.0.0.1/", "https://", "http:///x", "not an address",
        "https://user:pass@example.com/", "http://example.com:22/", "http://example.com:99999/", "http://127.0.0.1/",
        "http://localhost/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://2130706433/", "http://0x7f.1/",
        "http://example.com/\r\nX: y", "http://exa mple.com/", "javascript:alert(1)", "http://169.254.169.254/latest",
        "http://127.1/", "http://0/",
    ],
)  # fmt: skip
def test_addresses_that_may_not_be_are_refused_at_once(
    program: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is kept."""
    known = socket.getaddrinfo

    def resolve(host: str, *args: Any, **options: Any) -> Any:
        return known("93.184.215.14" if "example" in host else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    boss = program()
    asked = boss.post("/webhooks", {"url": url, "events": ["*"]})
    assert asked.status_code == 400
    assert boss.items("/webhooks") == []


def test_a_name_that_changes_its_meaning_leads_nowhere(program: Any, monkeypatch: Any) -> None:
    """The name is resolved once for each attempt, and the checked number is the one that is connected to."""
    from klientel.web.api import reaching
    from klientel.web.api.delivering import deliver

    answers = iter([["93.184.215.14"], ["93.184.215.14"], ["127.0.0.1"]])
    connected: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (n, port)) for n in next(answers)]

    def connect(where: tuple[str, int], **_: Any) -> Any:
        connected.append(where[0])
        raise ConnectionRefusedError

    monkeypatch.setenv("KLIENTEL_WEBHOOK_NETWORKS", "")
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    boss = program()
    hook = boss.post("/webhooks", {"url": "http://rebind.example/", "events": ["tasks.*"]}).json()["id"]
    boss.post("/tasks", {"title": "x"})
    assert deliver(NOW) == 0
    assert deliver(NOW + timedelta(hours=1)) == 0  # by now it means ourselves
    assert connected == ["93.184.215.14"]
    assert "may be reached" in boss.items(f"/webhooks/{hook}/deliveries")[0]["why"]
    assert reaching.ports() >= {80, 443}


def test_one_inner_address_among_several_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    from klientel.errors import BadParameter
    from klientel.web.api import reaching

    def both(host: str, port: int, **_: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (n, port)) for n in ("93.184.215.14", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(BadParameter):
        reaching.target("https://two.example/")


def _without_certificates(of: ssl.SSLContext) -> ssl.SSLContext:
    """TLS of nobody in particular: no test needs a certificate."""
    of.check_hostname = False
    of.verify_mode = ssl.CERT_NONE
    of.maximum_version = ssl.TLSVersion.TLSv1_2
    of.set_ciphers("AECDH:ADH:@SECLEVEL=0")
    return of


@pytest.mark.parametrize("how", ["http", "https", "https without a handshake"])
def test_a_receiver_that_never_ends_is_cut_off(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte now and then keeps no sender busy for ever, with TLS as without."""
    from klientel.web.api import reaching

    over, reached = threading.Event(), threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    theirs = _without_certificates(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    ours = _without_certificates(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    monkeypatch.setattr(ssl, "create_default_context", lambda: ours)

    def drip() -> None:
        there, _ = listening.accept()
        try:
            if how == "https without a handshake":
                reached.set()
                there.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KB begins
                while not over.wait(0.05):
                    there.sendall(b"y")
                return
            if how == "https":
                there = theirs.wrap_socket(there, server_side=True)
            reached.set()
            there.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not over.wait(0.05):
                there.sendall(b"y")
        except OSError:
            return

    threading.Thread(target=drip, daemon=True).start()
    monkeypatch.setenv("KLIENTEL_WEBHOOK_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("KLIENTEL_WEBHOOK_PORTS", str(listening.getsockname()[1]))
    monkeypatch.setattr(reaching, "WHOLE", 0.5)
    begun = time.monotonic()
    with pytest.raises(reaching.Unreachable):
        reaching.post(f"{how.split()[0]}://127.0.0.1:{listening.getsockname()[1]}/", b"{}", {})
    assert time.monotonic() - begun < 5
    assert reached.is_set()
    over.set()
    listening.close()
