"""Answers of the ingestion endpoint."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from access.errors import ServiceError, error_body, request_id
from ingest import chunks, counters
from ingest.envelope import Parsed, Rejection
from ingest.pusher import Pushed

Headers = Mapping[bytes, bytes]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MOST_ERRORS = 100


def acknowledgement(parsed: Parsed, pushed: Pushed, with_ids: bool) -> dict[str, Any]:
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


def all_rejected(parsed: Parsed, headers: Headers) -> dict[str, Any]:
    first = parsed.rejections[0]
    code, detail = (
        (first.code, first.detail)
        if parsed.single
        else ("all_events_rejected", "No event of this request was accepted.")
    )
    number = _request_id(headers)
    more = {"accepted": 0, "rejected": len(parsed.rejections), "errors": _listed(parsed.rejections)}
    return error_body(code, detail, number, **more)


def _listed(found: list[Rejection]) -> list[dict[str, Any]]:
    return [{"index": index, "code": code, "detail": detail} for index, code, detail in found[:MOST_ERRORS]]


def refusal(error: ServiceError, headers: Headers) -> tuple[int, dict[str, Any], dict[str, str]]:
    return error.status, error_body(error.code, error.detail, _request_id(headers)), error.headers()


def _request_id(headers: Headers) -> str:
    return request_id(headers.get(b"x-request-id", b"").decode("latin-1"))


def count_answer(status: int, body: Mapping[str, Any]) -> None:
    counters.count(f"requests status={status}")
    if "error" in body:
        counters.count("refused_requests", code=body["error"])


def count_events(parsed: Parsed) -> None:
    """Once it is sure that these events are kept and the others rejected."""
    counters.count("accepted_events", len(parsed.events))
    if parsed.rejections:
        for code, n in Counter(code for _, code, _ in parsed.rejections).items():
            counters.count("rejected_events", n, code=code)


async def send_answer(send: Send, status: int, body: dict[str, Any], more: dict[str, str]) -> None:
    """Send a JSON answer."""
    content = orjson.dumps(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in more.items()]
    if "request_id" in body:
        headers.append((b"x-request-id", body["request_id"].encode("latin-1")))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
