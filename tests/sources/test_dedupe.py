import logging
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from pytest_django import Settings

from sources import dedupe, definition
from sources.dedupe import Dedupe
from sources.errors import BadDefinition
from sources.rows import Row

BY_CONTENT = definition.Dedupe(window_seconds=100)
BY_ID = definition.Dedupe(by="key", key=["id"], window_seconds=100)
NOWHERE = "redis://127.0.0.1:1/0"


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def broker(redis_clean: redis.Redis) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ids(*numbers: int) -> list[Row]:
    return [{"id": number} for number in numbers]


def test_a_row_that_comes_again_in_the_batch_is_left_out(broker: redis.Redis) -> None:
    rows: list[Row] = [{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1, "b": 3}, {"a": 1, "b": 2}]
    assert Dedupe(BY_CONTENT, 1).unseen(rows) == [True, False, True, False]


def test_a_row_that_comes_again_in_the_run_is_left_out_before_and_after_the_commit(broker: redis.Redis) -> None:
    run = Dedupe(BY_CONTENT, 1)
    assert run.unseen(ids(1, 2)) == [True, True]
    assert run.unseen(ids(2, 3)) == [False, True]
    run.remember()
    assert run.unseen(ids(1, 2, 3, 4)) == [False, False, False, True]


def test_the_next_run_leaves_out_what_was_remembered(broker: redis.Redis) -> None:
    run = Dedupe(BY_CONTENT, 1)
    run.unseen(ids(1, 2))
    run.remember()
    run.unseen(ids(3))
    assert Dedupe(BY_CONTENT, 1).unseen(ids(1, 2, 3)) == [False, False, True]


def test_nothing_is_remembered_before_the_commit(broker: redis.Redis) -> None:
    Dedupe(BY_CONTENT, 1).unseen(ids(1))
    assert broker.keys() == []
    assert Dedupe(BY_CONTENT, 1).unseen(ids(1)) == [True]


def test_after_a_rollback_rows_are_new_again(broker: redis.Redis) -> None:
    run = Dedupe(BY_CONTENT, 1)
    run.unseen(ids(1))
    run.remember()
    run.unseen(ids(2))
    run.forget()
    assert run.unseen(ids(1, 2)) == [False, True]
    run.remember()
    assert Dedupe(BY_CONTENT, 1).unseen(ids(1, 2)) == [False, False]


def test_by_key_the_rest_of_a_row_does_not_matter(broker: redis.Redis) -> None:
    run = Dedupe(BY_ID, 1)
    assert run.unseen([{"id": 1, "a": 1}, {"id": 1, "a": 2}, {"id": "1"}, {"id": 2}]) == [True, False, False, True]
    run.remember()
    assert Dedupe(BY_ID, 1).unseen([{"id": 1, "a": 3}]) == [False]


def test_a_row_without_a_key_is_compared_by_content(broker: redis.Redis) -> None:
    rows: list[Row] = [{"id": None, "a": 1}, {"a": 2}, {"a": 2}, {"id": None, "a": 1}]
    assert Dedupe(BY_ID, 1).unseen(rows) == [True, True, False, False]


def test_a_row_that_cannot_be_hashed_goes_on(broker: redis.Redis) -> None:
    row: Row = {}
    for _ in range(100_000):
        row = {"a": row}
    run = Dedupe(BY_CONTENT, 1)
    assert run.unseen([row, row]) == [True, True]
    run.remember()


def test_sources_do_not_know_of_each_other(broker: redis.Redis) -> None:
    run = Dedupe(BY_CONTENT, 1)
    run.unseen(ids(1))
    run.remember()
    assert Dedupe(BY_CONTENT, 11).unseen(ids(1)) == [True]


