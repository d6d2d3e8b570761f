"""Which addresses sources may reach: global unicast ones, and what the operator allows by name, address or network.

The tables follow the IANA special-purpose address registries. `ipaddress` alone is not enough: depending on Python's
version it takes multicast, 6to4, site-local, IPv4-compatible and translated addresses for global.
"""

import re
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from threading import Thread
from typing import NamedTuple, Self

from django.conf import settings

from sources.errors import AddressRefused, Unreachable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Iterable[str]]
"""Numeric addresses of a host and port. Raises OSError when there are none."""

LOOK_UP_SECONDS = 10.0

_REFUSED_IPV4 = {
    IPv4Network(network): kind
    for network, kind in {
        "0.0.0.0/8": "an address of this network",
        "10.0.0.0/8": "a private address",
        "100.64.0.0/10": "a shared address of a carrier",
        "127.0.0.0/8": "a loopback address",
        "168.63.129.16/32": "the address of a cloud's host",
        "169.254.0.0/16": "a link-local address",
        "172.16.0.0/12": "a private address",
        "192.0.0.0/24": "an address kept for protocols",
        "192.0.2.0/24": "an address kept for documentation",
        "192.88.99.0/24": "the address of 6to4 relays",
        "192.168.0.0/16": "a private address",
        "198.18.0.0/15": "an address kept for benchmarks",
        "198.51.100.0/24": "an address kept for documentation",
        "203.0.113.0/24": "an address kept for documentation",
        "224.0.0.0/4": "a multicast address",
        "255.255.255.255/32": "the broadcast address",
        "240.0.0.0/4": "a reserved address",
    }.items()
}
_REFUSED_IPV6 = {
    IPv6Network(network): kind
    for network, kind in {
        "::1/128": "a loopback address",
        "::/128": "the unspecified address",
        "::ffff:0:0/96": "an IPv4 address in IPv6 spelling",
        "::/96": "an IPv4 address in IPv6 spelling",
        "64:ff9b:1::/48": "a translated address",
        "100::/64": "an address that discards",
        "2001::/32": "a Teredo address",
        "2001::/23": "an address kept for protocols",
        "2001:db8::/32": "an address kept for documentation",
        "3fff::/20": "an address kept for documentation",
        "5f00::/16": "an address kept for protocols",
        "fc00::/7": "a private address",
        "fe80::/10": "a link-local address",
        "fec0::/10": "a site-local address",
        "ff00::/8": "a multicast address",
    }.items()
}
_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")


def refusal(address: Address) -> str | None:
    """What kind of address it is, if sources may not reach it."""
    if isinstance(address, IPv4Address):
        kind = _kind(address, _REFUSED_IPV4)
        return kind or (None if address.is_global else "not a global address")
    if address.scope_id is not None:
        return "an address with a zone"
    if (embedded := _embedded(address)) is not None:
        inner = refusal(embedded)
        return inner and f"{inner} inside an IPv6 address"
    if kind := _kind(address, _REFUSED_IPV6):
        return kind
    return None if address in _GLOBAL_UNICAST and address.is_global else "not a global address"


def _kind(address: Address, refused: dict[IPv4Network, str] | dict[IPv6Network, str]) -> str | None:
    return next((kind for network, kind in refused.items() if address in network), None)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """Where packets to a 6to4 or NAT64 (RFC 6052) address go in the end."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.sixtofour


class Allowed(NamedTuple):
    """What stands on the operator's list: a host name or a network, with a port or for all ports."""

    host: str | Network
    port: int | None

    @classmethod
    def parse(cls, entry: str) -> Self:
        """`name`, `name:port`, `address`, `[address]:port` or `network/bits`. Raises ValueError."""
        text = entry.strip()
        if "/" in text:
            return cls(_network(text, entry), None)
        if (match := re.fullmatch(r"\[(.+)\](?::(\d{1,5}))?", text)) and ":" in match[1]:
            return cls(_network(match[1], entry), int(match[2]) if match[2] else None)
        host, colon, port = text.partition(":") if text.count(":") == 1 else (text, "", "")
        if colon and not re.fullmatch(r"\d{1,5}", port):
            raise ValueError(f"SOURCES_ALLOWED_HOSTS: the port of {entry!r} is not a number.")
        number = int(port) if colon else None
        if ":" in host or re.fullmatch(r"[0-9.]+", host):
            return cls(_network(host, entry), number)
        if not _NAME.fullmatch(host):
            raise ValueError(f"SOURCES_ALLOWED_HOSTS: {entry!r} is neither a host name nor an address nor a network.")
        return cls(_plain(host), number)


