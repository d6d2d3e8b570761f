"""What an answer becomes: a body, or a reason that a person understands."""

import gc
import gzip
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sources.address import Guard
from sources.errors import Cancelled, Forbidden, LimitExceeded, NotModified, SourceError, Undecodable, Unreachable
from tests.sources.fetching import Reading
from tests.sources.provider import (
    Provider,
    Reply,
    cut_off,
    data,
    drip,
    endless,
    raw,
    running,
    silent,
    status,
    whole,
)

ONCE = {"attempts": 1}
YEAR = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
TEXT = b"a,b\n" + b"1,2\n" * 100_000


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


def test_a_body_comes_with_what_is_known_of_it(provider: Provider) -> None:
    url = provider.on("/dir/my%20file.csv", whole(b"a\n1\n", Content_Type='Text/CSV; charset="ISO-8859-1"'))
    with Reading().pages(url) as pages:
        body = pages.next()
        assert body is not None
        assert (body.content_type, body.charset, body.name) == ("text/csv", "iso-8859-1", "my file.csv")
        assert body.file.read() == b"a\n1\n"
        assert pages.next(1) is None
    assert body.file.closed


def test_a_large_body_is_on_disk_and_gone_afterwards(provider: Provider) -> None:
    content = bytes(6 << 20)
    with Reading().pages(provider.on("/a", whole(content))) as pages:
        body = pages.next()
        assert body is not None
        assert body.file.fileno() > 0
        assert body.file.read() == content
    assert body.file.closed


def test_requests_are_told_of_without_their_query(provider: Provider) -> None:
    reading = Reading()
    reading.first(provider.on("/a", data([1, 2])) + "?key=hidden")
    assert reading.told == [(f"{provider.url}/a", 200, 6)]


def test_a_source_says_who_it_is_and_what_it_wants(provider: Provider) -> None:
    Reading().first(
        provider.on("/a", data([])),
        method="POST",
        headers={"Accept": "text/csv", "user-agent": "me"},
        query={"b": "2 3", "c": "ä"},
        body={"select": ["x"]},
    )
    (request,) = provider.requests
    assert (request.method, request.query, request.body) == ("POST", {"b": "2 3", "c": "ä"}, b'{"select":["x"]}')
    said = {name: request.headers[name] for name in ("accept", "user-agent", "content-type", "accept-encoding")}
    assert said == {
        "accept": "text/csv",
        "user-agent": "me",
        "content-type": "application/json",
        "accept-encoding": "gzip, deflate",
    }


def test_the_urls_own_query_stays_as_it_is_spelled(provider: Provider) -> None:
    Reading().first(provider.on("/a", data([])) + "?x=1%2C2&y=a+b&z", query={"y": "new"})
    assert provider.requests[0].query == {"x": "1,2", "y": "new"}


def raw_deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(content) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT)),
        ("GZIP", gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]) + bytes(512)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("identity", TEXT),
    ],
)
def test_compressed_bodies_come_out_whole(provider: Provider, encoding: str, body: bytes) -> None:
    assert Reading().first(provider.on("/a", whole(body, Content_Encoding=encoding))) == TEXT


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT)[:-1]),
        ("gzip", gzip.compress(TEXT)[:-200]),
        ("gzip", gzip.compress(TEXT) + b"more"),
        ("gzip", TEXT),
        ("deflate", zlib.compress(TEXT)[:-1]),
        ("deflate", zlib.compress(TEXT) + b"more"),
        ("deflate", raw_deflate(TEXT)[:-5]),
        ("deflate", b"x"),
    ],
)
def test_a_compressed_body_that_is_cut_or_wrong_is_no_answer(provider: Provider, encoding: str, body: bytes) -> None:
    with pytest.raises(Unreachable, match="is badly compressed") as caught:
        Reading().first(provider.on("/a", whole(body, Content_Encoding=encoding)), **ONCE)
    assert caught.value.code == "broken_encoding"


def test_an_empty_body_is_no_broken_one(provider: Provider) -> None:
    assert Reading().first(provider.on("/a", whole(b"", Content_Encoding="gzip"))) == b""


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x" * 1000])
def test_an_encoding_that_was_not_asked_for_is_named(provider: Provider, encoding: str) -> None:
    with pytest.raises(Undecodable, match=r"Content-Encoding '.{2,40}', which was not asked for"):
        Reading().first(provider.on("/a", whole(b"x", Content_Encoding=encoding)))


