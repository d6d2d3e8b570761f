"""Counts come from those kept by minute exactly where these are the numbers of the events."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from ingest import aggregates
from ingest.aggregate_query import Group
from ingest.aggregates import Aggregation, parse_bucket
from ingest.maintenance import ROLLUP_DAYS
from ingest.models import RollupMinute, Stream
from ingest.reading import EventQuery
from ingest.rollups import MOST_TYPES
from tests.ingest.factory import make_stream
from tests.ingest.test_aggregates import CHECKED, NOW, ask, empty, store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

minutes = st.integers(0, 180)
arrivals = st.lists(
    st.tuples(st.sampled_from(["s0", "s1"]), minutes, st.sampled_from(["a", "b", "", None])), max_size=20
)


@CHECKED
@given(
    arrivals,
    st.tuples(minutes, minutes).filter(lambda bounds: bounds[0] != bounds[1]),
    st.lists(st.sampled_from(["stream", "type"]), unique=True),
    st.sampled_from([None, "minute", "5m", "7m", "hour", "day"]),
    st.sampled_from([None, ("s0",), ("s0", "s1")]),
    st.sampled_from([None, ("a",), ("a", "c")]),
)
def test_counts_kept_by_minute_are_the_numbers_of_the_events(
    events: list[tuple[str, int, str | None]],
    bounds: tuple[int, int],
    group_by: list[str],
    bucket: str | None,
    streams: tuple[str, ...] | None,
    types: tuple[str, ...] | None,
) -> None:
    known = {name: Stream.objects.get_or_create(name=name)[0] for name in ("s0", "s1")}
    empty()
    for name, minute, type_ in events:
        store(known[name], (type_, {}), at=NOW + timedelta(minutes=minute, seconds=minute % 60))
    start, until = (NOW + timedelta(minutes=minute) for minute in sorted(bounds))
    query = EventQuery(
        streams=frozenset(streams) if streams else None,
        types=frozenset(types) if types else None,
        starts_at=start,
        ends_at=until,
    )
    asked = Aggregation(query, parse_bucket(bucket) if bucket else None, tuple(map(Group, group_by)))
    kept = aggregates.aggregate(asked, NOW)
    counted = aggregates.aggregate(asked, NOW + timedelta(days=ROLLUP_DAYS + 1))
    assert (kept.source, counted.source) == ("rollups", "events")
    assert kept.rows == counted.rows


def source(api: Client, **query: Any) -> str:
    return str(ask(api, **query)["source"])


def test_what_the_counts_by_minute_cannot_tell_comes_from_the_events(api: Client, settings: Settings) -> None:
    stream = make_stream()
    now = timezone.now()
    store(stream, ("a", {"n": 1}), at=now - timedelta(hours=1))
    day_ago, today = ((now - timedelta(days=n)).strftime("%Y-%m-%dT%H:%M:00Z") for n in (1, 0))
    span = {"starts_at": day_ago, "ends_at": today}
    assert (
        source(api) == source(api, **span) == source(api, group_by="type", bucket="2m", stream="sensors") == "rollups"
    )
    for query in [
        {"q": "x"},
        {"key": "k"},
        {"payload.n": "1"},
        {"group_by": "payload.n"},
        {"measure": "sum:payload.n"},
        {"bucket": "30s"},
        {"starts_at": day_ago.replace("00Z", "30Z"), "ends_at": today},
        {"starts_at": (now - timedelta(days=91)).strftime("%Y-%m-%dT%H:%M:00Z"), "ends_at": today},
    ]:
        assert source(api, **query) == "events", query
    settings.RETENTION_DAYS = 3
    assert source(api, **span) == "rollups"
    Stream.objects.create(name="short", retention_days=1)
    assert source(api, **{**span, "starts_at": (now - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:00Z")}) == "events"


def test_types_beyond_those_counted_by_name_are_counted_from_the_events(api: Client) -> None:
    stream = make_stream()
    store(stream, *((f"type-{n}", {}) for n in range(MOST_TYPES + 5)), at=timezone.now())
    assert RollupMinute.objects.filter(type="(other)").exists()
    answer = ask(api, group_by="type")
    assert (answer["source"], len(answer["rows"])) == ("events", MOST_TYPES + 5)
    assert ask(api)["source"] == "rollups"
