"""The least that a server can do with an event: read it, answer 202 at the length of our answer."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

BODY = b'{"id":"%s"}' % str(UUID(int=0)).encode()
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]


async def application(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 202, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
