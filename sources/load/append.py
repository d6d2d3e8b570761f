"""Rows as events of a stream, through the buffer as if they had been posted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from threading import Event as Signal

from ingest.answers import count_events
from ingest.envelope import Event, Parsed, StreamRules, parse
from ingest.fields import MOST_CHARACTERS, read_type
from ingest.pusher import SHARE_BYTES, SHARE_EVENTS
from sources.definition import Append
from sources.errors import BadDefinition, RowRejected
from sources.keys import make_key
from sources.load import values
from sources.load.announcer import announcer
from sources.load.counts import Counts
from sources.load.intake import Intake
from sources.rows import Rejected, Row

PATIENCE_SECONDS = 60.0

Keyed = tuple[str, bytes]
"""An idempotency key and a row as JSON text."""


class Appender:
    """Appends rows to a stream, each stored once within the idempotency window however often it comes.

    An event's idempotency key is the row's key and its content: "<key>:<hash>", or "content:<hash>" where the source
    names no key. The content belongs to it, since a key alone would drop a changed row as a duplicate of what it was:
    the same row again is the same event, a changed row is a new one. So a page that is loaded again, by the next run
    or by the same after a crash, adds nothing; and what `load` has returned for needs no transaction.

    A type given in the definition is that of every event; else type, and time in any case, are read as the stream
    says, and its schema is enforced. `patience_seconds`: how long one push may wait for room in the buffer.
    """

    def __init__(self, spec: Append, patience_seconds: float = PATIENCE_SECONDS, ended: Signal | None = None) -> None:
        """Makes the stream, so not inside a transaction: events in the buffer would outlive it. Raises BadDefinition,
        LoadFailed, LoadDelayed.
        """
        if spec.type and (read_type(spec.type) is None or "\0" in spec.type):
            raise BadDefinition(f"load.type: at most {MOST_CHARACTERS} characters, and no NUL.")
        self._intake = Intake(spec.stream, patience_seconds, ended)
        self._key = make_key(spec.key) if spec.key else None
        self._type = spec.type or None
        self._intake.stream()

    def load(self, rows: Iterable[Row], now: datetime) -> Counts:
        """Return once the events are in the buffer. Raises LoadFailed, LoadDelayed, Cancelled; rows may then be
        appended or not.

        `now` is for other loaders: an event tells itself when it was accepted.
        """
        return self.prepare(rows)(now)

    def prepare(self, rows: Iterable[Row], most_bytes: int | None = None) -> Callable[[datetime], Counts]:
        """Rows made ready, as may be done beside the loading of others; call what is given to load them.

        It takes rows until they have so many bytes, and keeps no row.
        """
        counts, size, most = Counts(), 0, most_bytes or 1 << 62
        kept: list[Keyed] = []
        for row in rows:
            try:
                text, hash = values.encode_and_hash(row)
                kept.append((self._idempotency_key(row, hash.hex()), text))
            except RowRejected as rejection:
                counts.reject(row, rejection)
                continue
            size += len(text)
            if size >= most:
                break
        return lambda now: self._load(kept, counts)

    def _load(self, kept: Sequence[Keyed], counts: Counts) -> Counts:
        stream = self._intake.stream()
        for piece in _pieces(kept):
            parsed, events = self._events(piece, stream.rules)
            if events:
                self._intake.push(stream, events, sum(len(payload) for *_, payload in events))
            count_events(parsed)
            counts.appended += len(events)
            counts.rejected += [
                Rejected("load", code, values.of_row(detail), values.row_of(piece[index][1]))
                for index, code, detail in parsed.rejections
            ]
        return counts

    def finish(self, now: datetime) -> Counts:
        """Announce what has not been announced yet."""
        announcer().flush()
        return Counts()

    def committed(self) -> None:
        """Nothing is left to do."""

    def _idempotency_key(self, row: Row, hash: str) -> str:
        """Cut short, a key is no other's: the hash is of all the row."""
        key = "content" if self._key is None else self._key(row)
        return f"{key[: MOST_CHARACTERS - 1 - len(hash)]}:{hash}"

    def _events(self, piece: Sequence[Keyed], rules: StreamRules) -> tuple[Parsed, list[Event]]:
        lines = b"\n".join([text for _, text in piece])
        parsed = parse(lines, "application/x-ndjson", {}, _without_key(rules), values.limits())
        keys = [key for key, _ in piece]
        if parsed.indexes is not None:
            keys = [keys[index] for index in parsed.indexes]
        events: list[Event] = [
            (key, self._type or type_, time, payload)
            for key, (_, type_, time, payload) in zip(keys, parsed.events, strict=True)
        ]
        return parsed, events


def _without_key(rules: StreamRules) -> StreamRules:
    """What a posted event would be refused for, a key that is too long, does not matter here."""
    return StreamRules("-", rules.time_path, rules.type_path, rules.validator, rules.schema_mode)


def _pieces(kept: Sequence[Keyed]) -> Iterator[Sequence[Keyed]]:
    """Of as many events and bytes as chunks should have."""
    start = size = 0
    for place, (_, text) in enumerate(kept):
        if place > start and (size + len(text) > SHARE_BYTES or place - start >= SHARE_EVENTS):
            yield kept[start:place]
            start, size = place, 0
        size += len(text)
    if start < len(kept):
        yield kept[start:]