def test_the_window_begins_when_a_row_was_let_through(broker: redis.Redis, clock: Clock) -> None:
    run = Dedupe(BY_CONTENT, 1, clock)
    run.unseen(ids(1))
    run.remember()
    clock.seconds += 60
    again = Dedupe(BY_CONTENT, 1, clock)
    assert again.unseen(ids(1)) == [False]
    again.remember()
    clock.seconds += 39
    assert Dedupe(BY_CONTENT, 1, clock).unseen(ids(1)) == [False]
    clock.seconds += 1
    assert Dedupe(BY_CONTENT, 1, clock).unseen(ids(1)) == [True]


def test_marks_that_left_the_window_are_dropped_and_the_rest_goes_with_time(broker: redis.Redis, clock: Clock) -> None:
    for number in range(5):
        run = Dedupe(BY_CONTENT, 1, clock)
        run.unseen(ids(number))
        run.remember()
        clock.seconds += 50
    assert broker.zcard("{dh:seen:1}") == 2
    assert 99_000 < broker.pttl("{dh:seen:1}") <= 100_001
    assert broker.keys() == [b"{dh:seen:1}"]


def test_many_rows_are_remembered(broker: redis.Redis) -> None:
    run = Dedupe(BY_CONTENT, 1)
    assert run.unseen(ids(*range(2500))) == [True] * 2500
    run.remember()
    assert broker.zcard("{dh:seen:1}") == 2500
    assert Dedupe(BY_CONTENT, 1).unseen(ids(*range(2501))) == [False] * 2500 + [True]


def test_an_empty_batch_is_none(broker: redis.Redis) -> None:
    run = Dedupe(BY_CONTENT, 1)
    assert run.unseen([]) == []
    run.remember()
    assert broker.keys() == []


def test_the_memory_of_a_run_is_bounded(broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dedupe, "MOST_MARKS", 10)
    run = Dedupe(BY_CONTENT, 1)
    for number in range(30):
        run.unseen(ids(number))
    assert run.unseen(ids(*range(25, 30), 0)) == [False] * 5 + [True]
    run.remember()
    assert broker.zcard("{dh:seen:1}") == 10  # the last ones


def test_a_key_must_be_named() -> None:
    with pytest.raises(BadDefinition):
        Dedupe(definition.Dedupe(by="key"), 1)


# Without Redis


def test_rows_go_on_when_redis_is_away_and_one_line_says_so(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dedupe, "AWAY_SECONDS", 0.0)
    settings.REDIS_URL = NOWHERE
    run = Dedupe(BY_CONTENT, 1)
    with caplog.at_level(logging.WARNING, logger="sources.dedupe"):
        assert run.unseen(ids(1, 2, 1)) == [True, True, False]
        run.remember()
        assert run.unseen(ids(2, 3)) == [False, True]
        run.remember()
    assert len(caplog.records) == 1
    assert "Redis is away" in caplog.text


def test_what_redis_missed_it_gets_when_it_is_back(
    broker: redis.Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dedupe, "AWAY_SECONDS", 0.0)
    run, url = Dedupe(BY_CONTENT, 1), settings.REDIS_URL
    settings.REDIS_URL = NOWHERE
    run.unseen(ids(1))
    run.remember()
    settings.REDIS_URL = url
    run.unseen(ids(2))
    run.remember()
    assert Dedupe(BY_CONTENT, 1).unseen(ids(1, 2)) == [False, False]


def test_it_is_asked_again_after_a_pause_only(broker: redis.Redis, settings: Settings) -> None:
    earlier = Dedupe(BY_CONTENT, 1)
    earlier.unseen(ids(1, 2))
    earlier.remember()
    run, url = Dedupe(BY_CONTENT, 1), settings.REDIS_URL
    settings.REDIS_URL = NOWHERE
    assert run.unseen(ids(1)) == [True]
    settings.REDIS_URL = url
    assert run.unseen(ids(2)) == [True]


def test_a_key_of_another_type_in_redis_lets_rows_through(broker: redis.Redis) -> None:
    broker.set("{dh:seen:1}", "text")
    assert Dedupe(BY_CONTENT, 1).unseen(ids(1)) == [True]
