"""Asking for what came after the last run."""

from collections.abc import Iterator
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


@pytest.mark.parametrize("found", ["abc", "NaN", 1e300, "2024-13-01", True])
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


def test_a_window_starts_where_it_says_without_looking_back(provider: Provider) -> None:
    Reading().first(
        provider.on("/a", data([])),
        state={"cursor": 1_800_000_000},
        window=("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z"),
        cursor={"field": "at", "parameter": "since", "format": "unix", "lookback_seconds": 60},
    )
    assert provider.requests[0].query == {"since": "1709251200"}
