"""The connection to a server's live feed, kept up."""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.http11 import Response
from websockets.typing import Subprotocol

from monitor.client.address import checked_key, feed_address, is_local
from monitor.client.backoff import Backoff
from monitor.client.coverage import Coverage, Position
from monitor.client.errors import ProtocolViolation, Refused
from monitor.client.frames import Error, Events, Gap, Heartbeat, Hello, Ok, ServerFrame, Stats, decode, encode
from monitor.client.state import Phase, State, Subscription

ID = "feed"
SILENCE_SECONDS = 45.0
ACK_SECONDS = 1.0
STEADY_SECONDS = 5.0
RETRIED_STATUSES = frozenset({408, 425, 429})

Frame = Events | Gap | Stats
_F = TypeVar("_F", bound=ServerFrame)


class Lost(Exception):
    """The connection is gone, or was none; another may do."""

    def __init__(self, reason: str, asked_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.asked_seconds = asked_seconds


class Feed:
    """One subscription at one server, over as many connections as it takes.

    `frames` gives every frame about events once, in order, with `gap` frames where the server has none; `coverage`
    holds their sums and `coverage.position` where to go on another time. Once a second the server is told what was
    dealt with: whatever came before the frame that the caller works on.

    `url` is the server's http(s) address. `on_state` hears of every change of `state`. Raises BadArgument.
    """

    def __init__(
        self,
        url: str,
        key: str,
        subscription: Subscription | None = None,
        *,
        on_state: Callable[[State], None] = lambda state: None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self.subscription = subscription or Subscription()
        self.coverage = Coverage(self.subscription.since)
        self.state = State(Phase.CONNECTING)
        self._address = feed_address(url)
        self._key = checked_key(key)
        self._on_state = on_state
        self._backoff = backoff or Backoff()
        self._clock, self._sleep = clock, sleep
        self._silence_seconds = silence_seconds
        self._began_at: float | None = None
        self._dealt_with: int | None = None
        self._last_error: Error | None = None

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Until the caller stops; close it then (`contextlib.aclosing`). Raises Refused or ProtocolViolation."""
        while True:
            self._enter(State(Phase.CONNECTING, self.state.reason))
            try:
                async with self._connection() as socket, aclosing(self._converse(socket)) as frames:
                    async for frame in frames:
                        yield frame
            except Lost as lost:
                if self._began_at is not None and self._clock() - self._began_at >= STEADY_SECONDS:
                    self._backoff.reset()
                pause_seconds = self._backoff.pause_seconds(lost.asked_seconds)
                self._enter(State(Phase.WAITING, str(lost), pause_seconds))
                await self._sleep(pause_seconds)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[ClientConnection]:
        """Raises Lost or Refused for whatever ends it."""
        self._began_at = self._dealt_with = self._last_error = None
        try:
            async with connect(
                self._address,
                additional_headers={"Authorization": f"Bearer {self._key}"},
                subprotocols=[Subprotocol("events.v1")],
                compression=None,
                proxy=None if is_local(self._address) else True,
                max_size=None,
                ping_interval=None,  # the server's heartbeat does
                close_timeout=1,
            ) as socket:
                yield socket
        except ConnectionClosed as error:
            raise self._closed(error) from error
        except InvalidStatus as error:
            raise _turned_away(error.response) from error
        except ssl.SSLCertVerificationError as error:
            raise Refused("bad_certificate", f"its certificate is not valid: {error.verify_message}.") from error
        except ImportError as error:
            raise Refused("bad_proxy", f"{error}.") from error
        except (OSError, WebSocketException) as error:
            raise Lost(_reason(error)) from error

    async def _converse(self, socket: ClientConnection) -> AsyncGenerator[Frame, None]:
        hello = await self._greet(socket)
        acknowledging = asyncio.create_task(self._acknowledge(socket))
        try:
            if (gap := await self._subscribe(socket, hello)) is not None:
                yield gap
            while True:
                frame = await self._receive(socket)
                if isinstance(frame, Heartbeat):
                    self._enter(State(Phase.LIVE))  # it comes only when there is nothing else to send
                elif isinstance(frame, Error):
                    self._heed(frame)
                elif isinstance(frame, Events | Gap):
                    self._take(frame)
                    yield frame
                    self._dealt_with = frame.last
                elif isinstance(frame, Stats):
                    yield frame
                else:
                    raise ProtocolViolation(f"a second {type(frame).__name__.lower()!r} frame")
        finally:
            acknowledging.cancel()
            await asyncio.wait([acknowledging])

    async def _greet(self, socket: ClientConnection) -> Hello:
        hello = await self._expect(socket, Hello)
        if not hello.authenticated:  # something on the way took the header out
            await socket.send(encode("auth", token=self._key))
            hello = await self._expect(socket, Hello)
        return hello

    async def _subscribe(self, socket: ClientConnection, hello: Hello) -> Gap | None:
        """A gap if the server does not know the numbers any more that it gave us."""
        gap = None
        try:
            ok = await self._ask(socket)
        except Refused as error:
            if error.code != "bad_since" or self.coverage.position == self.subscription.since:
                raise
            gap = Gap(ID, hello.epoch or "", error.code, 1, 0)
            self.coverage.renumber(gap)
            self.coverage.position = None
            ok = await self._ask(socket)
        self.coverage.begin(Position(ok.epoch, ok.seq))
        self._began_at = self._clock()
        present = self.subscription.mode == "stats" or (hello.epoch == ok.epoch and (hello.seq or 0) <= ok.seq)
        self._enter(State(Phase.LIVE if present else Phase.CATCHING_UP))
        return gap

    async def _ask(self, socket: ClientConnection) -> Ok:
        wanted, since = self.subscription, self.coverage.position
        fields: dict[str, Any] = {"mode": wanted.mode, "stream": wanted.stream}
        if wanted.mode == "events":
            fields |= {"type": wanted.type, "filter": wanted.filter, "max_rate": wanted.max_rate}
            fields["since"] = None if since is None else {"epoch": since.epoch, "seq": since.seq}
        else:
            self.coverage.position = None
        await socket.send(encode("sub", id=ID, **fields))
        return await self._expect(socket, Ok)

    async def _expect(self, socket: ClientConnection, kind: type[_F]) -> _F:
        while True:
            frame = await self._receive(socket)
            if isinstance(frame, kind):
                return frame
            if isinstance(frame, Error):
                self._heed(frame)
            elif not isinstance(frame, Heartbeat):
                raise ProtocolViolation(f"a frame {type(frame).__name__.lower()!r} before {kind.__name__.lower()!r}")

    async def _receive(self, socket: ClientConnection) -> ServerFrame:
        try:
            async with asyncio.timeout(self._silence_seconds):
                return decode(await socket.recv())
        except TimeoutError as error:
            raise Lost(f"nothing was heard for {self._silence_seconds:.0f} s") from error

    def _take(self, frame: Events | Gap) -> None:
        self.coverage.take(frame)
        if isinstance(frame, Events):
            self._enter(State(Phase.CATCHING_UP if frame.behind else Phase.LIVE))

    def _heed(self, error: Error) -> None:
        """What closes the connection is remembered until it is closed."""
        self._last_error = error
        if error.code == "behind":
            self._enter(State(Phase.CATCHING_UP, error.message))
        elif error.id is not None:
            raise Lost(error.message) if error.temporary else Refused(error.code, error.message)

    def _closed(self, closed: ConnectionClosed) -> Lost | Refused:
        code = closed.rcvd.code if closed.rcvd else 1006
        error = self._last_error
        if 4400 <= code < 4500:
            return Refused(error.code if error else str(code), error.message if error else f"close code {code}.")
        return Lost(error.message if error else f"the connection was closed ({code})")

    async def _acknowledge(self, socket: ClientConnection) -> None:
        told = None
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(ACK_SECONDS)
                if self._dealt_with != told:
                    told = self._dealt_with
                    await socket.send(encode("ack", seq=told))

    def _enter(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)


def _reason(error: OSError | WebSocketException) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno) if error.errno > 0 else error.strerror or "no connection"
    # Of a name with several addresses asyncio lists all that it tried.
    return "no connection" if type(error) is OSError else str(error) or type(error).__name__


def _turned_away(response: Response) -> Lost | Refused:
    """The server answered the upgrade with an HTTP status of its own."""
    status = response.status_code
    reason = f"HTTP {status} {response.reason_phrase}".strip()
    if status >= 500 or status in RETRIED_STATUSES:
        asked = response.headers.get("Retry-After", "")
        return Lost(reason, float(asked) if asked.isascii() and asked.isdigit() else 0.0)
    return Refused(f"http_{status}", f"{reason}.")
