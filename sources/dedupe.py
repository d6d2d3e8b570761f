"""Rows that came before, within a window of time, are left out.

Redis: {dh:seen:SOURCE} is a sorted set; its members are marks, the 16-byte hashes of rows or of their keys, scored with
the Unix seconds at which they were let through. Every batch drops what has left the window, and the whole is gone
`window_seconds` after the last one. About 75 bytes a mark.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any

import redis
from django.conf import settings

from access.connections import connections
from sources import definition
from sources.errors import RowRejected
from sources.keys import HASH_BYTES, content_hash, make_key
from sources.rows import Row

MOST_MARKS = 1_000_000
MARKS_A_CALL = 1000
TIMEOUT_SECONDS = 2.0
AWAY_SECONDS = 30.0

log = logging.getLogger(__name__)


class Dedupe:
    """For one run of one source. A row counts as one that came before

    - if it came earlier in this run: among the last 500,000 to 1,000,000 different rows for certain;
    - if an earlier run, or this one, let it through and committed it within the window. The window begins when the row
      was let through; that it comes again does not prolong it.

    Nothing is left out that was not committed, as long as `remember` follows the commit and `forget` a rollback: what a
    run has not remembered, the next one lets through again. So do rows that are new when Redis is away, which costs one
    line in the log and a pause of 30 s before it is asked again; and of more than 1,000,000 rows let through before one
    `remember`, the first. A row without a key is compared by its content. Raises BadDefinition.
    """

    def __init__(self, spec: definition.Dedupe, source_id: int, now: Callable[[], float] = time.time) -> None:
        self._mark = _by_key(spec.key) if spec.by == "key" else content_hash
        self._marks = f"{{dh:seen:{source_id}}}"
        self._window_seconds = spec.window_seconds
        self._now = now
        self._run = _Recent(MOST_MARKS // 2)
        self._pending: deque[bytes] = deque(maxlen=MOST_MARKS)
        self._ask_after = 0.0
        self._has_complained = False

    def unseen(self, rows: Sequence[Row]) -> list[bool]:
        """For each row whether it goes on: the first of its mark, in this batch, this run and the window."""
        marks = [self._try_to_mark(row) for row in rows]
        new = list(dict.fromkeys(mark for mark in marks if mark is not None and mark not in self._run))
        fresh = {mark for mark, is_known in zip(new, self._known(new), strict=True) if not is_known}
        self._run.add(new)
        self._pending.extend(mark for mark in new if mark in fresh)
        return [mark is None or _taken(fresh, mark) for mark in marks]

    def remember(self) -> None:
        """Call after the commit of what was let through. What Redis does not take now, it is given the next time."""
        while self._pending and self._is_reachable():
            marks = list(islice(self._pending, MARKS_A_CALL))
            try:
                self._enter(marks)
            except redis.RedisError as error:
                self._away(error)
                return
            for _ in marks:
                self._pending.popleft()

    def forget(self) -> None:
        """Call after a rollback: what was let through since the last `remember` is new again."""
        self._run.discard(self._pending)
        self._pending.clear()

    def _try_to_mark(self, row: Row) -> bytes | None:
        try:
            return self._mark(row)
        except RowRejected:  # it cannot be written as JSON: let others say so
            return None

    def _known(self, marks: list[bytes]) -> list[bool]:
        if not marks or not self._is_reachable():
            return [False] * len(marks)
        oldest = self._now() - self._window_seconds
        try:
            pieces = [marks[at : at + MARKS_A_CALL] for at in range(0, len(marks), MARKS_A_CALL)]
            scores = [score for piece in pieces for score in _client().zmscore(self._marks, piece)]
        except redis.RedisError as error:
            self._away(error)
            return [False] * len(marks)
        return [score is not None and score > oldest for score in scores]

    def _enter(self, marks: list[bytes]) -> None:
        now = self._now()
        with _client().pipeline(transaction=False) as pipeline:
            pipeline.zadd(self._marks, dict.fromkeys(marks, now))
            pipeline.zremrangebyscore(self._marks, "-inf", now - self._window_seconds)
            pipeline.pexpire(self._marks, int(self._window_seconds * 1000) + 1)
            pipeline.execute()

    def _is_reachable(self) -> bool:
        return time.monotonic() >= self._ask_after

    def _away(self, error: redis.RedisError) -> None:
        self._ask_after = time.monotonic() + AWAY_SECONDS
        if not self._has_complained:
            self._has_complained = True
            log.warning("%s: rows that came before are let through, for Redis is away: %s", self._marks, error)


class _Recent:
    """The marks added last: between `size` and twice as many, whatever is added."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._newer: set[bytes] = set()
        self._older: set[bytes] = set()

    def __contains__(self, mark: bytes) -> bool:
        return mark in self._newer or mark in self._older

    def add(self, marks: Iterable[bytes]) -> None:
        self._newer.update(marks)
        if len(self._newer) >= self._size:
            self._older, self._newer = self._newer, set()

    def discard(self, marks: Iterable[bytes]) -> None:
        gone = set(marks)
        self._newer -= gone
        self._older -= gone


def _taken(fresh: set[bytes], mark: bytes) -> bool:
    if mark not in fresh:
        return False
    fresh.discard(mark)
    return True


def _by_key(paths: list[str]) -> Callable[[Row], bytes]:
    key = make_key(paths)

    def mark(row: Row) -> bytes:
        try:
            return blake2b(key(row).encode(), digest_size=HASH_BYTES, person=b"key").digest()
        except RowRejected:
            return content_hash(row)

    return mark


def _client() -> Any:
    return connections(settings.REDIS_URL, TIMEOUT_SECONDS)
