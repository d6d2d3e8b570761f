"""Not asking more often than is agreed, all workers together."""

import logging
import threading
import time
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from sources.definition import RateLimit
from sources.errors import TryLater
from sources.http import rates
from sources.http.rates import Limit, host_limit, source_limit, take
from tests.sources.fetching import Reading
from tests.sources.provider import Provider, data, running, status

NOW = 1_800_000_000.0
MINUTE = source_limit("minute", RateLimit(1, 60))

pytestmark = pytest.mark.usefixtures("redis_clean")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


def taken(limit: Limit, *times: float) -> list[bool]:
    """Who comes at these times gets a turn at once?"""
    answers = []
    for moment in times:
        try:
            answers.append(take([limit], 0, NOW + moment) == 0)
        except TryLater:
            answers.append(False)
    return answers


def test_the_limit_holds_over_any_span() -> None:
    limit = source_limit("three", RateLimit(3, 100))
    assert taken(limit, 0, 1, 2, 3, 50, 89, 90, 91, 92, 93) == [True] * 3 + [False] * 3 + [True] * 3 + [False]


def test_a_schedule_that_jitters_misses_no_turn() -> None:
    times = [60 * turn + jitter for turn, jitter in enumerate([5, 0, 5.9, 1, 0, 3, 5, 0, 0.1, 5.5])]
    assert all(taken(MINUTE, *times))


def test_coming_early_every_time_does_not_raise_the_rate() -> None:
    answers = taken(MINUTE, *range(0, 5401, 6))
    assert sum(answers) == 1 + 5400 // 60


def test_twice_in_a_minute_is_too_often() -> None:
    assert taken(MINUTE, 0, 1, 30, 53.9, 54) == [True, False, False, False, True]


def test_who_must_wait_is_told_until_when() -> None:
    take([MINUTE], 0, NOW)
    with pytest.raises(TryLater) as caught:
        take([MINUTE], 2, NOW + 10)
    assert caught.value.at == pytest.approx(NOW + 54)


def test_a_short_wait_keeps_the_turn() -> None:
    limit = Limit("{dh:rate}:source:second", 1, 1.0)
    assert take([limit], 2, NOW) == 0
    assert take([limit], 2, NOW) == pytest.approx(0.9)
    assert take([limit], 2, NOW) == pytest.approx(1.9)
    with pytest.raises(TryLater):
        take([limit], 2, NOW)
    assert take([limit], 2, NOW + 1) == pytest.approx(1.9)


def test_a_turn_that_one_limit_refuses_costs_nothing_at_the_other() -> None:
    other = source_limit("other", RateLimit(1, 60))
    take([MINUTE], 0, NOW)
    with pytest.raises(TryLater):
        take([MINUTE, other], 0, NOW)
    assert take([other], 0, NOW) == 0


def test_sources_and_hosts_do_not_mix() -> None:
    assert taken(source_limit("a", RateLimit(1, 60)), 0) == [True]
    assert taken(source_limit("b", RateLimit(1, 60)), 0) == [True]
    assert taken(Limit("{dh:rate}:host:a", 1, 60), 0) == [True]


def test_a_very_large_limit_needs_no_large_list() -> None:
    limit = source_limit("day", RateLimit(100_000, 86_400))
    assert (limit.slots, limit.seconds) == (1000, 864.0)
    assert sum(taken(limit, *[0] * 1100)) == 1000
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert client.llen(limit.key) == 1000


def test_no_key_outlives_its_use() -> None:
    take([MINUTE], 0)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert 59 <= client.ttl(MINUTE.key) <= 60


@pytest.mark.parametrize(("rate", "slots", "seconds"), [(5, 5, 1.0), (0.5, 1, 2.0), (2.5, 2, 0.8)])
def test_the_operator_limits_every_host(settings: object, rate: float, slots: int, seconds: float) -> None:
    settings.SOURCES_HOST_REQUESTS_PER_SECOND = rate  # type: ignore[attr-defined]
    limit = host_limit("x.example")
    assert limit is not None
    assert (limit.key, limit.slots) == ("{dh:rate}:host:x.example", slots)
    assert limit.seconds == pytest.approx(seconds)
    settings.SOURCES_HOST_REQUESTS_PER_SECOND = 0  # type: ignore[attr-defined]
    assert host_limit("x.example") is None


def test_workers_share_the_limit_of_a_host(provider: Provider) -> None:
    url = provider.on("/a", data([]))

    def work() -> None:
        for _ in range(8):
            Reading().first(url, around={"take": take, "sleep": time.sleep})

    started = time.monotonic()
    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(provider.requests) == 16
    assert time.monotonic() - started > 2.0  # 5 at once, the others at 5 a second


def test_a_source_that_must_wait_long_comes_later(provider: Provider) -> None:
    url = provider.on("/a", data([]))
    reading = Reading()
    options = {"rate_limit": {"requests": 1, "seconds": 60}, "around": {"take": take}}
    reading.first(url, **options)
    with pytest.raises(TryLater) as caught:
        reading.first(url, **options)
    assert 50 < caught.value.at - time.time() < 55
    assert (reading.sleeps, len(provider.requests)) == ([], 1)


def test_in_the_middle_of_a_run_it_waits_for_its_turn(provider: Provider) -> None:
    reading = Reading()
    url = provider.on("/a", data([1], Link='</b>; rel="next"'))
    provider.on("/b", data([2]))
    rows = reading.rows(
        url,
        seconds=100,
        rate_limit={"requests": 1, "seconds": 30},
        around={"take": take},
        pagination={"kind": "link_header"},
    )
    assert rows == [1, 2]
    assert reading.sleeps == [pytest.approx(27, abs=1)]


def test_repeating_counts_as_asking(provider: Provider) -> None:
    reading = Reading()
    with pytest.raises(TryLater):
        reading.first(
            provider.on("/a", status(503), data([])),
            rate_limit={"requests": 1, "seconds": 60},
            around={"take": take},
        )
    assert len(provider.requests) == 1


def test_without_redis_nobody_is_limited(
    settings: object, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]
    rates._script.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert [take([MINUTE], 0), take([MINUTE], 0)] == [0, 0]
    finally:
        rates._script.cache_clear()
    assert "not limited while Redis is away" in caplog.text
