"""Where redirects lead, and what goes with them."""

from collections.abc import Iterator

import pytest

from sources.address import Guard
from sources.errors import Forbidden, SourceError
from tests.sources.fetching import Reading
from tests.sources.provider import Provider, Request, data, redirect, running, status

BEARER = {"auth": {"kind": "bearer", "secret": "k"}, "secrets": {"k": "hidden-token"}}
QUERY_KEY = {"auth": {"kind": "api_key", "name": "key", "place": "query", "secret": "k"}, "secrets": {"k": "hidden"}}
HOSTS = Guard(["a.example", "b.example"], lambda host, port: ["127.0.0.1"])


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running("a.example") as provider:
        yield provider


@pytest.fixture
def other() -> Iterator[Provider]:
    with running("b.example") as provider:
        yield provider


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_on_the_same_origin_keeps_credentials(provider: Provider, code: int) -> None:
    url = provider.on("/a", redirect("b?x=1", code))
    provider.on("/b", data([1]))
    assert Reading().first(url, guard=HOSTS, headers={"X-Team": "t"}, **BEARER) == b"[1]"
    last = provider.requests[-1]
    assert (last.query, last.headers["authorization"], last.headers["x-team"]) == (
        {"x": "1"},
        "Bearer hidden-token",
        "t",
    )


def test_a_key_in_the_query_follows_on_the_same_origin(provider: Provider) -> None:
    url = provider.on("/a", redirect("/b?x=1"))
    provider.on("/b", data([1]))
    Reading().first(url, guard=HOSTS, **QUERY_KEY)
    assert provider.requests[-1].query == {"x": "1", "key": "hidden"}


@pytest.mark.parametrize("auth", [BEARER, QUERY_KEY], ids=["header", "query"])
def test_another_origin_gets_no_credentials(
    provider: Provider, other: Provider, auth: dict[str, dict[str, str]]
) -> None:
    url = provider.on("/a", redirect(other.on("/b", data([1]))))
    headers = {"Cookie": "hidden", "X-Api-Key": "hidden", "Accept": "text/csv", "authorization": "hidden"}
    assert Reading().first(url, guard=HOSTS, headers=headers, **auth) == b"[1]"
    (request,) = other.requests
    assert "hidden" not in str(request)
    assert request.headers["accept"] == "text/csv"


def test_another_port_is_another_origin(provider: Provider) -> None:
    with running("a.example") as neighbour:
        Reading().first(provider.on("/a", redirect(neighbour.on("/b", data([1])))), guard=HOSTS, **BEARER)
        assert "authorization" not in neighbour.requests[0].headers


def test_who_is_refused_after_a_redirect_is_told_why(provider: Provider, other: Provider) -> None:
    url = provider.on("/a", redirect(other.on("/b", status(401))))
    with pytest.raises(Forbidden, match=r"b\.example.* 401 .*to the origin of the source's URL alone"):
        Reading().first(url, guard=HOSTS, **BEARER)


@pytest.mark.parametrize(("code", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_a_post_stays_one_where_it_must(provider: Provider, code: int, method: str) -> None:
    url = provider.on("/a", redirect("/b", code))
    provider.on("/b", data([1]))
    Reading().first(url, guard=HOSTS, method="POST", body={"q": 1})
    assert (provider.requests[-1].method, provider.requests[-1].body) == (
        method,
        b'{"q":1}' if method == "POST" else b"",
    )


def test_a_body_does_not_go_to_another_origin(provider: Provider, other: Provider) -> None:
    url = provider.on("/a", redirect(other.on("/b", data([1])), 307))
    with pytest.raises(SourceError, match="to which no body is sent") as caught:
        Reading().first(url, guard=HOSTS, method="POST", body={"q": 1})
    assert (caught.value.code, other.requests) == ("redirect_refused", [])


@pytest.mark.parametrize("count", [5, 6])
def test_five_redirects_are_enough(provider: Provider, count: int) -> None:
    def reply(request: Request) -> object:
        number = int(request.query.get("n", 0))
        return redirect(f"/a?n={number + 1}") if number < count else data([1])

    url = provider.answer("/a", reply)  # type: ignore[arg-type]
    if count == 5:
        assert Reading().first(url, guard=HOSTS) == b"[1]"
        return
    with pytest.raises(SourceError, match="redirects more than 5 times") as caught:
        Reading().first(url, guard=HOSTS)
    assert (caught.value.code, len(provider.requests)) == ("too_many_redirects", 6)


def test_a_redirect_to_itself_ends(provider: Provider) -> None:
    with pytest.raises(SourceError) as caught:
        Reading().first(provider.on("/a", redirect("/a")), guard=HOSTS)
    assert caught.value.code == "too_many_redirects"


def test_a_redirect_without_a_target_is_an_error(provider: Provider) -> None:
    with pytest.raises(SourceError, match="answered 302 Found"):
        Reading().first(provider.on("/a", status(302)), guard=HOSTS)


def test_a_redirect_with_a_password_is_refused(provider: Provider) -> None:
    with pytest.raises(SourceError, match="may not hold a user name") as caught:
        Reading().first(provider.on("/a", redirect("http://u:hidden@a.example/")), guard=HOSTS)
    assert "hidden" not in str(caught.value)
