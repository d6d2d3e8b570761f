"""The WebSocket of the live feed, `/ws/events/`. Its protocol: docs/live-feed.md."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from redis import RedisError

from access.principals import Principal
from ingest import counters
from ingest.feed import Position
from monitor import acknowledgements, clients, event_frames, frames, handshake, outbox, pace, requests
from monitor.batches import Batch, Gap
from monitor.errors import FeedError, Refused, TooSlow, Unauthenticated, Unavailable
from monitor.event_frames import Frame
from monitor.frames import Ack, Auth, ClientFrame, Sub, Unsub
from monitor.hub import hub
from monitor.outbox import Outbox, Outgoing
from monitor.replay import reader
from monitor.stats import Report, Streams, ticker
from monitor.subscriptions import Pending, Subscription

logger = logging.getLogger(__name__)

AUTHENTICATION_SECONDS = 10.0
CREDENTIALS_CHECK_SECONDS = 15.0
CLOSE_SECONDS = 5.0
AGAIN_SECONDS = 1.0
MAX_SUBSCRIPTIONS = 32

LIMITS = {
    "max_client_frame_bytes": frames.MAX_CLIENT_FRAME_BYTES,
    "max_subscriptions": MAX_SUBSCRIPTIONS,
    "max_events_per_frame": event_frames.MAX_EVENTS_PER_FRAME,
    "max_frame_bytes": event_frames.MAX_FRAME_CHARACTERS,
    "frame_interval_ms": round(pace.SHORTEST_INTERVAL_SECONDS * 1000),
    "heartbeat_seconds": outbox.HEARTBEAT_SECONDS,
    "authentication_seconds": AUTHENTICATION_SECONDS,
    "unacknowledged_bytes": acknowledgements.UNACKNOWLEDGED_BYTES,
    "unacknowledged_seconds": acknowledgements.UNACKNOWLEDGED_SECONDS,
    "slow_close_seconds": acknowledgements.SLOW_CLOSE_SECONDS,
}


class EventsConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One client: its frames become calls, and what it subscribed to becomes frames."""

    # The feed reaches it through the process's hub, so it needs no channel of its own.
    channel_layer_alias = ""

    def __init__(self) -> None:
        super().__init__()
        self._principal: Principal | None = None
        self._authorization: str | None = None
        self._events: dict[str, Subscription] = {}
        self._stats: dict[str, Streams] = {}
        self._report: Report | None = None
        self._allowance = pace.Allowance(time.monotonic())
        self._outbox = Outbox(
            send=self.send,
            take=self._take,
            heartbeat=self._heartbeat,
            complain=self.fail,
            interval=lambda: pace.interval_seconds(clients.watchers()),
        )
        self._read_again_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, *args: Any) -> None:
        try:
            await super().__call__(*args)
        finally:
            await self._stop()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without the hop to a thread, for the database's sake, that Channels makes at every frame: none touches it."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        if not (handshake.origin_is_allowed(self.scope) and handshake.speaks_our_protocol(self.scope)):
            await self.close()
            return
        await self.accept(handshake.SUBPROTOCOL if self.scope["subprotocols"] else None)
        self._tasks = [asyncio.create_task(self._serve()), asyncio.create_task(self._guard())]
        try:
            principal = await handshake.principal_of_handshake(self.scope)
            if principal is None:
                clients.admit_stranger(self)
            await self._welcome(principal)
            self._authorization = handshake.header(self.scope, b"authorization")
        except FeedError as error:
            self.fail(error)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._outbox.closing:
            return
        frame: ClientFrame | None = None
        try:
            frame = frames.decode(text_data)
            if self._outbox.full:
                raise TooSlow("You send frames without reading the answers.")
            await self._obey(frame)
        except FeedError as error:
            self.fail(error, getattr(frame, "id", None))
        except Exception:
            logger.exception("A frame of %s broke the live feed.", self._principal)
            self.fail(FeedError("Something broke on our side; the log says more. Connect again."))

    def fail(self, error: FeedError, id: str | None = None) -> None:
        """Tell the client, and end the connection if the error is of that kind."""
        if isinstance(error, TooSlow):
            counters.count("websocket_slow_closes")
        self._outbox.reply(frames.error_frame(error, id))
        if error.close_code is not None:
            self._outbox.close(error.close_code)

    def on_batch(self, batch: Batch) -> None:
        for subscription in self._events.values():
            subscription.on_batch(batch)
        self._stir()

    def on_gap(self, gap: Gap) -> None:
        for subscription in self._events.values():
            subscription.on_gap(gap)
        self._stir()

    def on_away(self) -> None:
        self.fail(Unavailable("The live feed is out of order for the moment."))

    def on_report(self, report: Report) -> None:
        self._report = report
        self._outbox.stir()

    async def _obey(self, frame: ClientFrame) -> None:
        if isinstance(frame, Auth):
            await self._authenticate(frame)
        elif self._principal is None:
            raise Unauthenticated("Send an auth frame with an API key first.")
        elif isinstance(frame, Sub):
            await self._subscribe(frame, self._principal)
        elif isinstance(frame, Unsub):
            await self._unsubscribe(frame)
        elif isinstance(frame, Ack):
            self._outbox.acknowledge(frame.seq)

    async def _authenticate(self, frame: Auth) -> None:
        if self._principal is not None:
            raise Refused("This connection is authenticated already.", code="already_authenticated")
        authorization = f"Bearer {frame.token}"
        await self._welcome(await handshake.principal_of_authorization(authorization))
        self._authorization = authorization

    async def _welcome(self, principal: Principal | None) -> None:
        """Say hello; who is known hears the feed from here on."""
        epoch: str | None = None
        seq: int | None = None
        if principal is not None:
            clients.check_room()
            async with requests.redis_needed():
                await hub().join(self)
            self._principal = principal
            clients.admit(self)
            epoch, seq = hub().position.epoch, hub().position.seq
        self._outbox.reply(
            frames.encode("hello", epoch=epoch, seq=seq, authenticated=principal is not None, limits=LIMITS)
        )

    async def _subscribe(self, frame: Sub, principal: Principal) -> None:
        streams = requests.visible_streams(frame, principal)
        if frame.id in self._events or frame.id in self._stats:
            raise Refused(f"There is a subscription {frame.id!r} already; unsub it first.", code="id_taken")
        if len(self._events) + len(self._stats) >= MAX_SUBSCRIPTIONS:
            raise Refused(f"At most {MAX_SUBSCRIPTIONS} subscriptions a connection.", code="too_many")
        if frame.mode == "stats":
            async with requests.redis_needed():
                await ticker().join(self)
            self._stats[frame.id] = streams
            self._confirm(frame.id, hub().position)
        else:
            subscription = await requests.subscription(frame, streams)
            self._events[frame.id] = subscription
            self._confirm(frame.id, subscription.position)
            self._stir()

    async def _unsubscribe(self, frame: Unsub) -> None:
        if frame.id in self._stats:
            del self._stats[frame.id]
            if not self._stats:
                await ticker().leave(self)
        elif self._events.pop(frame.id, None) is None:
            raise Refused(f"There is no subscription {frame.id!r}.", code="unknown_id")
        self._confirm(frame.id, hub().position)

    def _confirm(self, id: str, position: Position) -> None:
        self._outbox.reply(frames.encode("ok", id=id, epoch=position.epoch, seq=position.seq))

    def _stir(self) -> None:
        now = time.monotonic()
        if any(subscription.due(now) for subscription in self._events.values()):
            self._outbox.stir()

    async def _take(self, behind: bool) -> AsyncIterator[Outgoing]:
        if self._report is not None:
            report, self._report = self._report, None
            for id, streams in list(self._stats.items()):
                if id in self._stats:  # it may be ended while this waits for the connection
                    yield report.frame(id, streams), None
        if behind:
            return
        for subscription in list(self._events.values()):
            for item in await self._take_from(subscription):
                if (
                    self._events.get(subscription.id) is subscription
                ):  # it may be ended while this waits for the connection
                    yield subscription.encode(item), item.last
        self._stir()

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

    def _heartbeat(self) -> str:
        if self._principal is None:
            return frames.encode("hb", epoch=None, seq=None)
        return frames.encode("hb", epoch=hub().position.epoch, seq=hub().position.seq)

    async def _serve(self) -> None:
        try:
            code = await self._outbox.run()
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.close(code)
        except OSError:
            pass  # the client went away while something was on its way to it
        except Exception:
            logger.exception("The live feed of %s broke.", self._principal)
            await self.send(frames.error_frame(FeedError("Something broke on our side; the log says more."), None))
            await self.close(FeedError.close_code)

    async def _guard(self) -> None:
        """End a connection that does not authenticate in time, or whose key or session ended since."""
        await asyncio.sleep(AUTHENTICATION_SECONDS)
        if self._principal is None:
            self.fail(Unauthenticated(f"No auth frame came within {AUTHENTICATION_SECONDS:.0f} seconds."))
        while not self._outbox.closing:
            await self._check_credentials()
            await asyncio.sleep(CREDENTIALS_CHECK_SECONDS)

    async def _check_credentials(self) -> None:
        try:
            if await handshake.principal_now(self.scope, self._authorization) != self._principal:
                raise Unauthenticated("What you may see has changed; connect again.")
        except Unavailable:
            pass  # what was true when the database was last asked goes on
        except FeedError as error:
            self.fail(error)

    async def _stop(self) -> None:
        clients.leave(self)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await ticker().leave(self)
        await hub().leave(self)
