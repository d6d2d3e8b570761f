"""Reading the log of the feed from the event loop; those who ask for the same place at once share an answer."""

import asyncio
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from ingest import feed
from ingest.feed import Position
from monitor.batches import Batch, Gap

BATCHES = 20

Item = Batch | Gap


@dataclass(frozen=True, slots=True)
class Stretch:
    """What comes after a number, in order and without a hole; `complete`: up to `position`, the end of the feed."""

    position: Position
    items: list[Item]
    complete: bool


def read(after: int) -> Stretch:
    """At most BATCHES batches after this number of the present epoch, gaps for what is not kept.

    Raises redis.RedisError.
    """
    replay = feed.read(after, BATCHES)
    epoch, end = replay.position.epoch, replay.position.seq
    items: list[Item] = []
    reached = after

    def miss(last: int) -> None:
        items.append(Gap(epoch, reached + 1, last, "expired" if reached < replay.trimmed else "lost"))

    for entry in replay.entries:
        if entry.first > reached + 1:
            miss(entry.first - 1)
        if entry.first > reached:
            items.append(Batch.of_entry(epoch, entry))
        else:  # the number asked for lies within an announcement, which cannot be divided
            miss(entry.last)
        reached = entry.last
    complete = len(replay.entries) < BATCHES
    if complete and reached < end:
        miss(end)
    return Stretch(replay.position, items, complete)


class Reader:
    """One for each event loop."""

    def __init__(self) -> None:
        self._reading: dict[int, asyncio.Task[Stretch]] = {}

    async def read(self, after: int) -> Stretch:
        """As `read`, without blocking."""
        task = self._reading.get(after)
        if task is None:
            task = self._reading[after] = asyncio.create_task(asyncio.to_thread(read, after))
            task.add_done_callback(lambda task: self._done(after, task))
        return await asyncio.shield(task)

    def _done(self, after: int, task: "asyncio.Task[Stretch]") -> None:
        del self._reading[after]
        if not task.cancelled():
            task.exception()  # nobody may be waiting for it any more


_readers: "WeakKeyDictionary[asyncio.AbstractEventLoop, Reader]" = WeakKeyDictionary()


def reader() -> Reader:
    """That of the running event loop."""
    return _readers.setdefault(asyncio.get_running_loop(), Reader())
