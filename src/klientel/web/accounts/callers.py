"""Who calls: the network address and the browser of a request."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from klientel.web.settings import setting


def address_of(request: Any) -> str:
    """The address that a request comes from; "" if it cannot be known.

    Behind proxies, KLIENTEL_PROXIES says how many there are (one with KLIENTEL_SECURE=1): what the outermost of them
    wrote down counts, since anything to the left of that in X-Forwarded-For comes from the caller.
    """
    from django.conf import settings

    told = str(request.META.get("REMOTE_ADDR", ""))
    count = setting("KLIENTEL_PROXIES") or ("1" if settings.SECURE else "0")
    proxies = int(count) if count.isdigit() else 0
    if proxies:
        chain = [part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")]
        if len(chain) >= proxies and chain[-proxies]:
            told = chain[-proxies]
    return _address(told)


def _address(text: str) -> str:
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ip_address(host)
    except ValueError:
        return ""
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def network_of(address: str) -> str:
    """The network that counts as one caller: an IPv4 address, of IPv6 the /64 that one household or office has."""
    from ipaddress import ip_network

    if ":" not in address:
        return address
    return str(ip_network(f"{address}/64", strict=False).network_address)


def agent_of(request: Any) -> str:
    """What the browser calls itself."""
    return str(request.META.get("HTTP_USER_AGENT", ""))[:300]


def browser(agent: str) -> str:
    """Browser and system in two words, as far as they can be told: "Firefox, Windows"."""
    names = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
             ("curl/", "curl"), ("python", "Python"))  # fmt: skip
    systems = (("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"),
               ("Mac OS", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip
    found = [
        next((name for sign, name in each if sign.lower() in agent.lower()), "") for each in (names, systems)
    ]
    return ", ".join(filter(None, found)) or agent[:40] or "–"
