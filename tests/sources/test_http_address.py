"""Nothing leads a source to an address that it may not reach, and no connection goes where no check was made."""

import socket
from collections.abc import Iterator

import pytest

from sources.address import Guard
from sources.errors import AddressRefused, BadDefinition, SourceError
from sources.http.budget import Budget
from sources.http.connection import _Backend
from tests.sources.fetching import Reading
from tests.sources.provider import Provider, data, redirect, running, whole

REFUSED = """
http://127.0.0.1:{port}/ http://localhost:{port}/ http://LOCALHOST:{port}/ http://0x7f.1:{port}/ http://2130706433:{port}/
http://127.1:{port}/ http://0177.0.0.1:{port}/ http://0:{port}/ http://[::1]:{port}/ http://[::ffff:127.0.0.1]:{port}/
http://[::127.0.0.1]:{port}/ http://[64:ff9b::127.0.0.1]:{port}/ http://[64:ff9b:1::1]/ http://[2002:7f00:1::]:{port}/
http://[2001:0:7f00:1::]/ http://[fe80::1]/ http://[fec0::1]/ http://[fc00::1]/ http://[ff02::1]/ http://10.0.0.1/
http://169.254.169.254/latest/ http://100.64.0.1/ http://192.0.0.192/ http://192.168.0.1/ http://224.0.0.1/
http://255.255.255.255/ http://127。0。0。1:{port}/
"""


def _words(text: str) -> list[str]:
    return text.split()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running("open.example") as provider:
        yield provider


def guard(provider: Provider) -> Guard:
    """Knows one name, and lets it be this machine at the provider's port."""

    def resolver(host: str, port: int) -> list[str]:
        if host == "open.example":
            return ["127.0.0.1"]
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]

    return Guard([f"open.example:{provider.port}"], resolver)


@pytest.mark.parametrize("url", _words(REFUSED))
def test_a_source_may_not_ask_there(provider: Provider, url: str) -> None:
    with pytest.raises((AddressRefused, BadDefinition)):
        Reading().first(url.format(port=provider.port), guard=guard(provider))
    assert provider.requests == []


@pytest.mark.parametrize("target", _words(REFUSED))
def test_a_redirect_does_not_lead_there(provider: Provider, target: str) -> None:
    url = provider.on(
        "/a",
        redirect(
            target.format(port=provider.port).encode("idna").decode()
            if "。" in target
            else target.format(port=provider.port)
        ),
    )
    with pytest.raises((AddressRefused, SourceError)) as caught:
        Reading().first(url, guard=guard(provider))
    assert caught.value.code in ("address_refused", "redirect_refused")
    assert len(provider.requests) == 1


@pytest.mark.parametrize("target", _words(REFUSED))
def test_a_next_link_does_not_lead_there(provider: Provider, target: str) -> None:
    url = provider.on("/a", data({"rows": [1], "next": target.format(port=provider.port)}))
    with pytest.raises(SourceError) as caught:
        Reading().rows(url, guard=guard(provider), pagination={"kind": "next_url", "path": "next"})
    assert caught.value.code in ("address_refused", "pagination")
    assert len(provider.requests) == 1


@pytest.mark.parametrize("path", ["file:///etc/passwd", "ftp://open.example/", "gopher://open.example/", "http://a b/"])
def test_a_redirect_leads_to_http_alone(provider: Provider, path: str) -> None:
    with pytest.raises(SourceError) as caught:
        Reading().first(provider.on("/a", redirect(path)), guard=guard(provider))
    assert caught.value.code == "redirect_refused"


def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to(provider: Provider) -> None:
    """DNS rebinding: the second look-up would give an address that is not allowed."""
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    looked_up: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return answers.pop(0)

    url = provider.on("/a", data([1]))
    assert Reading().first(url, guard=Guard([f"127.0.0.1:{provider.port}"], resolver)) == b"[1]"
    assert looked_up == ["open.example"]
    assert provider.requests[0].headers["host"] == f"open.example:{provider.port}"


def test_a_name_that_moves_to_a_private_address_is_refused_at_the_next_connection(provider: Provider) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    url = provider.on("/a", whole(b"[]", Connection="close", Link='</a?page=2>; rel="next"'))
    with pytest.raises(AddressRefused):
        Reading().rows(
            url,
            guard=Guard([f"127.0.0.1:{provider.port}"], lambda host, port: answers.pop(0)),
            pagination={"kind": "link_header"},
        )
    assert len(provider.requests) == 1


def test_the_environment_does_not_lead_requests_elsewhere(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w") as file:
        file.write("machine open.example login me password hidden")
    monkeypatch.setenv("NETRC", netrc)
    assert Reading().first(provider.on("/a", data([1])), guard=guard(provider)) == b"[1]"
    assert "authorization" not in provider.requests[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "http://me:hidden@open.example/",
        "http://me@open.example/",
        "http://open.example:70000/",
        "http:///a",
        "http://a b/",
    ],
)
def test_a_url_that_sources_do_not_take_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(BadDefinition, match=r"^extract\.url: ") as caught:
        Reading().pages(url)
    assert "hidden" not in str(caught.value)


def test_unix_sockets_are_out_of_reach() -> None:
    with pytest.raises(Exception, match="Unix sockets"):
        _Backend(Guard(), Budget(0, 0)).connect_unix_socket("/var/run/docker.sock")
