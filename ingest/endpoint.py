"""The way in: `POST /api/events/` and `POST /api/streams/{stream}/events/`, ahead of Django's middleware.

A 202 says that the events are in the buffer, fsynced; each is then stored exactly once or kept as a dead letter.
Every other answer says why, in the one shape of all errors. All other requests go on to Django.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from access.errors import DirectoryUnavailable, ServiceError
from access.keys import aauthenticate
from access.models import Scope
from access.principals import Principal
from access.sessions import aprincipal_of_session
from ingest.announce import Announcer
from ingest.answers import acknowledgement, all_rejected, count_answer, count_events, refusal, send_answer
from ingest.body import read_body
from ingest.envelope import Limits, Parsed, parse
from ingest.errors import ClientDisconnected, Draining
from ingest.feed import new_producer
from ingest.pusher import Pushed, Pusher
from ingest.quotas import Quotas
from ingest.streams import KnownStream, create_stream, known_streams
from ingest.waiting import Commits, aoutcome, wait_seconds

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
ConnectionScope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[ConnectionScope, Receive, Send], Awaitable[None]]
Headers = dict[bytes, bytes]

PATH = re.compile(r"/api/(?:events|streams/(?P<stream>[^/]*)/events)/?")
DEFAULT_STREAM = "default"
INLINE_BYTES = 1 << 20


class IngestEndpoint:
    """An ASGI application around another. Its connections belong to the event loop of its first request."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._draining = False
        self._under_way = 0
        self._one_large = asyncio.Semaphore(1)
        self._limits = Limits(
            max_event_bytes=settings.MAX_EVENT_BYTES,
            max_body_bytes=settings.MAX_BODY_BYTES,
            max_events=settings.MAX_EVENTS_PER_REQUEST,
        )
        self._pusher: Pusher | None = None
        self._announcer: Announcer
        self._quotas: Quotas
        self._commits: Commits

    async def __call__(self, scope: ConnectionScope, receive: Receive, send: Send) -> None:
        match = scope["method"] == "POST" and PATH.fullmatch(scope["path"])
        if not match:
            return await self._application(scope, receive, send)
        headers: Headers = dict(scope["headers"])
        self._under_way += 1
        try:
            status, body, more = await self._ingest(match["stream"], scope, headers, receive)
        except ClientDisconnected:
            return None
        except ServiceError as error:
            status, body, more = refusal(error, headers)
        except Exception:  # the last line before the client: nothing is acknowledged that was not pushed
            logger.exception("A request to %r failed", scope["path"])
            broken = ServiceError("Something broke on our side. The events may be kept or not; the log says more.")
            status, body, more = refusal(broken, headers)
        finally:
            self._under_way -= 1
        count_answer(status, body)
        await send_answer(send, status, body, more)

    async def drain(self, seconds: float) -> None:
        """Take no further events, wait until those under way are answered, or the time is up, and announce them."""
        self._draining = True
        deadline = time.monotonic() + seconds
        while self._under_way and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if self._pusher is not None:
            await self._announcer.flush()

    async def close(self) -> None:
        """Give its connections back."""
        if self._pusher is not None:
            await self._pusher.close()
            self._announcer.close()
            await self._quotas.close()
            self._pusher = None

    async def _ingest(
        self, stream_name: str | None, scope: ConnectionScope, headers: Headers, receive: Receive
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        self._check_ready()
        principal = await _authenticate(scope, headers)
        stream = await _stream(stream_name, principal)
        parsed = await self._read(stream, headers, receive)
        if not parsed.events:
            count_events(parsed)
            return 400, all_rejected(parsed, headers), {}
        await self._quotas.spend(principal, len(parsed.events))
        pushed = await self._push(stream, parsed)
        body = acknowledgement(parsed, pushed, with_ids=_flag(scope["query_string"], "ids"))
        if seconds := wait_seconds(_text(headers, b"prefer")):
            outcome = await self._outcome(pushed, parsed, seconds)
            if outcome is not None:
                return 200, {**body, **outcome}, {}
        return 202, body, {}

    def _check_ready(self) -> None:
        if self._draining:
            raise Draining("This process is shutting down. Send again.", retry_after_seconds=1)
        if self._pusher is None:
            producer = new_producer()
            self._pusher, self._announcer, self._quotas = Pusher(producer), Announcer(producer), Quotas()
            self._commits = Commits(self._pusher.client)

    async def _read(self, stream: KnownStream, headers: Headers, receive: Receive) -> Parsed:
        """The events of the body. A large one is read in a thread, one at a time, so that the small ones go on."""
        body = await read_body(receive, headers, self._limits)
        key = _text(headers, b"idempotency-key") if b"idempotency-key" in headers else None
        content_type = _text(headers, b"content-type")
        read = partial(parse, body, content_type, headers, stream.rules, self._limits, key)
        if len(body) <= INLINE_BYTES:
            return read()
        async with self._one_large:
            return await asyncio.to_thread(read)

    async def _push(self, stream: KnownStream, parsed: Parsed) -> Pushed:
        assert self._pusher is not None
        pushed = await self._pusher.push(stream.id, parsed.events)
        count_events(parsed)
        self._announcer.add(stream.name, pushed, parsed.events)
        if pushed.shard_events >= settings.FLUSH_MAX_EVENTS:
            self._announcer.nudge()
        return pushed

    async def _outcome(self, pushed: Pushed, parsed: Parsed, seconds: float) -> dict[str, int] | None:
        """Counts of what was stored; None when that did not happen in time."""
        self._announcer.nudge()
        if not await self._commits.until_stored(pushed.chunk_id, seconds):
            return None
        try:
            outcome = await aoutcome(pushed.chunk_id, pushed.first, len(parsed.events))
        except DatabaseError as error:
            logger.warning("What was stored cannot be counted, so a 202 is sent: %s", str(error).strip())
            return None
        return asdict(outcome) if outcome else None


async def _authenticate(scope: ConnectionScope, headers: Headers) -> Principal:
    authorization = headers.get(b"authorization")
    if authorization is not None:
        return await aauthenticate(authorization.decode("latin-1"))
    return await aprincipal_of_session(scope)


async def _stream(name: str | None, principal: Principal) -> KnownStream:
    """The stream to write, made on first use. Without a name: the key's only one, else `default`."""
    if name is None:
        streams = principal.reach(Scope.INGEST).streams
        name = next(iter(streams)) if streams is not None and len(streams) == 1 else DEFAULT_STREAM
    principal.require(Scope.INGEST, stream=name)
    stream = await known_streams.aget(name)
    if stream is None:
        await sync_to_async(_create_stream, thread_sensitive=False)(name)
        await known_streams.arefresh()
        stream = await known_streams.aget(name)
    assert stream is not None
    return stream


def _create_stream(name: str) -> None:
    try:
        create_stream(name)
    except DatabaseError as error:
        raise DirectoryUnavailable(
            f"The database does not answer, so the stream '{name}' cannot be made now. Nothing was kept.",
            retry_after_seconds=1,
        ) from error
    finally:
        connection.close()


def _text(headers: Headers, name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


def _flag(query_string: bytes, name: str) -> bool:
    return b"=" in query_string and parse_qs(query_string.decode("latin-1")).get(name, [""])[-1] in ("1", "true")