@pytest.mark.parametrize(
    ("code", "kind", "error"),
    [
        (401, Forbidden, "forbidden"),
        (403, Forbidden, "forbidden"),
        (404, SourceError, "http_404"),
        (410, SourceError, "http_410"),
        (418, SourceError, "http_418"),
        (206, SourceError, "http_206"),
        (304, SourceError, "http_304"),
        (305, SourceError, "http_305"),
        (302, SourceError, "http_302"),
        (599, Unreachable, "http_599"),
        (503, Unreachable, "http_503"),
        (429, Unreachable, "http_429"),
        (408, Unreachable, "http_408"),
        (425, Unreachable, "http_425"),
    ],
)
def test_each_status_has_its_error(provider: Provider, code: int, kind: type[SourceError], error: str) -> None:
    with pytest.raises(kind) as caught:
        Reading().first(provider.on("/a", status(code)) + "?key=hidden", **ONCE)
    assert (type(caught.value), caught.value.code) == (kind, error)
    assert f"{provider.url}/a answered {code}" in str(caught.value)
    assert "hidden" not in str(caught.value)


HOSTILE: dict[str, Callable[[Provider], Reply]] = {
    "a body shorter than said": lambda provider: cut_off(b"[1", 1000),
    "chunks without an end": lambda provider: raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1"),
    "not HTTP": lambda provider: raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "nothing": lambda provider: raw(b""),
    "half of a header": lambda provider: raw(b"HTTP/1.1 200 OK\r\nContent-"),
    "headers without end": lambda provider: raw(b"HTTP/1.1 200 OK\r\n" + b"X-Pad: 0123456789\r\n" * 50_000),
    "one endless header": lambda provider: raw(b"HTTP/1.1 200 OK\r\nX: " + b"0" * 1_000_000),
    "two lengths": lambda provider: raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
    "a length that is none": lambda provider: raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nxx"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_breaks_off_or_is_not_http_may_be_tried_again(provider: Provider, name: str) -> None:
    with pytest.raises(Unreachable) as caught:
        Reading().first(provider.on("/a", HOSTILE[name](provider)), **ONCE)
    assert (caught.value.code, caught.value.temporary) == ("cut_off", True)


def test_more_bytes_than_said_are_not_read(provider: Provider) -> None:
    assert Reading().first(provider.on("/a", cut_off(b"[1]evil", 3))) == b"[1]"


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: ", b""], ids=["body", "header", "status line"]
)
def test_a_server_that_drips_ends_with_the_runs_time(provider: Provider, head: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(LimitExceeded, match=r"limits\.seconds") as caught:
        Reading().first(provider.on("/a", drip(provider, 0.05, head)), seconds=0.6)
    assert caught.value.code == "too_many_seconds"
    assert 0.5 < time.monotonic() - started < 3


def test_informational_answers_without_end_end_with_the_runs_time(provider: Provider) -> None:
    url = provider.on("/a", drip(provider, 0.05, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + b"HTTP/1.1 100 "))
    with pytest.raises(LimitExceeded):
        Reading().first(url, seconds=0.5)


def test_a_server_that_says_nothing_ends_with_the_runs_time(provider: Provider) -> None:
    started = time.monotonic()
    with pytest.raises(LimitExceeded):
        Reading().first(provider.on("/a", silent(provider)), seconds=0.5)
    assert time.monotonic() - started < 3


def test_a_server_that_says_nothing_is_given_up(provider: Provider) -> None:
    started = time.monotonic()
    with pytest.raises(Unreachable, match="silent for too long") as caught:
        Reading().first(provider.on("/a", silent(provider)), around={"idle_seconds": 0.3}, **ONCE)
    assert caught.value.code == "timeout"
    assert time.monotonic() - started < 3


def test_the_limit_of_bytes_counts_what_arrives(provider: Provider) -> None:
    reading = Reading()
    with pytest.raises(LimitExceeded, match=r"more than 1000000 bytes: raise limits\.bytes") as caught:
        reading.first(provider.on("/a", endless(provider, bytes(10_000))), limits={"bytes": 1_000_000})
    assert caught.value.code == "too_many_bytes"
    assert 1_000_000 < reading.told[0][2] < 1_200_000


def test_the_limit_of_bytes_counts_all_attempts_together(provider: Provider) -> None:
    url = provider.on("/a", cut_off(bytes(400), 500))
    with pytest.raises(LimitExceeded):
        Reading().first(url, limits={"bytes": 1000}, attempts=4)
    assert len(provider.requests) == 3


def test_the_limit_of_bytes_counts_all_pages_together(provider: Provider) -> None:
    url = provider.answer("/a", lambda request: data([request.query["page"] * 400]))
    with pytest.raises(LimitExceeded):
        Reading().rows(url, limits={"bytes": 1000}, pagination={"kind": "page", "size": 1})
    assert len(provider.requests) == 3


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_ends_early(provider: Provider, encoding: str) -> None:
    body = (gzip if encoding == "gzip" else zlib).compress(bytes(100 << 20), 9)
    assert len(body) < 200_000
    started = time.monotonic()
    with pytest.raises(LimitExceeded, match="Decompressed, the answers have more than 5000000 bytes"):
        Reading().first(provider.on("/a", whole(body, Content_Encoding=encoding)), limits={"bytes": 5_000_000})
    assert time.monotonic() - started < 2


def test_a_bomb_without_end_ends_early(provider: Provider) -> None:
    piece = gzip.compress(bytes(1 << 20))
    with pytest.raises(LimitExceeded, match="Decompressed"):
        Reading().first(
            provider.on("/a", endless(provider, piece, Content_Encoding="gzip")), limits={"bytes": 20_000_000}
        )


def test_empty_gzip_members_without_end_are_counted_too(provider: Provider) -> None:
    piece = gzip.compress(b"") * 1000
    with pytest.raises(LimitExceeded, match="The answers have"):
        Reading().first(provider.on("/a", endless(provider, piece, Content_Encoding="gzip")), limits={"bytes": 500_000})


def test_a_closed_port_is_unreachable(provider: Provider) -> None:
    with running() as gone:
        url = gone.url
    with pytest.raises(Unreachable, match=r"cannot be reached: Connection refused\.") as caught:
        Reading().first(url, **ONCE)
    assert caught.value.code == "unreachable"


def test_an_unchanged_answer_is_not_read_again(provider: Provider) -> None:
    url = provider.on(
        "/a", data([1], ETag='"v1"', Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT"), status(304), data([2], ETag='"v2"')
    )
    with Reading().pages(url) as pages:
        pages.next()
        assert pages.next(1) is None
        state = pages.state()
    with Reading().pages(url, state=state) as pages:
        with pytest.raises(NotModified):
            pages.next()
        assert pages.state() == state
    asked = provider.requests[1].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"v1"', "Mon, 01 Jan 2024 00:00:00 GMT")
    with Reading().pages(url, state=state) as pages:
        pages.next()
        assert pages.state()["etag"] == '"v2"'
        assert pages.state()["last_modified"] is None


@pytest.mark.parametrize(
    "change",
    [{"conditional": False}, {"query": {"other": "1"}}, {"method": "POST"}, {"window": YEAR}],
)
def test_it_does_not_ask_for_changes_of_something_else(provider: Provider, change: dict[str, object]) -> None:
    url = provider.on("/a", data([1], ETag='"v1"'))
    with Reading().pages(url) as pages:
        pages.next()
        state = pages.state()
    Reading().first(url, state=state, **change)
    assert "if-none-match" not in provider.requests[1].headers


def test_a_window_leaves_the_validators_as_they_are(provider: Provider) -> None:
    url = provider.on("/a", data([1], ETag='"v1"'))
    state = {"etag": '"old"', "last_modified": None, "validated_request": "x", "cursor": 5}
    with Reading().pages(url, state=state, window=YEAR) as pages:
        pages.next()
        assert pages.state() == {"etag": '"old"', "last_modified": None, "validated_request": "x"}


def test_the_private_name_of_a_refused_host_stays_private() -> None:
    with pytest.raises(SourceError) as caught:
        Reading().first("http://db.example/", guard=Guard([], lambda host, port: ["10.1.2.3"]))
    assert "10.1.2.3" not in str(caught.value)


def test_temporary_files_are_not_left(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(LimitExceeded):
        Reading().first(provider.on("/a", whole(bytes(9 << 20))), limits={"bytes": 8 << 20})
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_cancelled_between_requests_leaves_no_file(provider: Provider) -> None:
    reading = Reading()

    def cancel(url: str, status: int, size: int, seconds: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        reading.first(provider.on("/a", whole(bytes(6 << 20))), on_request=cancel)
    gc.collect()  # would warn of an open file
