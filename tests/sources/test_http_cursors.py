"""Asking for what came after the last run."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sources.errors import BadDefinition
from sources.http.cursors import cursor_value
from tests.sources.fetching import Reading, http
from tests.sources.provider import Provider, data, running


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


def value(found: Any, **members: Any) -> str | None:
    cursor = {"field": "at", "parameter": "since", **members}
    return cursor_value(http("http://x.example", cursor=cursor), {"cursor": found})


@pytest.mark.parametrize(
    ("found", "members", "expected"),
    [
        ("2024-03-01T00:00:00Z", {}, "2024-03-01T00:00:00Z"),
        (17, {}, "17"),
        ("abc", {}, "abc"),
        (None, {}, None),
        (None, {"initial": "2020-01-01"}, "2020-01-01"),
        (0, {"initial": "5"}, "0"),
        ("NaN", {"initial": "5", "format": "unix"}, "5"),
        ("2024-03-01T00:00:00Z", {"lookback_seconds": 60}, "2024-02-29T23:59:00Z"),
        ("2024-03-01T02:00:00+02:00", {"format": "iso8601"}, "2024-03-01T00:00:00Z"),
        ("2024-03-01 00:00:00", {"format": "iso8601"}, "2024-03-01T00:00:00Z"),
        ("2024-03-01", {"format": "iso8601", "lookback_seconds": 0.5}, "2024-02-29T23:59:59.500000Z"),
        (1_709_251_200, {"format": "iso8601"}, "2024-03-01T00:00:00Z"),
        (1_709_251_200_500, {"format": "iso8601"}, "2024-03-01T00:00:00.500000Z"),
        ("1709251200", {"format": "unix", "lookback_seconds": 200}, "1709251000"),
        ("2024-03-01T00:00:00.999Z", {"format": "unix"}, "1709251200"),
        ("2024-03-01T00:00:00.999Z", {"format": "unix_ms"}, "1709251200999"),
        ("1969-12-31T23:59:59.5Z", {"format": "unix"}, "-1"),
        (1000, {"lookback_seconds": 10}, "990"),
        (1_709_251_200_500, {"lookback_seconds": 10}, "1709251190500"),
        ("10.5", {"lookback_seconds": 1}, "9.5"),
    ],
)
def test_the_cursor_as_the_other_side_wants_it(found: Any, members: dict[str, Any], expected: str | None) -> None:
    assert value(found, **members) == expected


@pytest.mark.parametrize("found", ["abc", 1e300, "2024-13-01"])
def test_what_is_no_time_is_named(found: Any) -> None:
    with pytest.raises(BadDefinition, match=r"extract\.cursor: the field at holds '.*', which is no time"):
        value(found, format="unix")


def test_without_a_cursor_there_is_no_value() -> None:
    assert cursor_value(http("http://x.example"), {"cursor": 5}) is None


def test_the_value_goes_into_the_query(provider: Provider) -> None:
    Reading().first(
        provider.on("/a", data([])) + "?since=old&x=1",
        state={"cursor": "2024-03-01T00:00:00+01:00"},
        cursor={"field": "at", "parameter": "since"},
    )
    assert provider.requests[0].query == {"since": "2024-03-01T00:00:00+01:00", "x": "1"}


def test_the_first_run_asks_for_all_or_from_the_initial_value(provider: Provider) -> None:
    url = provider.on("/a", data([]))
    Reading().first(url, cursor={"field": "at", "parameter": "since"})
    Reading().first(url, cursor={"field": "at", "parameter": "since", "initial": "7"})
    assert [request.query for request in provider.requests] == [{}, {"since": "7"}]


DAY = (datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 2, 1, tzinfo=timezone(timedelta(hours=1))))


@pytest.mark.parametrize(
    ("state", "members", "asked"),
    [
        (1_800_000_000, {"format": "unix"}, ("1709251200", "1709337600")),
        (None, {"format": "unix_ms"}, ("1709251200000", "1709337600000")),
        (1_800_000_000, {"format": "iso8601"}, ("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")),
        (1_800_000_000, {}, ("1709251200", "1709337600")),
        ("1800000000", {}, ("1709251200", "1709337600")),
        (1_800_000_000_000, {}, ("1709251200000", "1709337600000")),
        (None, {"initial": "1500000000000"}, ("1709251200000", "1709337600000")),
        (None, {"initial": "0"}, ("1709251200", "1709337600")),
        ("2026-01-01T00:00:00+01:00", {"initial": "0"}, ("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")),
        (None, {}, ("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")),
    ],
)
def test_a_window_is_asked_for_as_the_cursor_is_written(
    provider: Provider, state: Any, members: dict[str, Any], asked: tuple[str, str]
) -> None:
    cursor = {"field": "at", "parameter": "since", "until_parameter": "until", "lookback_seconds": 60, **members}
    Reading().first(provider.on("/a", data([])), state={"cursor": state}, window=DAY, cursor=cursor)
    assert provider.requests[0].query == {"since": asked[0], "until": asked[1]}


def test_the_end_of_a_window_is_asked_for_only_by_a_name_and_in_a_window(provider: Provider) -> None:
    url = provider.on("/a", data([]))
    cursor = {"field": "at", "parameter": "since", "format": "unix", "initial": "7"}
    Reading().first(url, window=DAY, cursor=cursor)
    Reading().first(url, cursor=cursor | {"until_parameter": "until"})
    assert [request.query for request in provider.requests] == [{"since": "1709251200"}, {"since": "7"}]


def test_a_cursor_that_is_no_time_has_no_windows() -> None:
    cursor = {"field": "at", "parameter": "since"}
    with pytest.raises(BadDefinition, match="the field at holds 4711, a number that is no time"):
        Reading().pages("http://x.example", state={"cursor": 4711}, window=DAY, cursor=cursor)
