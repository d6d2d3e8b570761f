"""Backfills from the web: each window gets its own rows, whatever the service gives."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from sources import backfills, lines, runs, saving
from sources.execution import Execution
from sources.models import Record, Run, Source, Status
from tests.sources.provider import Provider, data, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]

START, DAY = datetime(2026, 3, 1, tzinfo=UTC), timedelta(days=1)
TIMES = ["2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z", "2026-03-02T00:59:59+01:00", "2026-03-02T00:00:00Z"]


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    settings.SOURCES_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.SOURCES_HOST_REQUESTS_PER_SECOND = 1000
    with running() as provider:
        yield provider


def backfilled(provider: Provider, times: list[Any], load: dict[str, Any] | None = None, **cursor: Any) -> Run:
    """The run of the one window."""
    url = provider.on("/a.json", data([{"id": number, "at": time} for number, time in enumerate(times)]))
    extract = {"kind": "http", "url": url, "cursor": {"field": "at", "parameter": "since", **cursor}}
    source = Source(name="past")
    saving.save(source, {"version": 1, "extract": extract, "load": load or {"kind": "upsert", "key": ["id"]}})
    backfills.begin(source, starts_at=START, ends_at=START + DAY, step=DAY)
    run = runs.claim()
    assert run is not None
    Execution(run).perform()
    return Run.objects.get(pk=run.pk)


def keys() -> set[str]:
    return set(Record.objects.values_list("key", flat=True))


def test_rows_before_and_from_the_end_of_the_window_on_are_left_out(provider: Provider) -> None:
    run = backfilled(provider, TIMES)
    assert (run.status, keys()) == (Status.SUCCESS, {"1", "2"})
    assert (run.counts["outside_window"], run.counts["decoded"], run.counts["inserted"]) == (2, 2, 2)
    assert lines.counts_of(run)[0] == lines.Count("outside_window", 2)


@pytest.mark.parametrize("scale", [1, 1000], ids=["seconds", "milliseconds"])
def test_numbers_are_unix_times(provider: Provider, scale: int) -> None:
    seconds = [int(datetime.fromisoformat(time).timestamp()) for time in TIMES]
    run = backfilled(provider, [second * scale for second in seconds], initial=str(1_700_000_000 * scale))
    assert (run.counts["outside_window"], keys()) == (2, {"1", "2"})
    assert provider.requests[0].query == {"since": str(seconds[1] * scale)}


def test_the_end_is_asked_for_where_the_service_has_a_parameter(provider: Provider) -> None:
    backfilled(provider, TIMES, until_parameter="until", format="iso8601")
    assert provider.requests[0].query == {"since": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z"}


def test_rows_without_a_time_are_in_no_window_and_those_with_another_text_are_rejected(provider: Provider) -> None:
    run = backfilled(provider, [None, "", "yesterday", TIMES[1]])
    assert (run.counts["outside_window"], run.counts["inserted"]) == (2, 1)
    assert run.counts["reasons"] == {"window: bad_time": 1}
    assert run.rejected[0]["detail"].startswith("extract.cursor.field: yesterday is no time")


def test_a_backfill_by_numbers_that_are_no_times_fails_and_says_so(provider: Provider) -> None:
    run = backfilled(provider, [1, 2], initial="1")
    assert (run.status, run.error) == (Status.FAILED, "bad_definition")
    assert "take a field with times" in run.detail
    assert provider.requests == []
