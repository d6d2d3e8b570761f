"""Calling the ingestion endpoint as an ASGI server would."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson

from ingest.endpoint import IngestEndpoint

Body = bytes | dict[str, Any] | list[Any]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


class Poster:
    def __init__(self, endpoint: IngestEndpoint, token: str) -> None:
        self.endpoint = endpoint
        self.token = token

    async def __call__(
        self, body: Body, path: str = "/api/streams/sensors/events/", query: str = "", **headers: str | None
    ) -> Answer:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        given = {"authorization": f"Bearer {self.token}", "content_type": "application/json", **headers}
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items() if value],
        }
        return await call(self.endpoint, scope, content)


async def call(application: Any, scope: MutableMapping[str, Any], content: bytes) -> Answer:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    start, *bodies = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    text = b"".join(message["body"] for message in bodies)
    return Answer(start["status"], headers, orjson.loads(text))


async def not_found(scope: Any, receive: Any, send: Any) -> None:
    """Stands where Django would."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b'{"error": "django"}'})
