"""The button "test"."""

from collections.abc import Iterator

import pytest

from sources.address import Guard
from sources.http.check import Report, check
from tests.sources.fetching import LOCAL, Reading, http
from tests.sources.provider import Provider, Reply, data, drip, redirect, running, status, whole

AUTH = {"kind": "bearer", "secret": "k"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


def report(url: str, **members: object) -> Report:
    return check(http(url, **members), {"k": "hidden"}, LOCAL, source="1", surroundings=Reading().surroundings())


def test_all_is_well(provider: Provider) -> None:
    provider.on("/b", data([1]))
    found = report(provider.on("/a", redirect("/b")), auth=AUTH, pagination={"kind": "page"})
    assert found == Report(True, 200, True, "application/json", found.milliseconds)
    assert 0 <= found.milliseconds < 5000
    assert provider.requests[0].query == {"page": "1"}


def test_a_long_answer_is_not_read(provider: Provider) -> None:
    assert report(provider.on("/a", drip(provider, 0.05))).status == 200
    assert report(provider.on("/b", whole(bytes(5 << 20)))).error == ""


@pytest.mark.parametrize(
    ("reply", "code", "authorised", "error"),
    [
        (status(401), 401, False, "forbidden"),
        (status(403), 403, False, "forbidden"),
        (status(404), 404, None, "http_404"),
        (status(500), 500, None, "http_500"),
        (status(429, Retry_After="100"), 429, None, "try_later"),
        (redirect("/a"), 302, None, "too_many_redirects"),
    ],
)
def test_what_is_wrong_is_said(
    provider: Provider, reply: Reply, code: int, authorised: bool | None, error: str
) -> None:
    found = report(provider.on("/a", reply), auth=AUTH)
    assert (found.reachable, found.status, found.authorised, found.error) == (True, code, authorised, error)
    assert found.detail
    assert "hidden" not in str(found)


def test_nobody_is_there() -> None:
    with running() as gone:
        url = gone.url
    found = report(url)
    assert (found.reachable, found.status, found.error) == (False, 0, "unreachable")


def test_a_refused_address() -> None:
    spec = http("http://127.0.0.1/")
    found = check(spec, {}, Guard(), source="1", surroundings=Reading().surroundings())
    assert (found.reachable, found.error) == (False, "address_refused")


@pytest.mark.parametrize("members", [{"auth": {"kind": "bearer", "secret": "none"}}, {"headers": {"Host": "x"}}])
def test_a_bad_definition(provider: Provider, members: dict[str, object]) -> None:
    found = report(provider.url, **members)
    assert (found.reachable, found.error, provider.requests) == (False, "bad_definition", [])
