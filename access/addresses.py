"""Where a request comes from."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The client's IP address; None when it came through a Unix socket.

    X-Forwarded-For is believed only as far as TRUSTED_PROXIES have written it: with two proxies it is the second
    address from its end.
    """
    behind = settings.TRUSTED_PROXIES
    listed = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if behind and len(listed) >= behind and (address := _valid(listed[-behind])):
        return address
    return _valid(request.META.get("REMOTE_ADDR") or "")


def network(address: str) -> str:
    """What one client has at least: an IPv4 address, or the /64 of an IPv6 address."""
    parsed = ipaddress.ip_address(address)
    return address if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


def _valid(text: str) -> str | None:
    try:
        parsed = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
