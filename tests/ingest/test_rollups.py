"""Totals and counts by minute: exact, bounded, and no cause of a deadlock."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from ingest import chunks, rollups
from ingest.dead_letters import replay
from ingest.models import DeadLetter, RollupMinute, RollupTotal, Stream
from ingest.rollups import MOST_TYPES, OTHER_TYPES, Tally
from ingest.writer import write_chunks
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream

AT_MS = 1_795_000_000_000


def write(stream: Stream, *types: str | None, now_ms: int = AT_MS) -> None:
    events = [(None, type_, None, b"{}") for type_ in types]
    write_chunks([chunks.encode(chunks.new_chunk_id(now_ms), [(stream.pk, events)])])


@pytest.mark.django_db
def test_totals_are_the_sums_of_all_minutes() -> None:
    sensors, doors = make_stream(), make_stream("doors")
    for minute in range(3):
        write(sensors, "a", "b", None, now_ms=AT_MS + 60_000 * minute)
    write(doors, "a")
    events = [make_event(1, key="k"), make_event(2, key="k"), make_event(payload=BAD_PAYLOAD)]
    write_chunks([chunks.encode(chunks.new_chunk_id(AT_MS), [(doors.pk, events)])])
    columns = ("events", "bytes", "duplicates", "dead")
    for stream in (sensors, doors):
        sums = RollupMinute.objects.filter(stream=stream).aggregate(**{name: Sum(name) for name in columns})
        assert RollupTotal.objects.filter(stream=stream).values(*columns).get() == sums
    assert (RollupTotal.objects.get(stream=doors).events, RollupTotal.objects.get(stream=doors).dead) == (2, 1)


@pytest.mark.django_db
def test_the_last_minute_is_that_of_the_newest_stored_event() -> None:
    stream = make_stream()
    dead = chunks.encode(chunks.new_chunk_id(AT_MS + 9 * 60_000), [(stream.pk, [make_event(payload=BAD_PAYLOAD)])])
    write_chunks([dead])
    assert RollupTotal.objects.get().last_minute is None
    for minute in (5, 0):
        write(stream, "a", now_ms=AT_MS + minute * 60_000)
    newest = datetime.fromtimestamp(AT_MS // 60_000 * 60 + 5 * 60, UTC)
    assert RollupTotal.objects.get().last_minute == newest


@pytest.mark.django_db
def test_a_replay_moves_its_events_from_dead_to_stored_in_the_totals() -> None:
    stream = make_stream()
    write_chunks([chunks.encode(chunks.new_chunk_id(AT_MS), [(stream.pk, [make_event(payload=BAD_PAYLOAD)] * 2)])])
    DeadLetter.objects.update(payload="{}")
    replay(DeadLetter.objects.all())
    total = RollupTotal.objects.get()
    assert (total.events, total.dead, total.bytes) == (2, 0, 4)


@pytest.mark.django_db
def test_a_minute_never_has_more_types_than_the_most_however_they_arrive() -> None:
    stream = make_stream()
    for flush in range(8):
        write(stream, None, *(f"type-{flush}-{n}" for n in range(30)))
    assert RollupMinute.objects.count() == MOST_TYPES + 2
    assert RollupMinute.objects.get(type=OTHER_TYPES).events == 8 * 30 - MOST_TYPES
    assert RollupMinute.objects.get(type="").events == 8
    assert RollupTotal.objects.get().events == 8 * 31


@pytest.mark.django_db
def test_a_type_that_is_counted_by_its_name_goes_on_so_when_the_minute_is_full() -> None:
    stream = make_stream()
    write(stream, *(f"type-{n}" for n in range(MOST_TYPES + 1)))
    write(stream, "type-0", "new")
    assert RollupMinute.objects.get(type="type-0").events == 2
    assert not RollupMinute.objects.filter(type="new").exists()


@pytest.mark.django_db
def test_every_stream_and_minute_has_its_own_most() -> None:
    types = [f"type-{n}" for n in range(MOST_TYPES)]
    write(make_stream(), *types)
    write(make_stream("doors"), *types)
    write(Stream.objects.get(name="doors"), *types, now_ms=AT_MS + 60_000)
    assert RollupMinute.objects.count() == 3 * MOST_TYPES
    assert not RollupMinute.objects.filter(type=OTHER_TYPES).exists()


@pytest.mark.django_db(transaction=True)
def test_workers_that_count_the_same_streams_at_once_do_not_lock_each_other_out() -> None:
    def work(streams: list[Stream]) -> None:
        try:
            for _ in range(25):
                tally = Tally()
                for stream in streams:
                    tally.events.update((stream.pk, "2026-01-31 12:34:56", type_) for type_ in "ab")
                with transaction.atomic():
                    rollups.add(tally)
        finally:
            connection.close()

    streams = [make_stream(f"s{n}") for n in range(20)]
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(work, order) for order in (streams, streams[::-1], streams[10:] + streams[:10])]:
            done.result()
    assert list(RollupTotal.objects.values_list("events", flat=True)) == [150] * 20


@pytest.mark.django_db
def test_the_migration_begins_with_what_was_counted_before() -> None:
    stream = make_stream()
    write(stream, "a", "b")
    write(stream, "a", now_ms=AT_MS + 60_000)
    expected = RollupTotal.objects.values().get()
    RollupTotal.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(import_module("ingest.migrations.0003_rollup_total").FILL)
    assert RollupTotal.objects.values().get() == expected
