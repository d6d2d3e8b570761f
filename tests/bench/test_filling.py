"""What PostgreSQL fills the tables with is what the benchmark says it measures."""

from datetime import datetime

import pytest
from django.db import connection

from bench import filling
from ingest import chunks
from ingest.models import Event, RollupMinute
from sources.models import Record

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = 2880


def filled() -> tuple[datetime, datetime]:
    span = filling.events(EVENTS)
    return datetime.fromisoformat(span["starts_at"]), datetime.fromisoformat(span["ends_at"])


def test_the_events_are_those_of_a_day_as_many_in_each_minute() -> None:
    starts_at, ends_at = filled()
    events = Event.objects.order_by("received_at", "id")
    assert (events.count(), events[0].received_at) == (EVENTS, starts_at)
    assert events.filter(received_at__lt=ends_at).count() == EVENTS
    minutes = list(RollupMinute.objects.values_list("minute", "type", "events"))
    assert sum(count for _, _, count in minutes) == EVENTS
    assert len({minute for minute, _, _ in minutes}) == EVENTS / 2
    assert {type for _, type, _ in minutes} == {"reading", "alarm", "status"}


def test_their_ids_and_payloads_are_like_those_that_are_sent() -> None:
    filled()
    found = list(Event.objects.order_by("received_at")[:100])
    assert all(chunks.is_id(event.id) and chunks.received_at(event.id) == event.received_at for event in found)
    assert {len(event.payload) for event in found} == {7}
    with connection.cursor() as cursor:
        cursor.execute("SELECT avg(octet_length(payload::text)) FROM event")
        assert 130 <= cursor.fetchone()[0] <= 190


def test_records_are_of_one_source() -> None:
    assert filling.records(50) == 50
    assert {record.source and record.source.name for record in Record.objects.all()} == {"bench"}
