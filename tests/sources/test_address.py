import socket
import threading
import time
from ipaddress import ip_address

import pytest

from sources.address import Allowed, Guard, refusal
from sources.errors import AddressRefused, Unreachable


def _words(text: str) -> list[str]:
    return text.split()


REFUSED = _words("""
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254 168.63.129.16
169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1
198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::ffff:0:7f00:1
64:ff9b::127.0.0.1 64:ff9b::169.254.169.254 64:ff9b::a00:1 64:ff9b:1::8.8.8.8 64:ff9b:1:ffff::1 100::1
2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 3fff::1 5f00::1
2002:7f00:1:: 2002:a00:1::1 2002:a9fe:a9fe:: 2002:c0a8:101::1 4000::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0
2606:4700::1%1 fec0::1 ff02::1 ff0e::1
""")
REACHED = _words("""
1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 198.17.0.1 198.20.0.1 223.255.255.255
2001:4860:4860::8888 2606:4700::1111 2a00:1450:4001::1 64:ff9b::8.8.8.8 2002:808:808::1
""")


@pytest.mark.parametrize("address", REFUSED)
def test_it_refuses_what_is_not_global(address: str) -> None:
    assert refusal(ip_address(address))


@pytest.mark.parametrize("address", REACHED)
def test_it_lets_global_addresses_pass(address: str) -> None:
    assert refusal(ip_address(address)) is None


@pytest.mark.parametrize(
    "host",
    _words("""
    127.0.0.1 localhost LOCALHOST localhost. 0x7f.1 0x7f000001 2130706433 127.1 0177.0.0.1 127.0.0.1. 0 ::1
    ::ffff:127.0.0.1 ::ffff:7f00:1 0:0:0:0:0:0:0:1 169.254.169.254 0xa9fea9fe
    """),
)
def test_no_spelling_of_a_refused_address_passes(host: str) -> None:
    with pytest.raises((AddressRefused, Unreachable)) as caught:
        Guard().resolve(host, 80)
    if host not in ("localhost.", "127.0.0.1."):  # whether these are names depends on the machine's resolver
        assert isinstance(caught.value, AddressRefused)


def guard(*addresses: str, allowed: tuple[str, ...] = ()) -> Guard:
    return Guard(allowed, lambda host, port: addresses)


def test_one_bad_answer_refuses_the_name() -> None:
    with pytest.raises(AddressRefused, match=r"may not reach example.org: it is a private address.*SOURCES_ALLOWED"):
        guard("8.8.8.8", "10.0.0.1").resolve("example.org", 443)


def test_good_answers_come_once_and_in_order() -> None:
    found = guard("2606:4700::1111", "1.1.1.1", "1.1.1.1").resolve("example.org", 443)
    assert [str(address) for address in found] == ["2606:4700::1111", "1.1.1.1"]


@pytest.mark.parametrize(
    ("entry", "host", "address", "port"),
    [
        ("db.internal", "DB.internal.", "10.0.0.5", 5432),
        ("DB.Internal:5432", "db.internal", "10.0.0.5", 5432),
        ("10.0.0.5", "anything", "10.0.0.5", 1),
        ("10.0.0.5:80", "anything", "10.0.0.5", 80),
        ("10.0.0.0/8", "anything", "10.9.8.7", 1),
        ("::1", "ip6", "::1", 1),
        ("[::1]", "ip6", "::1", 1),
        ("[::1]:8080", "ip6", "::1", 8080),
        ("fd00::/8", "ip6", "fd12::1", 1),
        (" my_service ", "my_service", "172.17.0.2", 1),
    ],
)
def test_the_operators_list_opens_private_addresses(entry: str, host: str, address: str, port: int) -> None:
    assert guard(address, allowed=(entry,)).resolve(host, port) == [ip_address(address)]


@pytest.mark.parametrize(
    ("entry", "host", "address", "port"),
    [
        ("db.internal", "other.internal", "10.0.0.5", 5432),
        ("db.internal:5432", "db.internal", "10.0.0.5", 22),
        ("internal", "db.internal", "10.0.0.5", 5432),
        ("10.0.0.5:80", "anything", "10.0.0.5", 81),
        ("10.0.0.0/24", "anything", "10.0.1.0", 1),
        ("10.0.0.5", "10.0.0.5", "10.0.0.6", 1),
        ("127.0.0.1", "ip6", "::ffff:127.0.0.1", 1),
        ("fe80::/10", "ip6", "fe80::1%eth0", 1),
    ],
)
def test_the_operators_list_opens_nothing_else(entry: str, host: str, address: str, port: int) -> None:
    with pytest.raises(AddressRefused):
        guard(address, allowed=(entry,)).resolve(host, port)


@pytest.mark.parametrize("entry", ["", "10.0.0.1/8", "10.0.0.0/40", "a b", "host:http", "http://x", "1.2.3.4.5", "*.x"])
def test_a_bad_entry_of_the_list_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="SOURCES_ALLOWED_HOSTS"):
        Allowed.parse(entry)


@pytest.mark.parametrize("host", ["", "a" * 64 + ".example", "x..example", "nul\0.example"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        Guard().resolve(host, 80)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(AddressRefused):
        guard("8.8.8.8").resolve("example.org", port)


def test_an_unknown_name_may_be_known_later() -> None:
    def resolver(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(Unreachable, match=r"no\.example cannot be found: Name or service not known") as caught:
        Guard(resolver=resolver).resolve("no.example", 80)
    assert (caught.value.code, caught.value.temporary) == ("unresolved", True)


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    release = threading.Event()

    def resolver(host: str, port: int) -> list[str]:
        release.wait(60)
        return ["8.8.8.8"]

    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"slow\.example was looked up for 0\.1 s without an answer") as caught:
        Guard(resolver=resolver, look_up_seconds=0.1).resolve("slow.example", 80)
    release.set()
    assert time.monotonic() - started < 30
    assert (caught.value.code, caught.value.temporary) == ("unresolved", True)
