"""Showing who asks, and showing nobody else the secret."""

import logging
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from sources.errors import BadDefinition, Forbidden, NotModified, SourceError, TryLater, Undecodable, Unreachable
from tests.sources.fetching import Reading
from tests.sources.provider import (
    Provider,
    Reply,
    Request,
    cut_off,
    data,
    raw,
    redirect,
    running,
    status,
    token_endpoint,
)

SECRET = "s3cr3t/+ü"
PLAIN = "s3cr3t-plain"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


def oauth2(provider: Provider, **members: str) -> dict[str, Any]:
    auth = {"kind": "oauth2", "token_url": f"{provider.url}/token", "client_id": "me", "secret": "k", **members}
    return {"auth": auth, "secrets": {"k": PLAIN}}


def asked_with(provider: Provider, auth: dict[str, str], secret: str) -> Request:
    Reading().first(provider.on("/a", data([])) + "?x=1", auth=auth, secrets={"k": secret})
    return provider.requests[-1]


def test_a_bearer_token(provider: Provider) -> None:
    request = asked_with(provider, {"kind": "bearer", "secret": "k"}, PLAIN)
    assert request.headers["authorization"] == f"Bearer {PLAIN}"


def test_a_user_and_password(provider: Provider) -> None:
    request = asked_with(provider, {"kind": "basic", "user": "mé", "secret": "k"}, SECRET)
    assert request.headers["authorization"] == "Basic " + b64encode(f"mé:{SECRET}".encode()).decode()


def test_a_key_in_a_header(provider: Provider) -> None:
    request = asked_with(provider, {"kind": "api_key", "name": "X-Key", "secret": "k"}, PLAIN)
    assert request.headers["x-key"] == PLAIN


def test_a_key_in_the_query(provider: Provider) -> None:
    request = asked_with(provider, {"kind": "api_key", "name": "x", "place": "query", "secret": "k"}, SECRET)
    assert request.query == {"x": SECRET}


def test_a_secret_that_is_not_there_is_named(provider: Provider) -> None:
    with pytest.raises(BadDefinition, match="no secret named k"):
        Reading().pages(provider.url, auth={"kind": "bearer", "secret": "k"})


@pytest.mark.parametrize("secret", ["line\nbreak", "ünicode", "nul\0"])
def test_a_secret_that_no_header_can_carry_is_not_shown(provider: Provider, secret: str) -> None:
    for auth in ({"kind": "bearer", "secret": "k"}, {"kind": "api_key", "name": "X-Key", "secret": "k"}):
        with pytest.raises(BadDefinition, match="The secret k has characters") as caught:
            Reading().pages(provider.url, auth=auth, secrets={"k": secret})
        assert secret not in str(caught.value)


@pytest.mark.parametrize("headers", [{"X": "a\nb"}, {"X": "ü"}, {"a b": "x"}, {"X": "a\0b"}])
def test_a_header_that_cannot_be_sent_is_the_sources_fault(provider: Provider, headers: dict[str, str]) -> None:
    with pytest.raises(BadDefinition, match="characters that headers cannot carry"):
        Reading().first(provider.on("/a", data([])), headers=headers)


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection"])
def test_headers_that_frame_a_request_are_ours(provider: Provider, name: str) -> None:
    with pytest.raises(BadDefinition, match=f"The header {name} is set by this service"):
        Reading().pages(provider.url, headers={name: "x"})


def test_a_token_is_fetched_once_for_a_run(provider: Provider) -> None:
    provider.answer("/token", token_endpoint("me", PLAIN))
    url = provider.answer("/a", lambda request: data([request.query["page"]] if request.query["page"] < "3" else []))
    assert Reading().rows(url, pagination={"kind": "page", "size": 1}, **oauth2(provider, scope="read all")) == [
        "1",
        "2",
    ]
    (asked,) = provider.asked("/token")
    assert (asked.method, asked.body) == ("POST", b"grant_type=client_credentials&scope=read+all")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert {request.headers["authorization"] for request in provider.asked("/a")} == {"Bearer token-1"}


def test_a_token_that_expired_is_fetched_anew(provider: Provider) -> None:
    time = [0.0]
    provider.answer("/token", token_endpoint("me", PLAIN, lifetime_seconds=100))
    url = provider.answer("/a", lambda request: data([request.query["offset"]]))
    with Reading().pages(
        url,
        pagination={"kind": "offset", "limit": 1},
        around={"clock": lambda: time[0]},
        seconds=1e9,
        **oauth2(provider),
    ) as pages:
        for time[0] in (0.0, 89.0, 91.0):
            pages.next(1)
    assert [r.headers["authorization"] for r in provider.asked("/a")] == ["Bearer token-1"] * 2 + ["Bearer token-2"]


