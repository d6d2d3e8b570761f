"""The events that are sent, and the rows that they become."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from bench.load import post
from ingest import chunks
from ingest.envelope import Limits, StreamRules, parse
from ingest.rows import copy_lines, rows_of

STREAM = "bench"
PATH = f"/api/streams/{STREAM}/events/"
BATCH = 500


@dataclass(frozen=True, slots=True)
class Batches:
    """Events as bodies of BATCH each."""

    bodies: list[bytes]
    events: int

    @property
    def mean_event_bytes(self) -> float:
        """Without the commas and brackets between them."""
        return (sum(map(len, self.bodies)) - self.events - len(self.bodies)) / self.events

    def requests(self, key: str) -> list[bytes]:
        return [post(body, PATH, key) for body in self.bodies]

    def copy_blocks(self, stream_id: int) -> list[bytes]:
        """The rows that the service makes of them, in COPY's text format, a block for each body."""
        return [_block(body, stream_id) for body in self.bodies]


def make_batches(events: int, with_ids: bool) -> Batches:
    numbers = range(events)
    pieces = [numbers[start : start + BATCH] for start in range(0, events, BATCH)]
    return Batches([orjson.dumps([event(n, with_ids) for n in piece]) for piece in pieces], events)


def single_requests(count: int, key: str) -> list[bytes]:
    return [post(orjson.dumps(event(number, with_id=False)), PATH, key) for number in range(count)]


def batch_requests(numbers: range, batch: int, key: str, padding: int = 0) -> list[bytes]:
    """Events with these numbers as `reading`, so many a request; each longer by so many bytes."""
    pieces = [numbers[start : start + batch] for start in range(0, len(numbers), batch)]
    longer = {"note": "x" * padding} if padding else {}
    return [post(orjson.dumps([{**event(n, with_id=False), **longer} for n in piece]), PATH, key) for piece in pieces]


def event(number: int, with_id: bool) -> dict[str, object]:
    chance = random.Random(number)
    head = {"id": f"reading-{number:08}"} if with_id else {}
    return {
        **head,
        "type": ("reading", "alarm", "status")[number % 3],
        "time": f"2026-01-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:00Z",
        "site": "north",
        "sensor": f"greenhouse-{number % 24:02}",
        "reading": number,
        "celsius": round(chance.gauss(21.5, 2.0), 2),
        "humidity": round(chance.uniform(35.0, 80.0), 1),
    }


def _block(body: bytes, stream_id: int) -> bytes:
    parsed = parse(body, "application/json", {}, StreamRules(), Limits())
    return copy_lines(rows_of(chunks.new_chunk_id(), [(stream_id, parsed.events)]))


def blocks_of(blocks: list[bytes], size: int = 1 << 18) -> Iterator[bytes]:
    """The same bytes in pieces of about that size: what a single COPY is fastest with."""
    gathered: list[bytes] = []
    for block in blocks:
        gathered.append(block)
        if sum(map(len, gathered)) >= size:
            yield b"".join(gathered)
            gathered = []
    if gathered:
        yield b"".join(gathered)
