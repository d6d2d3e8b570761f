"""The WebSocket of the live feed, `/ws/events/`. Its frames: `monitor.frames`."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakSet

from channels.generic.websocket import AsyncWebsocketConsumer
from redis import RedisError

from access.errors import PermissionDenied
from access.models import Scope
from access.principals import Principal
from monitor import frames, handshake, outbox, subscriptions
from monitor.batches import Batch, Gap
from monitor.errors import (
    FeedError,
    Refused,
    ShuttingDown,
    TooManyClients,
    TooSlow,
    Unauthenticated,
    Unavailable,
)
from monitor.filters import Filter
from monitor.frames import Auth, ClientFrame, Sub, Unsub
from monitor.hub import hub
from monitor.outbox import Outbox
from monitor.stats import Report, Streams, ticker
from monitor.subscriptions import Subscription

logger = logging.getLogger(__name__)

AUTHENTICATION_SECONDS = 10.0
CREDENTIALS_CHECK_SECONDS = 30.0
JOIN_SECONDS = 5.0
MAX_SUBSCRIPTIONS = 32
MAX_CLIENTS = 1000
MAX_STRANGERS = 200

LIMITS = {
    "max_client_frame_bytes": frames.MAX_CLIENT_FRAME_BYTES,
    "max_subscriptions": MAX_SUBSCRIPTIONS,
    "max_events_per_frame": subscriptions.MAX_EVENTS_PER_FRAME,
    "frame_interval_ms": round(outbox.FRAME_INTERVAL_SECONDS * 1000),
    "heartbeat_seconds": outbox.HEARTBEAT_SECONDS,
    "authentication_seconds": AUTHENTICATION_SECONDS,
}

_clients: "WeakSet[EventsConsumer]" = WeakSet()


def close_all() -> None:
    """Ask every client of this process to come back later, because it ends. Call on the event loop."""
    for client in list(_clients):
        client.fail(ShuttingDown("The server is shutting down; connect again in a few seconds."))


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
        self._outbox = Outbox(self.send, self._take, self._heartbeat)
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, *args: Any) -> None:
        try:
            await super().__call__(*args)
        finally:
            await self._stop()

    async def connect(self) -> None:
        if not (handshake.origin_is_allowed(self.scope) and handshake.speaks_our_protocol(self.scope)):
            await self.close()
            return
        await self.accept(handshake.SUBPROTOCOL if self.scope["subprotocols"] else None)
        self._tasks = [asyncio.create_task(self._serve()), asyncio.create_task(self._guard())]
        try:
            principal = await handshake.principal_of_handshake(self.scope)
            if principal is None:
                self._admit_stranger()
            _clients.add(self)
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

    def fail(self, error: FeedError, id: str | None = None) -> None:
        """Tell the client, and end the connection if the error is of that kind."""
        self._outbox.reply(frames.error_frame(error, id))
        if error.close_code is not None:
            self._outbox.close(error.close_code)

    def on_batch(self, batch: Batch) -> None:
        for subscription in self._events.values():
            subscription.add_batch(batch)
        self._stir()

    def on_gap(self, gap: Gap) -> None:
        for subscription in self._events.values():
            subscription.add_gap(gap)
        self._stir()

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
            if sum(client._principal is not None for client in _clients) >= MAX_CLIENTS:
                raise TooManyClients(f"This process serves {MAX_CLIENTS} clients of the live feed already.")
            async with _redis_needed():
                await hub().join(self)
            self._principal = principal
            epoch, seq = hub().position.epoch, hub().position.seq
        self._outbox.reply(
            frames.encode("hello", epoch=epoch, seq=seq, authenticated=principal is not None, limits=LIMITS)
        )

    async def _subscribe(self, frame: Sub, principal: Principal) -> None:
        streams = _visible(frame.stream, principal)
        if frame.id in self._events or frame.id in self._stats:
            raise Refused(f"There is a subscription {frame.id!r} already; unsub it first.", code="id_taken")
        if len(self._events) + len(self._stats) >= MAX_SUBSCRIPTIONS:
            raise Refused(f"At most {MAX_SUBSCRIPTIONS} subscriptions a connection.", code="too_many")
        if frame.mode == "stats":
            async with _redis_needed():
                await ticker().join(self)
            self._stats[frame.id] = streams
        else:
            self._events[frame.id] = Subscription(frame.id, Filter(streams, frame.type), hub().position)
        self._confirm(frame.id)

    async def _unsubscribe(self, frame: Unsub) -> None:
        if frame.id in self._stats:
            del self._stats[frame.id]
            if not self._stats:
                await ticker().leave(self)
        elif self._events.pop(frame.id, None) is None:
            raise Refused(f"There is no subscription {frame.id!r}.", code="unknown_id")
        self._confirm(frame.id)

    def _confirm(self, id: str) -> None:
        self._outbox.reply(frames.encode("ok", id=id, seq=hub().position.seq))

    def _admit_stranger(self) -> None:
        """Those who have not said who they are take no place of those who have."""
        if sum(client._principal is None for client in _clients) >= MAX_STRANGERS:
            raise TooManyClients("Too many clients wait to authenticate; send the key in the Authorization header.")

    def _stir(self) -> None:
        if any(subscription.due for subscription in self._events.values()):
            self._outbox.stir()

    def _take(self) -> list[str]:
        taken = [frame for subscription in self._events.values() for frame in subscription.frames()]
        if self._report is not None:
            taken += [self._report.frame(id, streams) for id, streams in self._stats.items()]
            self._report = None
        return taken

    def _heartbeat(self) -> str:
        return frames.encode("hb", seq=None if self._principal is None else hub().position.seq)

    async def _serve(self) -> None:
        try:
            await self.close(await self._outbox.run())
        except OSError:
            pass  # the client went away while something was on its way to it
        except Exception:
            logger.exception("The live feed of %s broke.", self._principal)
            await self.close(FeedError.close_code)

    async def _guard(self) -> None:
        """End a connection that does not authenticate in time, or whose key or session ended since."""
        await asyncio.sleep(AUTHENTICATION_SECONDS)
        if self._principal is None:
            self.fail(Unauthenticated(f"No auth frame came within {AUTHENTICATION_SECONDS:.0f} seconds."))
        while not self._outbox.closing:
            await asyncio.sleep(CREDENTIALS_CHECK_SECONDS)
            try:
                now = await handshake.principal_now(self.scope, self._authorization)
                if now != self._principal:
                    raise Unauthenticated("What you may see has changed; connect again.")
            except Unavailable:
                continue
            except FeedError as error:
                self.fail(error)

    async def _stop(self) -> None:
        _clients.discard(self)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await ticker().leave(self)
        await hub().leave(self)


def _visible(stream: str | None, principal: Principal) -> Streams:
    """The streams of a subscription; None for all. Raises Refused for one that the principal may not read."""
    if stream is None:
        return principal.streams
    try:
        principal.require(Scope.READ, stream)
    except PermissionDenied as error:
        raise Refused(error.detail, code=error.code) from error
    return frozenset({stream})


@asynccontextmanager
async def _redis_needed() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(JOIN_SECONDS):
            yield
    except (RedisError, OSError) as error:
        logger.warning("The live feed cannot be joined: %s", error)
        raise Unavailable("The live feed is out of order for the moment.") from error
