"""Reaching addresses that people typed in: nothing inside the house, no redirects, no endless answers.

The name is resolved once, every address is checked, and the connection goes to a checked address: a name that means
something else a moment later leads nowhere.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from klientel.errors import BadParameter, KlientelError
from klientel.web.settings import setting
from klientel.words import say

CONNECT = 5.0  # seconds to connect
WHOLE = 15.0  # seconds for everything
ANSWER = 64 * 1024  # bytes of an answer that are read
_PORTS = frozenset({80, 443, 8080, 8443})
# Public addresses behind which clouds keep the secrets of their machines.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Set aside by IANA; older Pythons take some of them for open.
_ASIDE = [
    ipaddress.ip_network(n)
    for n in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "3fff::/20",
        "5f00::/16",
    )
]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unreachable(KlientelError):
    """The address did not answer, or not as it should."""


@dataclass(frozen=True)
class Target:
    """An address to reach: whether by TLS, host, port, path with query, and the checked numbers."""

    tls: bool
    host: str
    port: int
    path: str
    numbers: tuple[str, ...]


def inner_networks() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Networks of one's own that may be reached all the same: KLIENTEL_WEBHOOK_NETWORKS, with commas between."""
    return [
        ipaddress.ip_network(n.strip())
        for n in (setting("KLIENTEL_WEBHOOK_NETWORKS") or "").split(",")
        if n.strip()
    ]


def ports() -> frozenset[int]:
    """Ports that may be reached: 80, 443, 8080, 8443 and those of KLIENTEL_WEBHOOK_PORTS."""
    return _PORTS | {int(p) for p in (setting("KLIENTEL_WEBHOOK_PORTS") or "").split(",") if p.strip()}


def target(url: str) -> Target:
    """The target of a URL, its name resolved and every number checked. Raises BadParameter for what may not be."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = (
            (parts.hostname or "").encode("idna").decode()
            if ":" not in (parts.hostname or "")
            else parts.hostname
        )
    except (ValueError, UnicodeError):
        raise BadParameter(say("{url} is no address.", url=url[:100])) from None
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() or c < " " for c in url):
        raise BadParameter(say("{url} is no address: it begins with https:// or http://.", url=url[:100]))
    if parts.username is not None or parts.password is not None:
        raise BadParameter(say("An address holds no user name or password."))
    if port not in ports():
        raise BadParameter(say("Port {port} may not be reached; these may: {ports}.", port=str(port),
                               ports=[str(p) for p in sorted(ports())]))  # fmt: skip
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise BadParameter(say("{url} is no address.", url=url[:100]))
    return Target(parts.scheme == "https", host, port, path, _checked(host, port))


def _checked(host: str, port: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BadParameter(say("There is no host {host}.", host=host)) from None
    numbers = tuple(dict.fromkeys(str(one[4][0]) for one in found))
    if not numbers or not all(map(may_be_reached, numbers)):
        raise BadParameter(say("{host} lies where nothing may be reached from here.", host=host))
    return numbers


def may_be_reached(number: str) -> bool:
    """True for addresses of the open internet, and those of `inner_networks`."""
    try:
        found = ipaddress.ip_address(number.partition("%")[0])
    except ValueError:
        return False
    if found in _NAT64:  # nothing of its own: the IPv4 address in it says where it leads
        return _open(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
    return all(_open(one) for one in (found, *_within(found)))


def _open(one: Address) -> bool:
    if any(one.version == network.version and one in network for network in inner_networks()):
        return True
    closed = one.is_multicast or one.is_reserved or one.is_unspecified or one.is_loopback or one.is_link_local
    aside = any(one in network for network in _ASIDE)
    return one.is_global and not closed and not aside and one not in _METADATA


def _within(one: Address) -> Iterator[Address]:
    """The IPv4 addresses that an IPv6 address stands for."""
    if not isinstance(one, ipaddress.IPv6Address):
        return
    for inner in (one.ipv4_mapped, one.sixtofour, *(one.teredo or ())):
        if inner is not None:
            yield inner
    if int(one) >> 32 == 0:
        yield ipaddress.IPv4Address(int(one) & 0xFFFFFFFF)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post to a URL; the status of the answer. Raises BadParameter for a URL that may not be, Unreachable else."""
    goal = target(url)
    try:
        return _posted(goal, body, headers)
    except (OSError, HTTPException) as failed:
        raise Unreachable(say("{host} did not answer: {why}.", host=goal.host, why=_why(failed))) from None


def _posted(goal: Target, body: bytes, headers: Mapping[str, str]) -> int:
    line = socket.create_connection((goal.numbers[0], goal.port), timeout=CONNECT)
    if goal.tls:  # takes the socket over: only the wrapped one can be cut and closed
        tls = ssl.create_default_context()
        line = tls.wrap_socket(line, server_hostname=goal.host, do_handshake_on_connect=False)
    late = threading.Event()
    over = threading.Timer(WHOLE, _cut, (line, late))
    over.daemon = True
    over.start()
    try:
        line.settimeout(WHOLE)
        if isinstance(line, ssl.SSLSocket):
            line.do_handshake()
        connection = HTTPConnection(goal.host, goal.port)
        connection.sock = line
        connection.request("POST", goal.path, body, {**headers, "Connection": "close"})
        answered = connection.getresponse()
        answered.read(ANSWER)
    finally:
        over.cancel()
        line.close()
    if late.is_set():
        raise TimeoutError
    return answered.status


def _cut(line: socket.socket, late: threading.Event) -> None:
    """End a connection that takes too long, whatever it is doing."""
    late.set()
    try:
        socket.socket.shutdown(line, socket.SHUT_RDWR)  # of the connection itself, below TLS
    except OSError:
        return


def _why(failed: Exception) -> str:
    return (
        type(failed).__name__
        if not isinstance(failed, OSError)
        else (failed.strerror or type(failed).__name__)
    )
