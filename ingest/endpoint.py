"""The way in: `POST /api/events/` and `POST /api/streams/{stream}/events/`, ahead of Django's middleware.

A 202 says that the events are in the buffer, fsynced; each is then stored exactly once or kept as a dead letter.
Every other answer says why, in the one shape of all errors. All other requests go on to Django.
"""

import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

import orjson
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from access.errors import ServiceError, error_body, request_id
from access.keys import aauthenticate
from access.models import Scope
from access.principals import Principal
from access.sessions import aprincipal_of_session
from ingest import chunks
from ingest.announce import Announcer
from ingest.body import read_body
from ingest.envelope import Limits, Parsed, parse
from ingest.errors import ClientDisconnected, Draining
from ingest.pusher import Pushed, Pusher
from ingest.quotas import Quotas
from ingest.streams import KnownStream, create_stream, known_streams
from ingest.waiting import aoutcome, until_stored, wait_seconds

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
ConnectionScope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[ConnectionScope, Receive, Send], Awaitable[None]]
Headers = dict[bytes, bytes]

PATH = re.compile(r"/api/(?:events|streams/(?P<stream>[^/]*)/events)/?")
DEFAULT_STREAM = "default"
MOST_ERRORS = 100


class IngestEndpoint:
    """An ASGI application around another. Its connections belong to the event loop of its first request."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._draining = False
        self._limits = Limits(
            max_event_bytes=settings.MAX_EVENT_BYTES,
            max_body_bytes=settings.MAX_BODY_BYTES,
            max_events=settings.MAX_EVENTS_PER_REQUEST,
        )
        self._pusher: Pusher | None = None
        self._announcer: Announcer
        self._quotas: Quotas

    async def __call__(self, scope: ConnectionScope, receive: Receive, send: Send) -> None:
        match = scope["method"] == "POST" and PATH.fullmatch(scope["path"])
        if not match:
            return await self._application(scope, receive, send)
        headers: Headers = dict(scope["headers"])
        try:
            status, body, more = await self._ingest(match["stream"], scope, headers, receive)
        except ClientDisconnected:
            return None
        except ServiceError as error:
            status, body, more = _refusal(error, headers)
        except Exception:  # the last line before the client: nothing is acknowledged that was not pushed
            logger.exception("A request to %s failed", scope["path"])
            broken = ServiceError("Something broke on our side. The events may be kept or not; the log says more.")
            status, body, more = _refusal(broken, headers)
        await answer(send, status, body, more)

    async def drain(self) -> None:
        """Take no further events, and wait for those under way."""
        self._draining = True
        if self._pusher is not None:
            await self._pusher.idle()

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
        body = await read_body(receive, headers, self._limits)
        key = headers.get(b"idempotency-key")
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        parsed = parse(body, content_type, headers, stream.rules, self._limits, key.decode("latin-1") if key else None)
        if not parsed.events:
            return 400, _all_rejected(parsed, headers), {}
        await self._quotas.spend(principal, len(parsed.events))
        pushed = await self._push(stream, parsed)
        seconds = wait_seconds(headers.get(b"prefer", b"").decode("latin-1")) if b"prefer" in headers else 0.0
        outcome = await self._outcome(pushed, parsed, seconds) if seconds else None
        with_ids = b"ids=" in scope["query_string"] and _flag(scope["query_string"], "ids")
        answer_body = _acknowledgement(parsed, pushed, with_ids)
        return (200, {**answer_body, **outcome}, {}) if outcome is not None else (202, answer_body, {})

    def _check_ready(self) -> None:
        if self._draining:
            raise Draining("This process is shutting down. Send again.", retry_after_seconds=1)
        if self._pusher is None:
            self._pusher, self._announcer, self._quotas = Pusher(), Announcer(), Quotas()

    async def _push(self, stream: KnownStream, parsed: Parsed) -> Pushed:
        assert self._pusher is not None
        pushed = await self._pusher.push(stream.id, parsed.events)
        self._announcer.add(stream.name, pushed, parsed.events)
        if pushed.shard_events >= settings.FLUSH_MAX_EVENTS:
            self._announcer.nudge()
        return pushed

    async def _outcome(self, pushed: Pushed, parsed: Parsed, seconds: float) -> dict[str, int] | None:
        """Counts of what was stored; None when that did not happen in time."""
        assert self._pusher is not None
        self._announcer.nudge()
        if not await until_stored(self._pusher.client, pushed.chunk_id, seconds):
            return None
        outcome = await aoutcome(pushed.chunk_id, pushed.first, len(parsed.events))
        return asdict(outcome) if outcome else None


async def _authenticate(scope: ConnectionScope, headers: Headers) -> Principal:
    authorization = headers.get(b"authorization")
    if authorization is not None:
        return await aauthenticate(authorization.decode("latin-1"))
    return await aprincipal_of_session(scope)


async def _stream(name: str | None, principal: Principal) -> KnownStream:
    """The stream to write, made on first use. Without a name: the key's only one, else `default`."""
    if name is None:
        only = principal.streams is not None and len(principal.streams) == 1
        name = next(iter(principal.streams or ())) if only else DEFAULT_STREAM
    principal.require(Scope.INGEST, name)
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
    finally:
        connection.close()


