"""Figures of events are what Python makes of the same events."""

import json
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import quantiles
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from django.conf import settings as options
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import aggregates, chunks
from ingest.aggregate_query import AggregateQuery, Bucket, Group, Measure
from ingest.aggregates import Aggregation, parse_bucket
from ingest.conditions import InvalidCondition, parse_path
from ingest.members import Path
from ingest.models import Stream
from ingest.reading import EventQuery
from ingest.writer import write_chunks
from tests.ingest.conditions import exact
from tests.ingest.factory import make_stream

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
CHECKED = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def store(stream: Stream, *events: tuple[str | None, Any], at: datetime = NOW) -> None:
    rows = [(None, type_, None, value if isinstance(value, bytes) else orjson.dumps(value)) for type_, value in events]
    write_chunks([chunks.encode(chunks.new_chunk_id(int(at.timestamp() * 1000)), [(stream.pk, rows)])])


def ask(api: Client, path: str = "/api/events/aggregate/", **query: Any) -> Any:
    answer = api.get(f"{path}?{urlencode(query, doseq=True)}")
    assert answer.status_code == 200, answer.content
    return answer.json()


ALL_DAY: dict[str, Any] = {"starts_at": "2026-01-31T00:00:00Z", "ends_at": "2026-02-01T00:00:00Z"}


def test_events_are_counted_by_time_stream_and_type(api: Client) -> None:
    sensors, doors = make_stream(), make_stream("doors")
    store(sensors, ("a", {}), ("b", {}), (None, {}), at=NOW)
    store(doors, ("a", {}), at=NOW + timedelta(minutes=61))
    answer = ask(api, bucket="hour", group_by=["stream", "type"], **ALL_DAY)
    assert answer == {
        "from": "2026-01-31T00:00:00Z",
        "until": "2026-02-01T00:00:00Z",
        "bucket": "hour",
        "rows": [
            {"bucket": "2026-01-31T12:00:00Z", "stream": "sensors", "type": "a", "count": 1},
            {"bucket": "2026-01-31T12:00:00Z", "stream": "sensors", "type": "b", "count": 1},
            {"bucket": "2026-01-31T12:00:00Z", "stream": "sensors", "type": None, "count": 1},
            {"bucket": "2026-01-31T13:00:00Z", "stream": "doors", "type": "a", "count": 1},
        ],
        "source": answer["source"],
        "truncated": False,
    }
    assert ask(api, "/api/streams/doors/events/aggregate/", **ALL_DAY)["rows"] == [{"count": 1}]
    assert ask(api, stream="nothing", **ALL_DAY)["rows"] == [{"count": 0}]


def test_without_a_bucket_what_counts_most_comes_first(api: Client) -> None:
    stream = make_stream()
    store(stream, *(("reading", {"site": site}) for site in ("oslo", "bergen", "bergen", None)), ("reading", {}))
    rows = ask(api, group_by="payload.site", **ALL_DAY)["rows"]
    assert rows == [
        {"payload.site": "bergen", "count": 2},
        {"payload.site": None, "count": 2},
        {"payload.site": "oslo", "count": 1},
    ]


def test_a_group_is_no_longer_than_can_be_shown(api: Client) -> None:
    store(make_stream(), *((None, {"text": "x" * 300 + str(n)}) for n in range(3)))
    assert ask(api, group_by="payload.text", **ALL_DAY)["rows"] == [{"payload.text": "x" * 200, "count": 3}]


def test_the_filters_hold_here_too(api: Client) -> None:
    store(make_stream(), ("a", {"n": 1, "text": "pump"}), ("b", {"n": 2}), ("b", {"n": 3}))
    asked: list[tuple[dict[str, Any], int]] = [
        ({"payload.n__gt": 1}, 2), ({"type": "b", "payload.n__gt": 2}, 1), ({"q": "pump"}, 1), ({"key": "x"}, 0),
        ({"type": ["a", "b"]}, 3), ({"type": "c"}, 0),
    ]  # fmt: skip
    for query, count in asked:
        assert ask(api, **query, **ALL_DAY)["rows"] == [{"count": count}], query


@pytest.mark.parametrize(
    ("others", "is_looked"), [([{}, {"n": 0.5}], False), ([{"n": "5"}], True), ([{"n": [1]}], True)]
)
def test_types_are_looked_at_only_where_not_all_are_numbers(
    api: Client, others: list[dict[str, Any]], is_looked: bool
) -> None:
    store(make_stream(), ("a", {"n": 1}), *(("a", other) for other in others))
    with CaptureQueriesContext(connection) as queries:
        rows = ask(api, measure="max:payload.n", **ALL_DAY)["rows"]
    assert rows == [{"max:payload.n": 1}]
    assert any("jsonb_typeof" in query["sql"] for query in queries) is is_looked


def test_what_is_read_again_has_the_time_that_is_left(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float] = []
    read = AggregateQuery.read

    def noted(query: AggregateQuery, limit: int) -> list[dict[str, Any]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM current_setting('statement_timeout')::interval)::float8")
            limits.append(cursor.fetchone()[0])
        time.sleep(0.1)
        return read(query, limit)

    monkeypatch.setattr(AggregateQuery, "read", noted)
    store(make_stream(), ("a", {"n": "5"}))
    ask(api, measure="max:payload.n", **ALL_DAY)
    assert limits[0] == options.QUERY_TIMEOUT_SECONDS
    assert limits[1] <= limits[0] - 0.1


