"""The WebSocket of the live feed, `/ws/events/`. Its protocol: docs/live-feed.md."""

import asyncio
import logging
from typing import Any

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer

from access.principals import Principal
from ingest import counters
from ingest.feed import Position
from monitor import acknowledgements, clients, event_frames, frames, handshake, outbox, pace, requests
from monitor.batches import Batch, Gap
from monitor.errors import FeedError, Refused, TooSlow, Unauthenticated, Unavailable
from monitor.frames import Ack, Auth, ClientFrame, Sub, Unsub
from monitor.heard import MAX_SUBSCRIPTIONS, Heard
from monitor.hub import hub
from monitor.outbox import Outbox

logger = logging.getLogger(__name__)

AUTHENTICATION_SECONDS = 10.0
CREDENTIALS_CHECK_SECONDS = 15.0
CLOSE_SECONDS = 5.0

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
        self._heard = Heard(stir=lambda: self._outbox.stir())
        self._outbox = Outbox(
            send=self.send,
            take=self._heard.take,
            heartbeat=self._heartbeat,
            complain=self.fail,
            interval=lambda: pace.interval_seconds(clients.watchers()),
        )
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
        self._heard.on_batch(batch)

    def on_gap(self, gap: Gap) -> None:
        self._heard.on_gap(gap)

    def on_away(self) -> None:
        self.fail(Unavailable("The live feed is out of order for the moment."))

    async def _obey(self, frame: ClientFrame) -> None:
        if isinstance(frame, Auth):
            await self._authenticate(frame)
        elif self._principal is None:
            raise Unauthenticated("Send an auth frame with an API key first.")
        elif isinstance(frame, Sub):
            self._confirm(frame.id, await self._heard.subscribe(frame, self._principal))
            self._heard.stir()
        elif isinstance(frame, Unsub):
            await self._heard.unsubscribe(frame.id)
            self._confirm(frame.id, hub().position)
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

    def _confirm(self, id: str, position: Position) -> None:
        self._outbox.reply(frames.encode("ok", id=id, epoch=position.epoch, seq=position.seq))

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
        await self._heard.leave()
        await hub().leave(self)
