"""Counting what the processes of the service do, on any number of machines, for `/metrics`.

Keys in REDIS_URL (the braces keep them in one slot of a cluster):

    {dh:metrics}              hash    name and labels ("requests status=202") → sum over all processes, ever
    {dh:metrics}:gauges       hash    process → "Unix seconds" + space + JSON of its gauges
    {dh:metrics}:batch:P      string  number of the last increments that process P added; expires

`count` touches memory alone. A thread adds the increments of a process to the sums once a second, in one script, and
what could not be added is kept and added later, once. A process that is killed takes at most a second of counts along.
"""

import atexit
import os
import secrets
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
import redis
from django.conf import settings

from access.connections import connections

SUMS, GAUGES = "{dh:metrics}", "{dh:metrics}:gauges"
INTERVAL_SECONDS = 1.0
TIMEOUT_SECONDS = 2.0
STALE_SECONDS = 15
BATCH_EXPIRY_SECONDS = 86_400
BUCKETS_SECONDS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

Key = tuple[str, tuple[tuple[str, str], ...]]
"""Name and labels."""

# KEYS sums, gauges, batch. ARGV process, number of the increments, its gauges as JSON or '', then field and increment
# in turn. Increments with the number of the last ones were added already. A process that is new here sweeps out those
# that ended without a word.
ADD = f"""
local now = tonumber(redis.call('TIME')[1])
if ARGV[3] ~= '' and redis.call('HSET', KEYS[2], ARGV[1], now .. ' ' .. ARGV[3]) == 1 then
  local all = redis.call('HGETALL', KEYS[2])
  for i = 1, #all, 2 do
    if tonumber(string.match(all[i + 1], '^%d+')) < now - {STALE_SECONDS} then redis.call('HDEL', KEYS[2], all[i]) end
  end
end
if #ARGV == 3 or redis.call('GET', KEYS[3]) == ARGV[2] then return 0 end
redis.call('SET', KEYS[3], ARGV[2], 'EX', {BATCH_EXPIRY_SECONDS})
for i = 4, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 1
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts since Redis was last empty, and the sums of the gauges of all processes that live."""

    counts: dict[Key, int]
    gauges: dict[Key, float]


class Counters:
    """Those of one process."""

    def __init__(self) -> None:
        self._counting, self._sending = threading.Lock(), threading.Lock()
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._gauges: dict[str, float] = {}
        self._process = secrets.token_hex(8)
        self._number = 0
        self._unsent: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def count(self, name: str, n: int = 1, **labels: str | int) -> None:
        """Add to a count. Labels: of a small fixed set, without spaces, always in the same order.

        They may stand in the name, as they do in Redis ("requests status=202"): half a microsecond less.
        """
        field = _field(name, labels) if labels else name
        self._counting.acquire()  # half the time of `with`
        try:
            self._counts[field] += n
        finally:
            self._counting.release()
        if self._thread is None:
            self._start()

    def gauge(self, name: str, value: float, **labels: str | int) -> None:
        """Say how much of something this process has now; what all have is summed."""
        with self._counting:
            self._gauges[_field(name, labels)] = value
        if self._thread is None:
            self._start()

    def observe(self, name: str, seconds: float) -> None:
        """Add to a histogram of durations."""
        place = bisect_left(BUCKETS_SECONDS, seconds)
        self.count(f"{name}_seconds", le=str(BUCKETS_SECONDS[place]) if place < len(BUCKETS_SECONDS) else "+Inf")
        self.count(f"{name}_microseconds", round(seconds * 1e6))

    def flush(self) -> None:
        """Add what was counted to the sums. Raises redis.RedisError; then it is added the next time."""
        with self._sending:
            if self._unsent:
                self._send()
            self._take()
            self._send()

    def close(self) -> None:
        """Add what was counted, if Redis is there, and take back the gauges."""
        self._ended.set()
        with suppress(redis.RedisError):
            self.flush()
            if self._gauges:
                client().hdel(GAUGES, self._process)

    def forget(self) -> None:
        """In a process that was just forked: what was counted is the parent's, and so is the thread."""
        self.__init__()  # type: ignore[misc]

    def _take(self) -> None:
        with self._counting:
            self._unsent = {field: n for field, n in self._counts.items() if n}
            self._counts.clear()
        self._number += 1

    def _send(self) -> None:
        with self._counting:
            gauges = dict(self._gauges)
        if not self._unsent and not gauges:
            return
        increments = [part for item in self._unsent.items() for part in item]
        _add()(
            [SUMS, GAUGES, f"{SUMS}:batch:{self._process}"],
            [self._process, self._number, orjson.dumps(gauges) if gauges else "", *increments],
        )
        self._unsent = {}

    def _start(self) -> None:
        with self._counting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="counters", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL_SECONDS):
            with suppress(redis.RedisError):
                self.flush()


def read() -> Reading:
    """Raises redis.RedisError."""
    with client().pipeline(transaction=False) as pipeline:
        pipeline.time()
        pipeline.hgetall(SUMS)
        pipeline.hgetall(GAUGES)
        (now, _), sums, gauges = pipeline.execute()
    return Reading(
        counts={_key(field): int(n) for field, n in sums.items()},
        gauges=_summed(gauges.values(), oldest=now - STALE_SECONDS),
    )


def _summed(processes: Iterable[bytes], oldest: int) -> dict[Key, float]:
    sums: defaultdict[Key, float] = defaultdict(float)
    for process in processes:
        at, _, gauges = process.partition(b" ")
        if int(at) >= oldest:
            for field, value in orjson.loads(gauges).items():
                sums[_key(field.encode())] += value
    return dict(sums)


def _field(name: str, labels: Mapping[str, str | int]) -> str:
    return " ".join([name, *(f"{label}={value}" for label, value in labels.items())])


def _key(field: bytes) -> Key:
    name, *labels = field.decode().split(" ")
    return name, tuple((label, value) for label, _, value in (part.partition("=") for part in labels))


def client() -> "redis.Redis":
    return connections(settings.REDIS_URL, TIMEOUT_SECONDS)


@cache
def _add() -> Any:
    return client().register_script(ADD)


_process = Counters()
os.register_at_fork(after_in_child=_process.forget)
atexit.register(_process.close)

count = _process.count
gauge = _process.gauge
observe = _process.observe
flush = _process.flush