def _network(text: str, entry: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"SOURCES_ALLOWED_HOSTS: {entry!r} is not a network: {error}.") from None


def _plain(host: str) -> str:
    return host.lower().removesuffix(".")


def _resolve(host: str, port: int) -> list[str]:
    return [str(sockaddr[0]) for *_, sockaddr in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _within(seconds: float, resolver: Resolver, host: str, port: int) -> Iterable[str]:
    """What the resolver gives. Raises what it raises, and TimeoutError; then its thread is left to itself.

    The system's resolver knows no deadline. The thread is a daemon, for a pool would wait for it at the process's end.
    """
    found: Future[Iterable[str]] = Future()

    def look_up() -> None:
        try:
            found.set_result(resolver(host, port))
        except BaseException as error:  # raised again by who waits
            found.set_exception(error)

    Thread(target=look_up, name=f"look up {host[:50]}", daemon=True).start()
    return found.result(seconds)


class Guard:
    """Resolves names and lets through only what may be reached.

    Connect to an address that `resolve` gave, not to the name: another look-up may say something else.
    """

    def __init__(
        self, allowed: Iterable[str] = (), resolver: Resolver = _resolve, look_up_seconds: float = LOOK_UP_SECONDS
    ) -> None:
        """Raises ValueError when `allowed` has an entry that `Allowed.parse` does not take."""
        self._allowed = [Allowed.parse(entry) for entry in allowed]
        self._resolver = resolver
        self._look_up_seconds = look_up_seconds

    @classmethod
    def from_settings(cls) -> Self:
        return cls(settings.SOURCES_ALLOWED_HOSTS)

    def resolve(self, host: str, port: int) -> list[Address]:
        """The addresses of `host`, each of which may be reached, in the resolver's order; at least one.

        Raises AddressRefused when a single one may not, Unreachable when the name is not known.
        """
        if not 0 < port < 65536:
            raise AddressRefused(f"{port} is not a port: choose one from 1 to 65535.")
        addresses = self._look_up(host, port)
        for address in addresses:
            kind = refusal(address)
            if kind and not self._is_allowed(host, address, port):
                raise AddressRefused(
                    f"Sources may not reach {host}: it is {kind}. If it is meant to be reached, the operator of this "
                    f"service adds it to SOURCES_ALLOWED_HOSTS."
                )
        return addresses

    def _look_up(self, host: str, port: int) -> list[Address]:
        try:
            found = _within(self._look_up_seconds, self._resolver, host, port) if host.isprintable() and host else ()
            answers = dict.fromkeys(found)
            addresses = [ip_address(answer) for answer in answers]
        except (UnicodeError, ValueError):
            raise AddressRefused(f"{host[:300]!r} is not a host name.") from None
        except TimeoutError:
            raise Unreachable(
                f"The host {host} was looked up for {self._look_up_seconds:g} s without an answer.", "unresolved"
            ) from None
        except OSError as error:
            raise Unreachable(f"The host {host} cannot be found: {error.strerror}.", "unresolved") from error
        if not addresses:
            raise AddressRefused(f"{host!r} is not the name of a host that has an address.")
        return addresses

    def _is_allowed(self, host: str, address: Address, port: int) -> bool:
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            return False
        return any(
            entry.port in (None, port)
            and (entry.host == _plain(host) if isinstance(entry.host, str) else address in entry.host)
            for entry in self._allowed
        )
