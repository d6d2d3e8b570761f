"""Events and chunks for tests."""

from uuid import UUID

import orjson
import pytest

from ingest import buffer, chunks, pieces
from ingest.envelope import Event
from ingest.models import Stream


def make_stream(name: str = "sensors", **settings: object) -> Stream:
    return Stream.objects.create(name=name, **settings)


def make_event(number: int = 0, *, key: str | None = None, payload: bytes | None = None) -> Event:
    return key, "reading", None, orjson.dumps({"number": number}) if payload is None else payload


def push_chunk(stream: Stream, events: list[Event], *, shard: int = 0, now_ms: int | None = None) -> UUID:
    """Put events into the buffer as an accepted request would."""
    chunk_id = chunks.new_chunk_id(now_ms)
    assert buffer.push(shard, chunks.encode(chunk_id, [(stream.pk, events)]), len(events)) != buffer.FULL
    return chunk_id


BAD_PAYLOAD = b'{"nul": "\\u0000"}'
"""Refused by jsonb; acceptance would never let it through."""


def read_in_pieces(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Exports read so many rows at once."""
    for name in ("ROWS_A_PIECE", "ROWS_READ"):
        monkeypatch.setattr(pieces, name, rows)
