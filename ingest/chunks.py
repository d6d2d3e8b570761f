"""Chunks: the events of one push, as they lie in the buffer, and the ids that follow from them.

A chunk is its 16-byte id and a MessagePack array `[version, [[stream_id, [event, …]], …]]`; an event is
`[key, type, time, payload]` as `ingest.envelope` made it.

Ids. A chunk's id is a UUIDv7 (RFC 9562, section 5.7) whose last 16 bits are zero: 48 bits of Unix milliseconds, 58
random bits. The n-th event of a chunk has the chunk's id plus n. So an event's id tells when it was received and
which chunk it came in, ids ascend with the time of acceptance, and none of them has to be stored in the buffer.
"""

import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from ingest.envelope import Event

VERSION = 1
ID_BYTES = 16
MOST_EVENTS = 1 << 16
END_OF_TIME_MS = 253_402_300_800_000  # the year 10000
_LOW = MOST_EVENTS - 1

Batches = Sequence[tuple[int, Sequence[Event]]]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(
    tuple[int, list[tuple[int, list[tuple[str | None, str | None, str | None, bytes]]]]]
).decode


class UndecodableChunk(ValueError):
    """The bytes are not a chunk of a version that this program knows."""


def new_chunk_id(now_ms: int | None = None) -> UUID:
    """A new chunk's id, for events received at `now_ms` (Unix milliseconds)."""
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    random = secrets.randbits(58)
    head = (now_ms << 80) | (0x7 << 76) | ((random >> 46) << 64)
    return UUID(int=head | (0b10 << 62) | ((random & ((1 << 46) - 1)) << 16))


def event_id(chunk_id: UUID, index: int) -> UUID:
    return UUID(int=chunk_id.int + index)


def chunk_of(event_id: UUID) -> tuple[UUID, int]:
    """The id of the chunk in which an event came, and its place there."""
    return UUID(int=event_id.int & ~_LOW), event_id.int & _LOW


def received_at(any_id: UUID) -> datetime:
    """When it was accepted, to the millisecond, in UTC."""
    seconds, milliseconds = divmod(any_id.int >> 80, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)


def is_id(any_id: UUID) -> bool:
    """Whether it can be one of ours, and so has a time."""
    return any_id.version == 7 and any_id.int >> 80 < END_OF_TIME_MS


def first_id_at(moment: datetime) -> UUID:
    """The smallest id of its millisecond: ids below it were received before."""
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (0x7 << 76) | (0b10 << 62))


def encode(chunk_id: UUID, batches: Batches) -> bytes:
    return chunk_id.bytes + _encode((VERSION, batches))


def id_of(chunk: bytes) -> UUID:
    return UUID(bytes=chunk[:ID_BYTES])


def decode(chunk: bytes) -> list[tuple[int, list[Any]]]:
    """The batches of a chunk. Raises UndecodableChunk."""
    try:
        version, batches = _decode(memoryview(chunk)[ID_BYTES:])
    except msgspec.MsgspecError as error:
        raise UndecodableChunk(str(error)) from error
    if version != VERSION:
        raise UndecodableChunk(f"chunk version {version}, this program knows {VERSION}")
    return batches