numbers = st.sampled_from(["0", "1", "-1", "2.50", "1e3", "0.1", "7", "12345678901234567890.25", "null", '"5"', "[1]"])
texts = st.sampled_from(["a", "b", "", "1", "1.0", "-", "true", "false", "null", "[1]", "{}", '"', '"a', "é", " 1"])
sites = st.sampled_from(["1", "1.0", "-1", "null", "true", "false", "{}", "[1]"]) | texts.map(json.dumps)
stored = st.lists(st.tuples(st.integers(0, 7), st.sampled_from(["x", "y", "", None]), numbers, sites), max_size=25)


@CHECKED
@given(stored, st.sampled_from([None, "7m", "hour"]))
def test_figures_are_those_of_the_events(events: list[tuple[int, str | None, str, str]], bucket: str | None) -> None:
    stream, _ = Stream.objects.get_or_create(name="sensors")
    empty()
    groups: dict[Any, list[Decimal]] = defaultdict(list)
    counts: dict[Any, int] = defaultdict(int)
    for hours, type_, number, site in events:
        at = NOW + timedelta(minutes=17 * hours)
        store(stream, (type_, f'{{"n": {number}, "site": {site}}}'.encode()), at=at)
        place = (start_of(at, bucket), shown(None if site[0] in "{[" else json.loads(site)))
        counts[place] += 1
        groups[place] += [exact(number)] if number[0] in "-0123456789" else []
    names = ("count", "sum", "avg", "min", "max", "p50", "p95")
    measures = tuple(Measure(name, name, None if name == "count" else path("n")) for name in names)
    query = EventQuery(starts_at=NOW, ends_at=NOW + timedelta(days=1))
    asked = Aggregation(query, parse_bucket(bucket) if bucket else None, (Group("site", path("site")),), measures)
    rows = orjson.loads(orjson.dumps(aggregates.aggregate(asked, NOW).rows))
    found = {(row.get("bucket"), shown(row["site"])): row for row in rows}
    assert {place: row["count"] for place, row in found.items()} == counts
    for place, row in found.items():
        seen = [row[name] for name in names[1:]]
        assert seen == (pytest.approx(figures(groups[place]), rel=1e-12) if groups[place] else [None] * 6), place


def path(name: str) -> Path:
    return parse_path(f"payload.{name}", "payload")


def start_of(at: datetime, bucket: str | None) -> str | None:
    seconds = {None: 0, "7m": 420, "hour": 3600}[bucket]
    start = datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC) if seconds else None
    return start.isoformat() if start else None


def shown(site: Any) -> str:
    return repr(Decimal(str(site)).normalize() if type(site) in (int, float) else site)


def figures(values: list[Decimal]) -> list[float]:
    several = values if len(values) > 1 else values * 2
    shares = quantiles(map(float, several), n=100, method="inclusive")
    sums = (sum(values), sum(values) / len(values), min(values), max(values))
    return [*map(float, sums), shares[49], shares[94]]


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM event")
        cursor.execute("DELETE FROM rollup_minute")


def test_the_last_day_is_meant_where_no_time_is_given(api: Client) -> None:
    now = datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC)
    minute = datetime(2026, 1, 31, 12, 34, tzinfo=UTC)
    day = timedelta(days=1)
    assert aggregates.period(None, None, now) == (minute - day, minute + timedelta(minutes=1))
    assert aggregates.period(None, now, now) == (minute - day, now)
    assert aggregates.period(now - day, None, now) == (now - day, minute + timedelta(minutes=1))
    with pytest.raises(InvalidCondition, match="not after"):
        aggregates.period(now, now, now)
    answer = ask(api)
    assert answer["from"][-4:] == answer["until"][-4:] == ":00Z"


def test_more_rows_than_the_most_are_cut_and_said_to_be(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregates, "MOST_ROWS", 3)
    store(make_stream(), *((None, {"n": n}) for n in range(3)))
    query = {"group_by": "payload.n", "bucket": "day", **ALL_DAY}
    assert (ask(api, **query)["truncated"], len(ask(api, **query)["rows"])) == (False, 3)
    store(Stream.objects.get(), (None, {"n": 3}))
    assert (ask(api, **query)["truncated"], len(ask(api, **query)["rows"])) == (True, 3)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("bucket=week", "bucket"),
        ("bucket=0m", "bucket"),
        ("bucket=367d", "bucket"),
        ("group_by=site", "group_by"),
        ("group_by=type&group_by=stream&group_by=payload.a", "group_by"),
        ("measure=median:payload.x", "measure"),
        ("measure=sum", "measure"),
        ("measure=sum:x", "measure"),
        ("measure=count&measure=count", "measure"),
        ("starts_at=2026-01-31T12:00:00Z&ends_at=2026-01-31T12:00:00Z", "ends_at"),
        ("ends_at=0001-01-01T00:00:00Z", "ends_at"),
        ("limit=5", "limit"),
    ],
)
def test_wrong_parameters_are_named(api: Client, query: str, name: str) -> None:
    answer = api.get(f"/api/events/aggregate/?{query}")
    assert (answer.status_code, set(answer.json()["fields"])) == (400, {name})


def test_a_bucket_has_a_unit() -> None:
    assert parse_bucket("15m") == Bucket("15m", 900)
    assert [parse_bucket(name).seconds for name in ("minute", "hour", "day")] == [60, 3600, 86_400]
