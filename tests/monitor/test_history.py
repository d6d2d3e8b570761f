"""The past for the charts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from access.keys import create_key
from access.models import Scope
from data_handler import embedded
from ingest import buffer
from ingest.models import RollupMinute, Stream
from monitor import history
from tests.ingest.factory import make_stream
from tests.monitor.frozen import frozen

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC)
MINUTE = NOW.replace(second=0)


def count(stream: Stream, type_: str, events: int, minutes_ago: int = 0) -> None:
    minute = MINUTE - timedelta(minutes=minutes_ago)
    zero = dict.fromkeys(("bytes", "duplicates", "dead"), 0)
    RollupMinute.objects.create(stream=stream, minute=minute, type=type_, events=events, **zero)


def events(minutes: int = 60, streams: frozenset[str] | None = None) -> list[tuple[str, str | None, int]]:
    found = history.read(minutes, streams, NOW)["events"]
    return [(line["minute"][11:16], line["type"], line["events"]) for line in found]


def test_events_are_told_by_minute_and_type_for_all_streams_together() -> None:
    sensors, doors = make_stream(), make_stream("doors")
    count(sensors, "reading", 5, minutes_ago=2)
    count(sensors, "reading", 7)
    count(doors, "reading", 1)
    count(doors, "", 3)
    assert events() == [("12:32", "reading", 5), ("12:34", None, 3), ("12:34", "reading", 8)]
    assert events(streams=frozenset({"doors"})) == [("12:34", None, 3), ("12:34", "reading", 1)]
    assert events(streams=frozenset({"other"})) == []


def test_only_the_minutes_asked_for_are_told() -> None:
    stream = make_stream()
    for minutes_ago in (0, 5, 6):
        count(stream, "a", 1, minutes_ago)
    assert [minute for minute, _, _ in events(5)] == ["12:29", "12:34"]


def test_a_minute_without_events_is_left_out() -> None:
    count(make_stream(), "a", 0)
    assert events() == []


def test_the_most_frequent_types_are_told_apart_and_the_rest_is_summed() -> None:
    stream = make_stream()
    for number in range(12):
        count(stream, f"type-{number:02}", 100 - number)
    count(stream, "(other)", 1000)
    told = {type_: n for _, type_, n in events()}
    assert told == {**{f"type-{n:02}": 100 - n for n in range(8)}, "(other)": 1000 + 92 + 91 + 90 + 89}


def sampled(*samples: tuple[float, float]) -> None:
    """Flush and sample at (seconds before NOW, milliseconds of lag)."""
    for seconds_ago, lag_ms in samples:
        at = NOW.timestamp() - seconds_ago
        buffer.client().delete("dh:flush:lag")
        buffer.record_flush([int(lag_ms)], at)
        history.sample_lag(at)


def lag(minutes: int = 60) -> list[Any]:
    return history.read(minutes, None, NOW)["lag"]


def test_the_lag_is_told_oldest_first() -> None:
    sampled((61 * 60, 1), (20, 250), (10, 300))
    assert lag() == [
        {"at": "2026-01-31T12:34:36.000Z", "p50": 250.0, "p99": 250.0},
        {"at": "2026-01-31T12:34:46.000Z", "p50": 300.0, "p99": 300.0},
    ]


def test_while_nothing_is_stored_there_is_no_lag_to_tell() -> None:
    history.sample_lag(NOW.timestamp())
    assert lag() == []
    sampled((20, 250))
    history.sample_lag(NOW.timestamp() - 10)
    assert len(lag()) == 1


def test_samples_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_SAMPLES", 3)
    sampled(*((float(seconds), 1.0) for seconds in (50, 40, 30, 20, 10)))
    assert [sample["at"][17:19] for sample in lag()] == ["26", "36", "46"]


def test_without_redis_the_events_are_told_all_the_same(services: embedded.Services) -> None:
    count(make_stream(), "a", 1)
    with frozen(services.broker):
        found = history.read(60, None, NOW)
    assert (len(found["events"]), found["lag"]) == (1, [])


def test_the_api_tells_a_key_for_some_streams_of_those(api: Client) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    zero = dict.fromkeys(("bytes", "duplicates", "dead"), 0)
    for name, n in (("sensors", 5), ("doors", 2)):
        RollupMinute.objects.create(stream=make_stream(name), minute=now, type="a", events=n, **zero)
    some = {"authorization": f"Bearer {create_key('some', [Scope.READ], streams=['doors'])[1]}"}
    told = api.get("/api/stats/history/").json()
    assert (told["minutes"], told["events"][0]["events"]) == (60, 7)
    assert api.get("/api/stats/history/?stream=doors&minutes=1440").json()["events"][0]["events"] == 2
    assert api.get("/api/stats/history/", headers=some).json()["events"][0]["events"] == 2
    assert api.get("/api/stats/history/?stream=sensors", headers=some).status_code == 403


@pytest.mark.parametrize("minutes", ["0", "1441", "x"])
def test_the_api_refuses_other_spans(api: Client, minutes: str) -> None:
    answer = api.get(f"/api/stats/history/?minutes={minutes}")
    assert (answer.status_code, answer.json()["error"], list(answer.json()["fields"])) == (400, "invalid", ["minutes"])


def test_the_api_is_for_those_who_may_read(client: Client, db: None) -> None:
    assert client.get("/api/stats/history/").status_code == 401
    sender = {"authorization": f"Bearer {create_key('sender', [Scope.INGEST])[1]}"}
    assert client.get("/api/stats/history/", headers=sender).status_code == 403
