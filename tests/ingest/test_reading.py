"""Reading events back over the API."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from access.keys import create_key
from access.models import Scope
from ingest import chunks
from ingest.envelope import Event
from ingest.flush import flush
from ingest.models import Stream
from tests.ingest.factory import make_event, make_stream, push_chunk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


@pytest.fixture
def stream() -> Stream:
    return make_stream()


def store(stream: Stream, *events: Event, now_ms: int | None = None) -> None:
    push_chunk(stream, list(events), now_ms=now_ms)
    flush()


def numbers(page: dict[str, Any]) -> list[int]:
    return [event["payload"]["number"] for event in page["results"]]


def test_an_event_reads_as_it_was_stored(api: Client, stream: Stream) -> None:
    store(stream, ("k", "t", "2026-01-31T12:00:00.500000+00:00", b'{"a": 1.10, "big": 123456789012345678901234567890}'))
    answer = api.get("/api/events/")
    [event] = answer.json()["results"]
    assert (event["stream"], event["key"], event["type"]) == ("sensors", "k", "t")
    assert event["time"] == "2026-01-31T12:00:00.500000Z"
    assert event["received_at"] == chunks.received_at(UUID(event["id"])).isoformat().replace("+00:00", "Z")
    assert b'"a": 1.10' in answer.content
    assert b'"big": 123456789012345678901234567890' in answer.content


def test_the_newest_come_first_and_the_oldest_on_request(api: Client, stream: Stream) -> None:
    for number in range(3):
        store(stream, make_event(number), now_ms=1_795_000_000_000 + number)
    assert numbers(api.get("/api/events/").json()) == [2, 1, 0]
    assert numbers(api.get("/api/events/?order=oldest").json()) == [0, 1, 2]


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_neither_repeat_nor_skip_while_events_arrive(api: Client, stream: Stream, order: str) -> None:
    now = 1_795_000_000_000
    for number in range(7):
        store(
            stream, make_event(3 * number), make_event(3 * number + 1), make_event(3 * number + 2), now_ms=now + number
        )
    seen, url = [], f"/api/events/?limit=4&order={order}&ends_at=2027-01-01T00:00:00Z"
    while url:
        page = api.get(url).json()
        seen += numbers(page)
        url = page["next"]
        store(stream, make_event(1000), now_ms=now + 20 if order == "newest" else now - 20)
    expected = sorted(range(21), reverse=order == "newest")
    assert [number for number in seen if number < 1000] == expected


def test_events_are_filtered_by_stream_type_key_and_time(api: Client, stream: Stream) -> None:
    other = make_stream("other")
    now = timezone.now()
    ms = int(now.timestamp() * 1000)
    store(stream, ("k", "a", None, b'{"number": 1}'), (None, "b", None, b'{"number": 2}'), now_ms=ms)
    store(other, ("k", "a", None, b'{"number": 3}'), now_ms=ms - 3_600_000)
    hour_ago = (now - timedelta(minutes=30)).isoformat().replace("+00:00", "Z")
    for query, expected in [
        ("stream=other", [3]),
        ("type=a", [1, 3]),
        ("key=k", [1, 3]),
        (f"starts_at={hour_ago}", [1, 2]),
        (f"ends_at={hour_ago}", [3]),
        (f"starts_at={hour_ago}&type=b", [2]),
    ]:
        assert sorted(numbers(api.get(f"/api/events/?{query}").json())) == expected, query
    assert numbers(api.get("/api/streams/other/events/").json()) == [3]


def test_a_wrong_parameter_is_named(api: Client) -> None:
    answer = api.get("/api/events/?limit=0&starts_at=yesterday")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid"
    assert set(answer.json()["fields"]) == {"limit", "starts_at"}


def test_a_key_reads_its_own_streams_only(stream: Stream) -> None:
    store(stream, make_event(1))
    store(make_stream("mine"), make_event(2))
    _, token = create_key("bound", [Scope.READ], streams=["mine"])
    bound = Client(headers={"authorization": f"Bearer {token}"})
    assert numbers(bound.get("/api/events/").json()) == [2]
    assert bound.get("/api/streams/sensors/events/").status_code == 403
    assert [stream["name"] for stream in bound.get("/api/streams/").json()] == ["mine"]


@pytest.mark.parametrize("path", ["/api/events/", "/api/streams/", "/api/dead-letters/", "/api/keys/", "/api/schema/"])
def test_nothing_is_read_anonymously(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code in (401, 403)
    assert b"not_authenticated" in answer.content


def test_a_query_by_time_looks_into_the_partitions_of_that_time_only(stream: Stream) -> None:
    from django.db import connection

    from ingest.reading import EventQuery, select

    store(stream, make_event())
    query = EventQuery(starts_at=timezone.now() - timedelta(minutes=1), ends_at=timezone.now())
    with connection.cursor() as cursor:
        sql, parameters = select(query).query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", parameters)
        plan = "\n".join(row for (row,) in cursor.fetchall())
    scanned = {word for word in plan.split() if word.startswith("event_2") and "_" not in word[6:]}
    assert 1 <= len(scanned) <= 2, plan
