"""Asking again, when that may help and no more often than is agreed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx2
import pytest

from sources.errors import Forbidden, TryLater, Unreachable
from sources.http.retry import backoff_seconds, retry_after_seconds
from tests.sources.fetching import NOW, Reading
from tests.sources.provider import Provider, cut_off, data, raw, running, status, whole


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_trouble_passes(provider: Provider, method: str, code: int) -> None:
    reading = Reading()
    url = provider.on("/a", status(code), status(code), data([1]))
    assert reading.first(url, method=method) == b"[1]"
    assert reading.sleeps == [0.5, 1.0]
    assert [status for _, status, _ in reading.told] == [code, code, 200]


def test_a_body_that_broke_off_is_fetched_anew(provider: Provider) -> None:
    url = provider.on("/a", cut_off(b"[1", 100), raw(b""), whole(b"[1]"))
    assert Reading().first(url) == b"[1]"


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_it_gives_up_after_the_attempts_that_the_source_allows(provider: Provider, attempts: int) -> None:
    with pytest.raises(Unreachable, match="answered 503 Service Unavailable"):
        Reading().first(provider.on("/a", status(503)), attempts=attempts)
    assert len(provider.requests) == attempts


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 422])
def test_what_will_not_pass_is_not_repeated(provider: Provider, code: int) -> None:
    with pytest.raises(Exception, match=f"answered {code}"):
        Reading().first(provider.on("/a", status(code)))
    assert len(provider.requests) == 1


def date(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(NOW + seconds, UTC), usegmt=True)


@pytest.mark.parametrize(("said", "slept"), [("7", 7.0), ("60", 60.0), ("0", 0.5), (date(9), 9.0), (date(-9), 0.5)])
def test_it_waits_as_it_is_told(provider: Provider, said: str, slept: float) -> None:
    reading = Reading()
    assert reading.first(provider.on("/a", status(429, Retry_After=said), data([])), seconds=100) == b"[]"
    assert reading.sleeps == [slept]


@pytest.mark.parametrize(("said", "seconds"), [("61", 61.0), (date(3600), 3600.0), ("99999999999999999999", 86_400.0)])
def test_a_long_wait_is_for_later(provider: Provider, said: str, seconds: float) -> None:
    reading = Reading()
    with pytest.raises(TryLater) as caught:
        reading.first(provider.on("/a", status(503, Retry_After=said)), seconds=1000)
    assert caught.value.at == NOW + seconds
    assert (reading.sleeps, len(provider.requests)) == ([], 1)


def test_a_wait_beyond_the_runs_time_is_for_later_too(provider: Provider) -> None:
    with pytest.raises(TryLater) as caught:
        Reading().first(provider.on("/a", status(429, Retry_After="30")), seconds=5)
    assert caught.value.at == NOW + 30


def test_it_does_not_back_off_beyond_the_runs_time(provider: Provider) -> None:
    with pytest.raises(Unreachable):
        Reading().first(provider.on("/a", status(500)), seconds=0.4)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("said", ["", "soon", "-5", "1.5", "1e9", "١", "Mon, 99 Foo 2024", "0" * 50 + "x"])
def test_what_is_not_understood_is_as_if_it_were_not_said(said: str) -> None:
    assert retry_after_seconds(httpx2.Headers({b"Retry-After": said.encode()}), lambda: NOW) is None


def test_the_waits_double_up_to_half_a_minute_and_are_spread() -> None:
    assert [backoff_seconds(attempt, lambda: 1.0) for attempt in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert [backoff_seconds(attempt, lambda: 0.0) for attempt in (1, 2, 8)] == [0.25, 0.5, 15]


def test_refused_credentials_are_not_tried_again(provider: Provider) -> None:
    with pytest.raises(Forbidden, match="check auth and its secret"):
        Reading().first(provider.on("/a", status(401)), auth={"kind": "bearer", "secret": "k"}, secrets={"k": "x"})
    assert len(provider.requests) == 1
