"""Counts by stream, type and minute, kept exact by being written in the transaction that stores the events."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection

from ingest.rows import Row

OTHER_TYPES = "(other)"
MOST_TYPES = 100
MINUTE_CHARACTERS = len("2026-01-31 12:34")

Slot = tuple[int, str, str]


@dataclass(slots=True)
class Tally:
    """What one transaction did, by stream, time of receipt and type."""

    events: Counter[Slot] = field(default_factory=Counter)
    bytes: Counter[Slot] = field(default_factory=Counter)
    duplicates: Counter[Slot] = field(default_factory=Counter)
    dead: Counter[Slot] = field(default_factory=Counter)

    def count_stored(self, rows: Sequence[Row]) -> None:
        slots = [slot_of(row) for row in rows]
        self.events.update(slots)
        sizes = self.bytes
        for slot, row in zip(slots, rows, strict=True):
            sizes[slot] += len(row.payload)

    def slots(self) -> list[Slot]:
        return sorted({*self.events, *self.duplicates, *self.dead})


def slot_of(row: Row) -> Slot:
    return row.stream_id, row.received_at, row.type or ""


def add(tally: Tally) -> None:
    """Add to the per-minute counts. A flood of types of one stream is counted as OTHER_TYPES past MOST_TYPES."""
    sums = _fold(tally)
    if not sums:
        return
    columns = [list(column) for column in zip(*((*slot, *counts) for slot, counts in sums.items()), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rollup_minute AS old (stream_id, minute, type, events, bytes, duplicates, dead)"
            " SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[],"
            "  %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
            " ON CONFLICT (stream_id, minute, type) DO UPDATE SET events = old.events + excluded.events,"
            "  bytes = old.bytes + excluded.bytes, duplicates = old.duplicates + excluded.duplicates,"
            "  dead = old.dead + excluded.dead",
            columns,
        )


def _fold(tally: Tally) -> dict[Slot, list[int]]:
    """By minute, in one order for all workers: so their upserts cannot lock each other out."""
    types: dict[tuple[int, str], set[str]] = defaultdict(set)
    sums: dict[Slot, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for slot in tally.slots():
        stream_id, received_at, type_ = slot
        minute = received_at[:MINUTE_CHARACTERS]
        known = types[stream_id, minute]
        if type_ not in known and len(known) >= MOST_TYPES:
            type_ = OTHER_TYPES
        known.add(type_)
        counts = (tally.events[slot], tally.bytes[slot], tally.duplicates[slot], tally.dead[slot])
        row = sums[stream_id, minute, type_]
        row[:] = [old + new for old, new in zip(row, counts, strict=True)]
    return dict(sorted(sums.items()))
