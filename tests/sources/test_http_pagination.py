"""Reading on until the end, and no further."""

import gzip
import json
from collections.abc import Iterator

import pytest

from sources.address import Guard
from sources.errors import LimitExceeded, SourceError, Undecodable
from tests.sources.fetching import Reading
from tests.sources.provider import Provider, Reply, Request, data, running, status, whole

ALL = list(range(25))
PAGE = {"kind": "page", "size": 10, "size_parameter": "per"}
CURSOR = {"kind": "cursor", "path": "meta.next", "parameter": "after"}
NEXT_URL = {"kind": "next_url", "path": "links.next"}
LINK = {"kind": "link_header"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


def test_without_pagination_there_is_one_page(provider: Provider) -> None:
    assert Reading().rows(provider.on("/a", data(ALL, Link='</b>; rel="next"'))) == ALL
    assert len(provider.requests) == 1


@pytest.mark.parametrize("count", [0, 5, 10, 20, 25])
def test_pages_are_read_up_to_one_that_is_not_full(provider: Provider, count: int) -> None:
    def reply(request: Request) -> Reply:
        start, size = (int(request.query["page"]) - 1) * 10, int(request.query["per"])
        return data(ALL[:count][start : start + size])

    assert Reading().rows(provider.answer("/a", reply), pagination=PAGE) == ALL[:count]
    short_from_the_start = 0 < count < 10
    assert len(provider.requests) == count // 10 + 1 + short_from_the_start


def test_a_page_after_a_full_one_may_not_exist(provider: Provider) -> None:
    url = provider.on("/a", data(ALL[:10]), status(404))
    with Reading().pages(url, pagination=PAGE) as pages:
        pages.next()
        assert pages.next(10) is None
        assert pages.state()["etag"] is None
    with pytest.raises(SourceError, match="404"):
        Reading().rows(provider.on("/b", status(404)), pagination=PAGE)


def test_the_first_page_may_have_another_number(provider: Provider) -> None:
    Reading().rows(provider.on("/a", data([])), pagination={"kind": "page", "first": 0, "parameter": "p"})
    assert provider.requests[0].query == {"p": "0"}


@pytest.mark.parametrize("end", [data([]), status(404)], ids=["empty", "404"])
def test_pages_of_a_size_that_is_not_known_are_read_up_to_an_empty_one(provider: Provider, end: Reply) -> None:
    url = provider.on("/a", data(ALL[:10]), data(ALL[10:20]), data(ALL[20:]), end)
    assert Reading().rows(url, pagination={"kind": "page"}) == ALL
    assert [request.query["page"] for request in provider.requests] == ["1", "2", "3", "4"]


def test_pages_of_a_size_that_is_said_end_at_a_shorter_one(provider: Provider) -> None:
    url = provider.on("/a", data(ALL[:10]), data(ALL[10:15]))
    assert Reading().rows(url, pagination={"kind": "page", "size": 10}) == ALL[:15]
    assert len(provider.requests) == 2


def test_two_pages_with_the_same_rows_are_no_loop(provider: Provider) -> None:
    url = provider.on("/a", data(["x"]), data(["x"]), data([]))
    assert Reading().rows(url, pagination={"kind": "page", "size": 1}) == ["x", "x"]


@pytest.mark.parametrize("pagination", [{**PAGE, "size": 1000}, {"kind": "offset", "limit": 1000}])
def test_a_service_that_gives_fewer_than_it_is_asked_for_is_read_to_its_end(
    provider: Provider, pagination: dict[str, object]
) -> None:
    def reply(request: Request) -> Reply:
        start = int(request.query.get("offset", 0)) or (int(request.query.get("page", 1)) - 1) * 10
        return data(ALL[start : start + 10])

    assert Reading().rows(provider.answer("/a", reply), pagination=pagination) == ALL
    assert len(provider.requests) == 4


def test_a_size_that_is_said_and_not_asked_for_is_certain(provider: Provider) -> None:
    url = provider.on("/a", data(ALL[:3], ETag='"x"'))
    for pagination in ({"kind": "page", "size": 10}, {"kind": "offset", "limit_parameter": "", "limit": 10}):
        with Reading().pages(url, pagination=pagination) as pages:
            pages.next()
            assert pages.next(3) is None
            assert pages.state()["etag"] == '"x"', "a row more would change the one page"
    assert len(provider.requests) == 2


def test_rows_that_are_more_than_what_was_asked_for_are_not_stepped_over(provider: Provider) -> None:
    """An element of the answer may become several rows."""
    url = provider.on("/a", data([1]), data([2]), data([3]))
    with Reading().pages(url, pagination={"kind": "offset", "limit": 5}) as pages:
        for rows_before in (0, 15, 5, 3):
            pages.next(rows_before)
    assert [request.query["offset"] for request in provider.requests] == ["0", "5", "10"]


@pytest.mark.parametrize("code", [400, 404, 416, 422])
def test_a_page_after_the_only_one_may_be_refused(provider: Provider, code: int) -> None:
    url = provider.on("/a", data(ALL[:3]), status(code))
    assert Reading().rows(url, pagination=PAGE) == ALL[:3]


@pytest.mark.parametrize("first", [ALL[:10], ALL[:3]], ids=["full", "capped"])
def test_a_refusal_farther_on_is_no_end(provider: Provider, first: list[int]) -> None:
    """Services limit how deep one may page."""
    url = provider.on("/a", data(first), data([*first[1:], 99]), status(400))
    with pytest.raises(SourceError, match="400"):
        Reading().rows(url, pagination=PAGE)


def test_the_page_that_shows_the_end_counts(provider: Provider) -> None:
    url = provider.on("/a", data(ALL[:3]), data([]))
    assert Reading().rows(url, pagination=PAGE, limits={"pages": 2}) == ALL[:3]
    with pytest.raises(LimitExceeded):
        Reading().rows(provider.on("/b", data(ALL[:3])), pagination=PAGE, limits={"pages": 1})


def test_a_service_that_gives_all_it_has_for_every_page_is_a_loop(provider: Provider) -> None:
    with pytest.raises(SourceError, match="another name, or there is only this page") as caught:
        Reading().rows(provider.on("/a", data(ALL[:3])), pagination=PAGE)
    assert loop(caught)
    assert len(provider.requests) == 3


def test_offsets_grow_by_the_limit(provider: Provider) -> None:
    def reply(request: Request) -> Reply:
        start = int(request.query["offset"])
        return data(ALL[start : start + int(request.query["limit"])])

    assert Reading().rows(provider.answer("/a", reply), pagination={"kind": "offset", "limit": 7}) == ALL
    assert [request.query["offset"] for request in provider.requests] == ["0", "7", "14", "21"]


@pytest.mark.parametrize("end", [None, ""])
def test_cursors_are_followed_to_the_end(provider: Provider, end: object) -> None:
    def reply(request: Request) -> Reply:
        start = int(request.query.get("after", 0))
        return data({"rows": ALL[start : start + 10], "meta": {"next": start + 10 if start < 20 else end}})

    assert Reading().rows(provider.answer("/a", reply), pagination=CURSOR) == ALL


def test_a_parameter_that_stands_in_the_body_is_set_there(provider: Provider) -> None:
    def reply(request: Request) -> Reply:
        asked = json.loads(request.body)
        start = asked["offset"]
        return data(ALL[start : start + asked["limit"]])

    rows = Reading().rows(
        provider.answer("/a", reply),
        method="POST",
        body={"offset": 0, "limit": 1, "q": "x"},
        pagination={"kind": "offset", "limit": 10},
    )
    assert rows == ALL
    assert provider.requests[-1].body == b'{"offset":20,"limit":10,"q":"x"}'
    assert provider.requests[-1].query == {}


def test_next_urls_are_followed_as_they_are(provider: Provider) -> None:
    provider.on("/p/1", data({"rows": [1], "links": {"next": "2?c=a%2Fb"}}))
    provider.on("/p/2", data({"rows": [2], "links": {"next": f"{provider.url}/last"}}))
    provider.on("/last", data({"rows": [3], "links": {"next": None}}))
    assert Reading().rows(provider.url + "/p/1", pagination=NEXT_URL) == [1, 2, 3]
    assert provider.requests[1].query == {"c": "a/b"}


@pytest.mark.parametrize(
    "link",
    [
        '</b;v=1?x=1,2>; rel="next"',
        '</first>; rel=first, </b;v=1?x=1,2>; title="a; b, c=d"; REL=next; type=x',
        '</prev>;rel="prev" , </b;v=1?x=1,2>;rel="other next"',
    ],
)
def test_link_headers_are_followed(provider: Provider, link: str) -> None:
    provider.on("/b;v=1", data([2], Link='</a>; rel="prev", </next>; title="rel=next"'))
    assert Reading().rows(provider.on("/a", data([1], Link=link)), pagination=LINK) == [1, 2]
    assert provider.requests[1].query == {"x": "1,2"}


@pytest.mark.parametrize("link", ["", "</a", "<>", "</b>; rel", "</b>; rel=nextish", '</b>; title="next"', "<" * 5000])
def test_what_is_no_next_link_ends_the_reading(provider: Provider, link: str) -> None:
    assert Reading().rows(provider.on("/a", data([1], Link=link)), pagination=LINK) == [1]


def loop(error: pytest.ExceptionInfo[SourceError]) -> bool:
    return error.value.code == "pagination_loop" and "check pagination" in str(error.value)


def test_a_cursor_that_comes_again_is_a_loop(provider: Provider) -> None:
    nexts = iter("abcab")
    url = provider.answer("/a", lambda request: data({"rows": [1], "meta": {"next": next(nexts)}}))
    with pytest.raises(SourceError) as caught:
        Reading().rows(url, pagination=CURSOR)
    assert loop(caught)
    assert len(provider.requests) == 4


@pytest.mark.parametrize("target", ["/a", "/b"])
def test_a_link_that_leads_back_is_a_loop(provider: Provider, target: str) -> None:
    provider.on("/b", data([2], Link=f'<{target}>; rel="next"'))
    with pytest.raises(SourceError) as caught:
        Reading().rows(provider.on("/a", data([1], Link='</b#x>; rel="next"')), pagination=LINK)
    assert loop(caught)
    assert len(provider.requests) == 2


def test_a_service_that_does_not_know_pages_is_a_loop(provider: Provider) -> None:
    with pytest.raises(SourceError) as caught:
        Reading().rows(provider.on("/a", data(ALL[:10])), pagination=PAGE)
    assert loop(caught)
    assert len(provider.requests) == 3


def test_pages_without_end_end_at_the_limit(provider: Provider) -> None:
    url = provider.answer("/a", lambda request: data([request.query["page"]] * 10))
    with pytest.raises(LimitExceeded, match=r"more than 7 pages: raise limits\.pages") as caught:
        Reading().rows(url, pagination=PAGE, limits={"pages": 7})
    assert (caught.value.code, len(provider.requests)) == ("too_many_pages", 7)


def test_only_the_sources_own_origin_gets_credentials_from_page_to_page(provider: Provider) -> None:
    with running() as other:
        other.on("/b", data([2], Link=f'<{provider.url}/c>; rel="next"'))
        provider.on("/c", data([3]))
        url = provider.on("/a", data([1], Link=f'<{other.url}/b>; rel="next"'))
        auth = {"kind": "api_key", "name": "X-Key", "secret": "k"}
        assert Reading().rows(url, pagination=LINK, auth=auth, secrets={"k": "hidden"}) == [1, 2, 3]
        assert [request.headers.get("x-key") for request in provider.requests] == ["hidden", "hidden"]
        assert "hidden" not in str(other.requests)


@pytest.mark.parametrize("link", ["file:///etc/passwd", "javascript:x", "http://u:p@x.example/", "http://[::1"])
def test_a_bad_link_is_an_error(provider: Provider, link: str) -> None:
    url = provider.on("/a", data({"rows": [1], "links": {"next": link}}))
    with pytest.raises(SourceError, match=r"The next page that http://.*/a names: ") as caught:
        Reading().rows(url, pagination=NEXT_URL)
    assert caught.value.code == "pagination"


@pytest.mark.parametrize("cursor", [True, {"a": 1}, [1]])
@pytest.mark.parametrize("padding", [0, 17 << 20], ids=["small", "large"])
def test_a_cursor_is_a_text_or_a_number(provider: Provider, cursor: object, padding: int) -> None:
    url = provider.on("/a", compressed({"rows": [1], "pad": "x" * padding, "meta": {"next": cursor}}))
    with pytest.raises(Undecodable, match=r"meta\.next in the answer of http://.*/a is neither"):
        Reading().rows(url, pagination=CURSOR)


def compressed(value: object) -> Reply:
    return whole(gzip.compress(json.dumps(value).encode(), 1), Content_Encoding="gzip")


@pytest.mark.parametrize(("cursor", "asked"), [("ä/1", "ä/1"), (10**15, "1000000000000000"), (1.5, "1.5")])
def test_large_answers_are_read_through_for_the_cursor(provider: Provider, cursor: object, asked: str) -> None:
    large = {"meta_": {"next": "no"}, "rows": [1], "pad": "x" * (17 << 20), "meta": {"other": [{}], "next": cursor}}
    url = provider.answer("/a", lambda request: data({"rows": [2]}) if "after" in request.query else compressed(large))
    assert Reading().rows(url, pagination=CURSOR) == [1, 2]
    assert provider.requests[1].query == {"after": asked}


@pytest.mark.parametrize("body", [b"<xml/>", b"", b'{"meta": ', b"\xff" * 10, b"[" * (17 << 20)])
def test_a_cursor_needs_json(provider: Provider, body: bytes) -> None:
    with Reading().pages(provider.on("/a", whole(body)), pagination=CURSOR) as pages:
        pages.next()
        with pytest.raises(Undecodable, match=r"is not JSON, so meta\.next cannot be read"):
            pages.next(1)


@pytest.mark.parametrize("body", [b"[]", b"5", b'{"meta": 5}', b'\xef\xbb\xbf{"meta": null}'])
def test_a_path_that_is_not_there_is_the_end(provider: Provider, body: bytes) -> None:
    with Reading().pages(provider.on("/a", whole(body)), pagination=CURSOR) as pages:
        pages.next()
        assert pages.next(1) is None


def test_the_page_is_at_its_start_after_the_cursor_was_read(provider: Provider) -> None:
    with Reading().pages(provider.on("/a", data([1])), pagination=PAGE) as pages:
        body = pages.next()
        assert body is not None
        assert body.file.tell() == 0


def test_several_pages_leave_no_validator(provider: Provider) -> None:
    url = provider.answer("/a", lambda request: data(ALL[:10] if request.query["page"] == "1" else [1], ETag='"x"'))
    with Reading().pages(url, pagination=PAGE) as pages:
        pages.next()
        assert pages.state()["etag"] == '"x"'
        pages.next(10)
        assert pages.next(1) is None
        assert set(pages.state().values()) == {None}
    assert "if-none-match" not in provider.requests[1].headers


def test_an_answer_of_not_modified_in_the_middle_is_an_error(provider: Provider) -> None:
    url = provider.on("/a", data(ALL[:10]), status(304))
    with pytest.raises(SourceError) as caught:
        Reading().rows(url, pagination=PAGE)
    assert caught.value.code == "http_304"


def test_connections_are_kept_from_page_to_page(provider: Provider) -> None:
    looked_up: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    url = provider.answer("/a", lambda request: data(ALL[int(request.query["offset"]) :][:5]))
    Reading().rows(url, pagination={"kind": "offset", "limit": 5}, guard=Guard(["127.0.0.1"], resolver))
    assert (len(provider.requests), len(looked_up)) == (6, 1)
