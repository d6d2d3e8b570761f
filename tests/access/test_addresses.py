import pytest
from django.test import RequestFactory
from pytest_django import Settings

from access.addresses import client_address, network


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, None, "192.0.2.1"),
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.66, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.66, 203.0.113.9, 192.0.2.7", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "nonsense", "192.0.2.1"),
        (1, None, "192.0.2.1"),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_what_a_client_says_is_believed_only_as_far_as_proxies_wrote_it(
    settings: Settings, proxies: int, forwarded: str | None, expected: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR="192.0.2.1")) == expected


@pytest.mark.parametrize(
    ("given", "expected"), [("", None), ("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::1")]
)
def test_the_address_of_a_connection_is_one_or_none(given: str, expected: str | None) -> None:
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=given)) == expected


def test_an_ipv6_client_has_a_whole_network() -> None:
    assert network("2001:db8::1") == network("2001:db8::2") == "2001:db8::/64"
    assert network("192.0.2.1") != network("192.0.2.2")
