"""What one client hears: what it subscribed to, and the frames that come of it."""

import logging
import time
from collections.abc import AsyncIterator, Callable

from redis import RedisError

from access.principals import Principal
from ingest import counters
from ingest.feed import Position
from monitor import clients, pace, requests
from monitor.batches import Batch, Gap
from monitor.errors import Refused
from monitor.event_frames import Frame
from monitor.frames import Sub
from monitor.hub import hub
from monitor.outbox import Outgoing
from monitor.replay import reader
from monitor.stats import Report, Streams, ticker
from monitor.subscriptions import Pending, Subscription

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
MAX_SUBSCRIPTIONS = 32


class Heard:
    """`stir` is called when there is something to `take`."""

    def __init__(self, stir: Callable[[], None]) -> None:
        self._tell = stir
        self._events: dict[str, Subscription] = {}
        self._stats: dict[str, Streams] = {}
        self._report: Report | None = None
        self._allowance = pace.Allowance(time.monotonic())
        self._read_again_at = 0.0

    async def subscribe(self, frame: Sub, principal: Principal) -> Position:
        """Where in the feed it begins. Raises FeedError."""
        streams = requests.visible_streams(frame, principal)
        if frame.id in self._events or frame.id in self._stats:
            raise Refused(f"There is a subscription {frame.id!r} already; unsub it first.", code="id_taken")
        if len(self._events) + len(self._stats) >= MAX_SUBSCRIPTIONS:
            raise Refused(f"At most {MAX_SUBSCRIPTIONS} subscriptions a connection.", code="too_many")
        if frame.mode == "stats":
            async with requests.redis_needed():
                await ticker().join(self)
            self._stats[frame.id] = streams
            return hub().position
        self._events[frame.id] = subscription = await requests.subscription(frame, streams)
        return subscription.position

    async def unsubscribe(self, id: str) -> None:
        """Raises Refused."""
        if id in self._stats:
            del self._stats[id]
            if not self._stats:
                await ticker().leave(self)
        elif self._events.pop(id, None) is None:
            raise Refused(f"There is no subscription {id!r}.", code="unknown_id")

    async def leave(self) -> None:
        await ticker().leave(self)

    def on_batch(self, batch: Batch) -> None:
        for subscription in self._events.values():
            subscription.on_batch(batch)
        self.stir()

    def on_gap(self, gap: Gap) -> None:
        for subscription in self._events.values():
            subscription.on_gap(gap)
        self.stir()

    def on_report(self, report: Report) -> None:
        self._report = report
        self._tell()

    def stir(self) -> None:
        now = time.monotonic()
        if any(subscription.due(now) for subscription in self._events.values()):
            self._tell()

    async def take(self, behind: bool) -> AsyncIterator[Outgoing]:
        """As an Outbox asks for it."""
        if self._report is not None:
            report, self._report = self._report, None
            for id, streams in list(self._stats.items()):
                if id in self._stats:  # it may be ended while this waits for the connection
                    yield report.frame(id, streams), None
        if behind:
            return
        for subscription in list(self._events.values()):
            for item in await self._take_from(subscription):
                if self._events.get(subscription.id) is subscription:  # as above
                    yield subscription.encode(item), item.last
        self.stir()

    async def _take_from(self, subscription: Subscription) -> list[Pending]:
        now = time.monotonic()
        if subscription.live:
            items = subscription.take(now, self._allowance.characters(clients.watchers(), now))
        else:
            await self._catch_up(subscription, now)
            items = subscription.take(now)
        self._account(items)
        return items

    async def _catch_up(self, subscription: Subscription, now: float) -> None:
        """When the log cannot be read, no subscription tries for a moment: all else goes on meanwhile."""
        if now < self._read_again_at:
            return
        try:
            stretch = await reader().read(subscription.position.seq)
        except (RedisError, OSError) as error:
            logger.warning("The log of the feed cannot be read for the moment: %s", error)
            self._read_again_at = time.monotonic() + AGAIN_SECONDS
        else:
            subscription.catch_up(stretch, hub().position)

    def _account(self, items: list[Pending]) -> None:
        for item in items:
            if isinstance(item, Frame):
                self._allowance.spend(item.characters)
                counters.count("websocket_omitted", item.omitted)
            else:
                counters.count("websocket_gaps", reason=item.reason)
