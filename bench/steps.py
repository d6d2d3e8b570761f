"""Steps of the live feed, timed one by one in a process set up as the service's: `main` prints JSON.

Figures are seconds; those of requests and announcements of CPU time, of all threads.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from bench.events import BATCH, STREAM, event, make_batches
from data_handler.celery import app
from data_handler.garbage import collect_rarely
from ingest import chunks, feed
from ingest.announce import Announcer, as_json
from ingest.envelope import Limits, Parsed, StreamRules, parse
from ingest.feed import Position
from ingest.models import Stream
from ingest.pusher import Pushed, Pusher
from monitor import filters
from monitor.batches import Batch
from monitor.filters import Filter
from monitor.subscriptions import Subscription

_T = TypeVar("_T")

BATCHES = 200
ANNOUNCEMENTS = 100
SHOWN = 200
PADDING = 60
REPEATS = 100


def main() -> None:
    app.set_current()
    collect_rarely()
    print(orjson.dumps(measure()).decode())


def measure() -> dict[str, float]:
    stream_id = Stream.objects.get(name=STREAM).pk
    return {
        "silent": asyncio.run(_requests(stream_id, announced=False)),
        "announced": asyncio.run(_requests(stream_id, announced=True)),
        "announcement": asyncio.run(_announcement()),
        **_steps(),
    }


async def _requests(stream_id: int, announced: bool) -> float:
    """For each event: parse it, push it into the buffer, and announce it or not."""
    producer = feed.new_producer()
    pusher, announcer = Pusher(producer), Announcer(producer) if announced else None
    bodies = make_batches(BATCH * BATCHES, with_ids=False).bodies
    await pusher.push(stream_id, [])  # connects
    began = time.process_time()
    for body in bodies:
        parsed = _parsed(body)
        pushed = await pusher.push(stream_id, parsed.events)
        if announcer:
            announcer.add(STREAM, pushed, parsed.events)
    if announcer:
        await announcer.flush()
    spent = time.process_time() - began
    await pusher.close()
    if announcer:
        announcer.close()
    return spent / (BATCH * BATCHES)


async def _announcement() -> float:
    """For each announcement, with as many events shown as there may be: gather, enter into the log, ring."""
    announcer = Announcer(feed.new_producer())
    events = _parsed(make_batches(BATCH, with_ids=False).bodies[0]).events
    spent = []
    for _ in range(ANNOUNCEMENTS):
        began = time.process_time()
        announcer.add(STREAM, Pushed(chunks.new_chunk_id(), 0, 0, 100), events)
        await announcer.flush()
        spent.append(time.process_time() - began)
    announcer.close()
    return statistics.median(spent)


def _parsed(body: bytes) -> Parsed:
    return parse(body, "application/json", {}, StreamRules(), Limits())


def _steps() -> dict[str, float]:
    """Each on new copies of one batch, for nothing may be known from before."""
    by_type = Filter(type="rea*")
    by_payload = Filter(words=filters.parse("payload.celsius>=22"))
    by_text = Filter(words=filters.parse("greenhouse-07"))
    return {
        "decode": _timed(lambda: None, lambda _: _batch()),
        "match a glob for the type": _timed(_batch, lambda batch: batch.matching(by_type)),
        "match a filter of the payload": _timed(_batch, lambda batch: batch.matching(by_payload)),
        "match a text anywhere": _timed(_batch, lambda batch: batch.matching(by_text)),
        "match what was matched before": _timed(_matched, lambda batch: batch.matching(Filter())),
        "make a frame for one client": _timed(_matched, _serve),
    }


def _batch() -> Batch:
    return Batch.of_message(_MESSAGE)


def _matched() -> Batch:
    batch = _batch()
    batch.matching(Filter())
    return batch


def _serve(batch: Batch) -> str:
    subscription = Subscription("feed", Filter(), Position(batch.epoch, batch.first - 1))
    subscription.on_batch(batch)
    return subscription.encode(subscription.take(0.0)[0])


def _message() -> dict[str, Any]:
    """As a process that watches receives it."""
    chunk_id = chunks.new_chunk_id()
    payloads = [{**event(number, with_id=False), "note": "x" * PADDING} for number in range(SHOWN)]
    events = [(payload["type"], orjson.dumps(payload)) for payload in payloads]
    shown = [
        [STREAM, type, as_json(STREAM, chunks.event_id(chunk_id, place), (None, str(type), None, payload))]
        for place, (type, payload) in enumerate(events)
    ]
    counts = [[STREAM, type, number] for type, number in Counter(type for type, _ in events).items()]
    return {"epoch": "e", "from": 1, "to": SHOWN, "counts": orjson.dumps(counts), "events": orjson.dumps(shown)}


_MESSAGE = _message()


def _timed(prepare: Callable[[], _T], act: Callable[[_T], object]) -> float:
    prepared = [prepare() for _ in range(REPEATS)]
    spent = []
    for one in prepared:
        began = time.perf_counter()
        act(one)
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)
