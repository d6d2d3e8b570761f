"""Storing in PostgreSQL: once, whole, and around what it refuses."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from ingest import chunks
from ingest.envelope import Event as Accepted
from ingest.models import DeadLetter, Duplicate, Event, FlushedChunk, RollupMinute, Stream
from ingest.writer import Written, write_chunks
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream

pytestmark = pytest.mark.django_db


@pytest.fixture
def stream() -> Stream:
    return make_stream()


def chunk_of(stream: Stream, *events: Accepted, now_ms: int | None = None) -> bytes:
    return chunks.encode(chunks.new_chunk_id(now_ms), [(stream.pk, list(events))])


def counts(written: Written) -> tuple[int, int, int]:
    return written.stored, written.duplicates, written.dead


def test_events_are_stored_with_what_was_read_from_them(stream: Stream) -> None:
    time = "2026-01-31T12:00:00.000001+00:00"
    chunk = chunk_of(stream, ("k", "t", time, b'{"a": 1.10}'), (None, None, None, b"{}"))
    write_chunks([chunk])
    first, second = Event.objects.order_by("id")
    assert first.id == chunks.id_of(chunk)
    assert (first.key, first.type, first.time and first.time.isoformat(), first.payload) == ("k", "t", time, {"a": 1.1})
    assert first.received_at == chunks.received_at(first.id)
    assert (second.key, second.type, second.time, second.stream) == (None, None, None, stream)


def test_tabs_newlines_and_backslashes_survive_in_every_column(stream: Stream) -> None:
    odd = 'a\tb\nc\\d\r\\N"{}'
    write_chunks([chunk_of(stream, (odd, odd, None, b'{"a":\t"\\\\n\\n",\r\n"b":2}'))])
    event = Event.objects.get()
    assert (event.key, event.type, event.payload) == (odd, odd, {"a": "\\n\n", "b": 2})


def test_a_chunk_is_stored_once_however_often_it_is_given(stream: Stream) -> None:
    chunk = chunk_of(stream, make_event(1), make_event(2))
    assert counts(write_chunks([chunk])) == (2, 0, 0)
    assert counts(write_chunks([chunk])) == (0, 0, 0)
    assert (Event.objects.count(), FlushedChunk.objects.get().events) == (2, 2)


def test_a_chunk_given_again_is_committed_again_so_that_it_leaves_the_buffer(stream: Stream) -> None:
    chunk = chunk_of(stream, make_event())
    write_chunks([chunk])
    written = write_chunks([chunk])
    assert written.committed == [chunks.id_of(chunk)]


def test_a_second_event_with_the_same_key_is_a_duplicate_of_the_first(stream: Stream) -> None:
    first, again = chunk_of(stream, make_event(1, key="k")), chunk_of(stream, make_event(2, key="k"))
    assert counts(write_chunks([first])) == (1, 0, 0)
    assert counts(write_chunks([again])) == (0, 1, 0)
    assert Duplicate.objects.get(id=chunks.id_of(again)).original == chunks.id_of(first)
    assert Event.objects.get().payload == {"number": 1}


def test_within_one_chunk_the_first_of_a_key_is_kept(stream: Stream) -> None:
    events = [make_event(n, key=key) for n, key in enumerate(["a", "b", "a", "a"])]
    assert counts(write_chunks([chunk_of(stream, *events)])) == (2, 2, 0)
    assert sorted(event.payload["number"] for event in Event.objects.all()) == [0, 1]


def test_the_same_key_in_another_stream_is_another_event(stream: Stream) -> None:
    other = make_stream("other")
    write_chunks([chunk_of(stream, make_event(key="k")), chunk_of(other, make_event(key="k"))])
    assert Event.objects.count() == 2


def test_a_key_older_than_the_window_is_new_again(stream: Stream, settings: Settings) -> None:
    settings.IDEMPOTENCY_WINDOW_HOURS = 24
    now = int(timezone.now().timestamp() * 1000)
    hour = 3_600_000
    for hours, expected in [
        (60, (1, 0, 0)),
        (37, (0, 1, 0)),
        (35, (1, 0, 0)),
        (12, (0, 1, 0)),
        (10, (1, 0, 0)),
    ]:
        chunk = chunk_of(stream, make_event(key="k"), now_ms=now - hours * hour)
        assert counts(write_chunks([chunk])) == expected, hours


def test_events_further_apart_than_the_window_are_no_duplicates_in_any_order(stream: Stream) -> None:
    now = int(timezone.now().timestamp() * 1000)
    old = chunk_of(stream, make_event(1, key="k"), now_ms=now - 400 * 3_600_000)
    new = chunk_of(stream, make_event(2, key="k"), now_ms=now)
    assert counts(write_chunks([new])) == (1, 0, 0)
    assert counts(write_chunks([old])) == (1, 0, 0)
    again = chunk_of(stream, make_event(3, key="k"), now_ms=now + 1)
    assert counts(write_chunks([again])) == (0, 1, 0)


def test_events_further_apart_than_the_window_are_no_duplicates_in_one_transaction(stream: Stream) -> None:
    now = int(timezone.now().timestamp() * 1000)
    chunks_ = [chunk_of(stream, make_event(key="k"), now_ms=now - hours * 3_600_000) for hours in (400, 0)]
    assert counts(write_chunks(chunks_)) == (2, 0, 0)


def test_keys_with_quotes_commas_and_braces_are_told_apart(stream: Stream) -> None:
    odd = ['"', "\\", "{", "}", ",", "a,b", '"a"', "NULL", " ", "ü", "a\nb"]
    events = [make_event(n, key=key) for n, key in enumerate(odd)]
    assert counts(write_chunks([chunk_of(stream, *events)])) == (len(odd), 0, 0)
    assert counts(write_chunks([chunk_of(stream, *events)])) == (0, len(odd), 0)


@pytest.mark.parametrize("bad", [[0], [6], [12], [0, 5, 6, 12], list(range(13))], ids=str)
def test_the_refused_become_dead_letters_and_the_others_are_stored(stream: Stream, bad: list[int]) -> None:
    events = [make_event(n, payload=BAD_PAYLOAD if n in bad else None) for n in range(13)]
    chunk = chunk_of(stream, *events)
    assert counts(write_chunks([chunk])) == (13 - len(bad), 0, len(bad))
    assert [letter.id for letter in DeadLetter.objects.order_by("id")] == [
        chunks.event_id(chunks.id_of(chunk), n) for n in bad
    ]
    assert Event.objects.count() == 13 - len(bad)


def test_a_dead_letter_keeps_the_event_whole_and_says_why(stream: Stream) -> None:
    time = "2026-01-31T12:00:00.000000+00:00"
    write_chunks([chunk_of(stream, ("k", "t", time, BAD_PAYLOAD))])
    letter = DeadLetter.objects.get()
    assert (letter.stream, letter.key, letter.type, letter.payload) == (
        stream,
        "k",
        "t",
        BAD_PAYLOAD.decode(),
    )
    assert letter.reason == "UntranslatableCharacter"
    assert "\\u0000 cannot be converted to text" in letter.detail


def test_a_refused_event_leaves_its_key_to_the_next(stream: Stream) -> None:
    events = [make_event(key="k", payload=BAD_PAYLOAD), make_event(2, key="k")]
    assert counts(write_chunks([chunk_of(stream, *events)])) == (1, 0, 1)
    assert Event.objects.get().payload == {"number": 2}


def test_a_chunk_that_cannot_be_read_is_kept_and_stops_nobody(stream: Stream) -> None:
    broken = chunks.new_chunk_id().bytes + b"nonsense"
    good = chunk_of(stream, make_event())
    written = write_chunks([broken, good])
    assert (written.stored, len(written.committed)) == (1, 2)
    letter = DeadLetter.objects.get()
    assert (letter.reason, letter.stream) == ("UndecodableChunk", None)


def test_the_minute_is_counted_with_the_events(stream: Stream) -> None:
    at = 1_795_000_000_000
    events = [make_event(1, key="k"), make_event(2, key="k"), make_event(3), make_event(payload=BAD_PAYLOAD)]
    write_chunks([chunk_of(stream, *events, now_ms=at)])
    write_chunks([chunk_of(stream, make_event(4), now_ms=at)])
    row = RollupMinute.objects.get()
    assert (row.stream, row.type, row.events, row.duplicates, row.dead) == (stream, "reading", 3, 1, 1)
    assert row.bytes == 3 * len(b'{"number":1}')
    assert row.minute == chunks.received_at(chunks.new_chunk_id(at)).replace(second=0, microsecond=0)


def test_a_flood_of_types_is_folded_in_the_counts(stream: Stream) -> None:
    events = [(None, f"type-{n}", None, b"{}") for n in range(250)]
    write_chunks([chunk_of(stream, *events)])
    assert RollupMinute.objects.count() == 101
    assert RollupMinute.objects.get(type="(other)").events == 150


@pytest.fixture
def event_table_missing() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE event RENAME TO event_gone")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE event_gone RENAME TO event")


@pytest.mark.usefixtures("event_table_missing")
def test_what_is_not_the_datas_fault_is_raised_and_nothing_stays(stream: Stream) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        write_chunks([chunk_of(stream, make_event(key="k"))])
    assert not FlushedChunk.objects.exists()
    assert not DeadLetter.objects.exists()


def test_an_event_of_a_day_without_partition_is_stored_in_the_net(stream: Stream) -> None:
    long_ago = int((timezone.now() - timedelta(days=400)).timestamp() * 1000)
    assert counts(write_chunks([chunk_of(stream, make_event(), now_ms=long_ago)])) == (1, 0, 0)
