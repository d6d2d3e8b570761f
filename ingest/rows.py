"""Events as rows of the table `event`."""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from ingest.chunks import received_at
from ingest.envelope import Event
from ingest.payload import copy_text

COLUMNS = ("id", "received_at", "time", "stream_id", "key", "type", "payload")
NULL = "\\N"
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Row(NamedTuple):
    """One event, its values as the text that PostgreSQL reads; `id` is 32 hexadecimal digits."""

    id: str
    received_at: str
    time: str | None
    stream_id: int
    key: str | None
    type: str | None
    payload: bytes


def rows_of(chunk_id: UUID, batches: Iterable[tuple[int, Iterable[Event]]]) -> list[Row]:
    """The rows of a chunk's batches."""
    head, received = chunk_id.hex[:28], received_at(chunk_id).isoformat(sep=" ", timespec="milliseconds")
    index = itertools.count()
    return [
        Row._make((f"{head}{next(index):04x}", received, time, stream_id, key, type_, payload))
        for stream_id, events in batches
        for key, type_, time, payload in events
    ]


def copy_lines(rows: Sequence[Row]) -> bytes:
    """Rows in PostgreSQL's COPY text format."""
    payloads = copy_payloads([row.payload for row in rows])
    return b"".join(
        [
            f"{id}\t{received}\t{time or NULL}\t{stream_id}\t{copy_field(key)}\t{copy_field(type_)}\t".encode()
            + payload
            + b"\n"
            for (id, received, time, stream_id, key, type_, _), payload in zip(rows, payloads, strict=True)
        ]
    )


def copy_payloads(payloads: list[bytes]) -> list[bytes]:
    """Escaped; one look at all of them together spares most of them one of their own."""
    together = b"".join(payloads)
    if any(character in together for character in (b"\\", b"\n", b"\r", b"\t")):
        return [copy_text(payload) for payload in payloads]
    return payloads


def copy_field(value: str | None) -> str:
    """A text, or null, as a field of PostgreSQL's COPY text format."""
    if value is None:
        return NULL
    return value if value.isalnum() else value.translate(ESCAPES)
