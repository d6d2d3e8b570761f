from datetime import UTC, datetime
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import chunks

MS = 1_795_000_000_123


@given(st.integers(0, (1 << 48) - 1), st.integers(0, chunks.MOST_EVENTS - 1))
def test_an_event_id_leads_back_to_its_chunk_and_place(now_ms: int, index: int) -> None:
    chunk_id = chunks.new_chunk_id(now_ms)
    assert chunks.chunk_of(chunks.event_id(chunk_id, index)) == (chunk_id, index)


def test_ids_are_version_7_uuids_of_the_millisecond_of_receipt() -> None:
    id = chunks.event_id(chunks.new_chunk_id(MS), 41)
    assert (id.version, id.variant) == (7, RFC_4122)
    assert chunks.received_at(id) == datetime.fromtimestamp(MS // 1000, UTC).replace(microsecond=123_000)


def test_ids_of_the_same_millisecond_differ() -> None:
    assert len({chunks.new_chunk_id(MS) for _ in range(1000)}) == 1000


def test_later_ids_are_greater() -> None:
    assert chunks.event_id(chunks.new_chunk_id(MS), 65535) < chunks.new_chunk_id(MS + 1)


def test_the_first_id_of_a_moment_divides_before_from_after() -> None:
    moment = chunks.received_at(chunks.new_chunk_id(MS))
    assert chunks.new_chunk_id(MS - 1) < chunks.first_id_at(moment) <= chunks.new_chunk_id(MS)


def test_a_chunk_is_read_as_it_was_written() -> None:
    chunk_id = chunks.new_chunk_id()
    batches: chunks.Batches = [
        (7, [("k", "t", "2026-01-31T00:00:00.000000+00:00", b"{}")]),
        (8, [(None, None, None, b'{"a":1}')]),
    ]
    chunk = chunks.encode(chunk_id, batches)
    assert chunks.id_of(chunk) == chunk_id
    assert chunks.decode(chunk) == batches


@pytest.mark.parametrize("body", [b"", b"nonsense", b"\x92\x02\x90"], ids=["empty", "nonsense", "version 2"])
def test_what_is_no_chunk_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(chunks.UndecodableChunk):
        chunks.decode(chunks.new_chunk_id().bytes + body)