def test_a_token_that_is_refused_is_fetched_anew_once(provider: Provider) -> None:
    provider.answer("/token", token_endpoint("me", PLAIN))

    def reply(request: Request) -> Reply:
        return data([1]) if request.headers["authorization"] == "Bearer token-2" else status(401)

    assert Reading().first(provider.answer("/a", reply), **oauth2(provider)) == b"[1]"
    with pytest.raises(Forbidden):
        Reading().first(provider.on("/b", status(401)), **oauth2(provider))
    assert (len(provider.asked("/b")), len(provider.asked("/token"))) == (2, 4)


def test_a_client_that_may_not_use_basic_authenticates_in_the_body(provider: Provider) -> None:
    def reply(request: Request) -> Reply:
        by_body = b"client_id=me&client_secret=s3cr3t-plain" in request.body and "authorization" not in request.headers
        return data({"access_token": "t", "token_type": "bearer"}) if by_body else status(401)

    provider.answer("/token", reply)
    assert Reading().first(provider.on("/a", data([1])), **oauth2(provider)) == b"[1]"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (status(400), Forbidden),
        (status(403), Forbidden),
        (redirect("/elsewhere"), Forbidden),
        (status(503), Unreachable),
        (raw(b""), Unreachable),
        (data({"token": "x"}), Undecodable),
        (data({"access_token": "x", "token_type": "mac"}), Undecodable),
        (data([1]), Undecodable),
        (cut_off(b"{", 100), Unreachable),
    ],
)
def test_a_token_endpoint_that_gives_none_is_named(provider: Provider, reply: Reply, kind: type[SourceError]) -> None:
    provider.on("/token", reply)
    with pytest.raises(kind, match=f"{provider.url}/token"):
        Reading().first(provider.on("/a", data([])), attempts=1, **oauth2(provider))
    assert (provider.asked("/a"), provider.asked("/elsewhere")) == ([], [])


def test_a_token_endpoint_is_checked_as_every_address_is(provider: Provider) -> None:
    options = oauth2(provider, token_url="http://169.254.169.254/token")
    with pytest.raises(SourceError) as caught:
        Reading().first(provider.on("/a", data([])), **options)
    assert caught.value.code == "address_refused"


AUTHS: list[dict[str, str]] = [
    {"kind": "bearer", "secret": "k"},
    {"kind": "basic", "user": "me", "secret": "k"},
    {"kind": "api_key", "name": "X-Key", "secret": "k"},
    {"kind": "api_key", "name": "key", "place": "query", "secret": "k"},
    {"kind": "oauth2", "token_url": "{url}/token", "client_id": "me", "secret": "k"},
]


def echoing(request: Request) -> Reply:
    """A server that says everything back, wherever it can."""
    said = request.query.get("key") or request.headers.get("authorization", PLAIN)
    replies: dict[str, Reply] = {
        "/loop": redirect(f"/loop?token={said}"),
        "/away": redirect(f"http://10.0.0.1/?token={said}"),
        "/bad": redirect(f"http://{PLAIN}@127.0.0.1/"),
        "/teapot": status(418, X_Said=said),
        "/later": status(429, Retry_After="3600", X_Said=said),
        "/broken": raw(f"HTTP/1.1 200 OK\r\nbad {said}\r\n\r\n".encode()),
        "/headless": raw(f"{said}\r\n\r\n".encode()),
        "/encoded": data([], Content_Encoding="x" * 40 + said),
        "/old": status(304, ETag=said),
        "/short": cut_off(said.encode(), 1000),
        "/no": status(403, WWW_Authenticate=said),
        "/next": data({"rows": [], "next": f"http://10.0.0.1/?key={said}"}),
        "/down": status(503),
    }
    return replies[request.path]


@pytest.mark.parametrize("auth", AUTHS, ids=["bearer", "basic", "header", "query", "oauth2"])
@pytest.mark.parametrize(
    "path",
    ["loop", "away", "bad", "teapot", "later", "broken", "headless", "encoded", "old", "short", "no", "next", "down"],
)
def test_secrets_appear_nowhere(
    provider: Provider, caplog: pytest.LogCaptureFixture, path: str, auth: dict[str, str]
) -> None:
    provider.answer("/token", token_endpoint("me", PLAIN))
    provider.answer(f"/{path}", echoing)
    spec = {name: value.replace("{url}", provider.url) for name, value in auth.items()}
    reading = Reading()
    with caplog.at_level(logging.DEBUG), pytest.raises((SourceError, TryLater, NotModified)) as caught:
        reading.rows(
            f"{provider.url}/{path}",
            auth=spec,
            secrets={"k": PLAIN},
            attempts=2,
            headers={"X-Other": "other-s3cr3t"},
            query={"q": "query-s3cr3t"},
            pagination={"kind": "next_url", "path": "next"},
        )
    shown = [*chain(caught.value), caplog.text, str(reading.told)]
    for hidden in (PLAIN, b64encode(f"me:{PLAIN}".encode()).decode(), "token-1", "other-s3cr3t", "query-s3cr3t"):
        assert not [text for text in shown if hidden in text]
    assert reading.told


def chain(error: BaseException | None) -> Iterator[str]:
    """What a traceback would say of the error and of those behind it."""
    while error is not None:
        yield f"{error} {error!r}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