def _acknowledgement(parsed: Parsed, pushed: Pushed, with_ids: bool) -> dict[str, Any]:
    if parsed.single:
        body: dict[str, Any] = {"id": str(chunks.event_id(pushed.chunk_id, pushed.first))}
        if parsed.warnings:
            body["warnings"] = _listed(parsed.warnings)
        return body
    body = {"accepted": len(parsed.events), "rejected": len(parsed.rejections)}
    if parsed.rejections:
        body["errors"] = _listed(parsed.rejections)
    if parsed.warnings:
        body["warnings"] = _listed(parsed.warnings)
    if with_ids:
        body["ids"] = _ids(parsed, pushed)
    return body


def _ids(parsed: Parsed, pushed: Pushed) -> list[str | None]:
    """One for each event of the request, null for a rejected one."""
    ids = [str(chunks.event_id(pushed.chunk_id, pushed.first + n)) for n in range(len(parsed.events))]
    if parsed.indexes is None:
        return list(ids)
    placed: list[str | None] = [None] * (len(parsed.events) + len(parsed.rejections))
    for index, id in zip(parsed.indexes, ids, strict=True):
        placed[index] = id
    return placed


def _all_rejected(parsed: Parsed, headers: Headers) -> dict[str, Any]:
    first = parsed.rejections[0]
    code, detail = (
        (first.code, first.detail)
        if parsed.single
        else ("all_events_rejected", "No event of this request was accepted.")
    )
    number = _request_id(headers)
    more = {"accepted": 0, "rejected": len(parsed.rejections), "errors": _listed(parsed.rejections)}
    return error_body(code, detail, number, **more)


def _listed(found: list[Any]) -> list[dict[str, Any]]:
    return [{"index": index, "code": code, "detail": detail} for index, code, detail in found[:MOST_ERRORS]]


def _refusal(error: ServiceError, headers: Headers) -> tuple[int, dict[str, Any], dict[str, str]]:
    return error.status, error_body(error.code, error.detail, _request_id(headers)), error.headers()


def _request_id(headers: Headers) -> str:
    return request_id(headers.get(b"x-request-id", b"").decode("latin-1"))


def _flag(query_string: bytes, name: str) -> bool:
    return parse_qs(query_string.decode("latin-1")).get(name, [""])[-1] in ("1", "true")


async def answer(send: Send, status: int, body: dict[str, Any], more: dict[str, str]) -> None:
    """Send a JSON answer."""
    content = orjson.dumps(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in more.items()]
    if "request_id" in body:
        headers.append((b"x-request-id", body["request_id"].encode("latin-1")))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
