"""A server of the feed that plays what it is told to, one scene for each connection."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

Scene = Callable[["Stage"], Awaitable[None]]


def events(first: int, last: int, shown: int | None = None, **changes: Any) -> dict[str, Any]:
    """A frame whose events match, the newest `shown` of them shown."""
    n = last - first + 1
    listed = [
        {"id": f"e{number}", "stream": "sensors", "type": "reading", "key": None, "time": None,
         "received_at": "2026-01-31T12:34:56.789000Z", "payload": {"number": number}}
        for number in range(last + 1 - (n if shown is None else shown), last + 1)
    ]  # fmt: skip
    frame = {"op": "events", "id": "feed", "epoch": "e", "from": first, "to": last, "n": n, "matched": n}
    return {**frame, "omitted": n - len(listed), "unchecked": 0, "behind": 0, "events": listed, **changes}


def gap(first: int, last: int, reason: str = "lost", epoch: str = "e") -> dict[str, Any]:
    return {"op": "gap", "id": "feed", "epoch": epoch, "from": first, "to": last, "reason": reason}


def error(code: str, **changes: Any) -> dict[str, Any]:
    return {"op": "error", "code": code, "message": f"It is {code}.", "temporary": False, "id": None, **changes}


class Stage:
    """One connection, from the server's side."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket

    async def say(self, *frames: dict[str, Any]) -> None:
        for frame in frames:
            await self.socket.send(json.dumps(frame))

    async def hear(self) -> dict[str, Any]:
        return dict(json.loads(await self.socket.recv()))

    async def admit(self, epoch: str = "e", seq: int = 0) -> dict[str, Any]:
        """Greet and confirm; the `sub` frame that came."""
        await self.say({"op": "hello", "epoch": epoch, "seq": seq, "authenticated": True, "limits": {}})
        sub = await self.hear()
        start = sub.get("since") or {"epoch": epoch, "seq": seq}
        await self.say({"op": "ok", "id": sub["id"], **start})
        return sub


@asynccontextmanager
async def playing(*scenes: Scene) -> AsyncIterator[str]:
    """A server with one scene for each connection; the last goes on for all others. Its address."""
    left = list(scenes)

    async def play(socket: ServerConnection) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(Stage(socket))

    async with serve(play, "127.0.0.1", 0, subprotocols=["events.v1"]) as server:  # type: ignore[list-item]
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
