"""`/api/stats/`: true, cached, and told of changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as ours
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from access.keys import create_key
from access.models import Scope
from access.reach import EVERYWHERE, Reach
from ingest import totals
from ingest.models import RollupMinute, RollupTotal, Stream
from sources import figures, stats
from sources.models import Record, Run, Source, Status, Trigger

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]

NOW = datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC)
MINUTE = NOW.replace(second=0)


def upsert(api: Client, key: str, source: Source | None = None) -> None:
    record = {"key": key, "value": {"n": 1}, "source": source and source.pk}
    assert api.post("/api/records/upsert/", [record], content_type="application/json").status_code == 200


@contextmanager
def queries(most: int) -> Iterator[None]:
    with CaptureQueriesContext(connection) as captured:
        yield
    assert len(captured) <= most, [query["sql"] for query in captured]


def store(name: str, *minutes: tuple[int, int]) -> Stream:
    """Events of a stream: (minutes ago, how many)."""
    stream = Stream.objects.create(name=name)
    for ago, events in minutes:
        counts = {"events": events, "bytes": 10 * events, "duplicates": 1, "dead": 0}
        RollupMinute.objects.create(stream=stream, minute=MINUTE - timedelta(minutes=ago), type="", **counts)
    all_events = sum(events for _, events in minutes)
    counts = {"events": all_events, "bytes": 10 * all_events, "duplicates": len(minutes), "dead": 2}
    RollupTotal.objects.create(stream=stream, last_minute=MINUTE, **counts)
    return stream


def test_events_are_counted_and_their_rates_are_of_full_minutes() -> None:
    store("sensors", (0, 600), (1, 120), (60, 60), (61, 6000))
    store("doors", (1, 60))
    assert totals.read(None, NOW) == {
        "total_streams": 2,
        "events": {"total": 6840, "bytes": 68_400, "duplicates": 5, "dead": 4, "last_minute": MINUTE},
        "rates": {"last_minute": 3.0, "last_hour": 240 / 3600},
    }
    assert totals.read(frozenset(["doors"]), NOW)["rates"]["last_minute"] == 1.0
    assert totals.read(frozenset(), NOW)["events"]["last_minute"] is None


def test_sources_records_and_runs_are_counted() -> None:
    source, _ = (
        Source.objects.create(name="a", definition={}),
        Source.objects.create(name="b", definition={}, active=False),
    )
    for n, of in enumerate([source, source, None]):
        Record.objects.create(key=f"k{n}", value=n, hash=b"x", source=of, created_at=NOW, updated_at=NOW)
    for seconds, status in [(2, Status.SUCCESS), (4, Status.SUCCESS), (60, Status.FAILED)]:
        times = {"started_at": NOW, "ended_at": NOW + timedelta(seconds=seconds)}
        Run.objects.create(source=source, version=1, status=status, trigger=Trigger.HAND, **times)
    everything = {"total_sources": 2, "active_sources": 1, "total_records": 3, "last_update": NOW}
    assert figures.totals(EVERYWHERE) == {**everything, "average_update_time": 3.0}
    assert figures.totals(Reach(sources=frozenset("a")))["total_records"] == 2
    assert figures.totals(Reach(sources=frozenset("b"))) == {
        "total_sources": 1, "active_sources": 0, "total_records": 0, "last_update": None, "average_update_time": None
    }  # fmt: skip


def test_a_request_costs_three_queries_and_then_none(api: Client) -> None:
    upsert(api, "a")
    api.get("/api/streams/")  # whoever came with this key is known from now on
    with queries(3):
        first = api.get("/api/stats/").json()
    with queries(0):
        assert api.get("/api/stats/").json() == first
    assert {
        "total_sources",
        "total_records",
        "average_update_time",
        "events",
        "rates",
        "total_datasets",
        "tasks",
    } <= set(first)
    upsert(api, "b")
    with queries(1):
        assert api.get("/api/stats/").json()["total_records"] == 2


def test_top_records_are_cached_and_told_of_changes_too(api: Client) -> None:
    upsert(api, "a")
    assert [record["key"] for record in stats.top_records()] == ["a"]
    with queries(0):
        stats.top_records()
    upsert(api, "b")
    assert [record["key"] for record in stats.top_records()] == ["b", "a"]


def test_everybody_has_figures_of_what_they_may_read_and_they_are_cached_too(api: Client) -> None:
    mine, other = (Source.objects.create(name=name, definition={}) for name in ("mine", "other"))
    for number, source in enumerate([mine, other, other]):
        upsert(api, f"k{number}", source)
    assert stats.read()["total_records"] == 3
    for name, count in (("mine", 1), ("other", 2)):
        _, token = create_key(name, [Scope.READ], sources=[name])
        reader = Client(headers={"authorization": f"Bearer {token}"})
        found = reader.get("/api/stats/").json()
        assert (found["total_records"], found["total_datasets"]) == (count, None)
        with queries(0):
            assert reader.get("/api/stats/").json() == found


def test_a_change_while_figures_are_made_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = figures.totals

    def overtaken(reach: Reach) -> dict[str, Any]:
        found = counted(reach)
        Record.objects.create(key="late", value=1, hash=b"x", created_at=NOW, updated_at=NOW)
        stats.forget()
        return found

    monkeypatch.setattr(figures, "totals", overtaken)
    assert stats.read()["total_records"] == 0
    monkeypatch.setattr(figures, "totals", counted)
    assert stats.read()["total_records"] == 1


def test_figures_of_events_are_a_few_seconds_old() -> None:
    stats.read()
    with redis.Redis.from_url(ours.REDIS_URL) as client:
        assert 0 < client.ttl(f"{stats.PREFIX}:events:all") <= stats.EVENTS_SECONDS
        assert 0 < client.ttl(f"{stats.PREFIX}:sources:all") <= stats.EXPIRY_SECONDS


def test_without_redis_they_are_made_each_time(settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere"
    Record.objects.create(key="a", value=1, hash=b"x", created_at=timezone.now(), updated_at=timezone.now())
    stats.forget()
    assert stats.read()["total_records"] == 1
