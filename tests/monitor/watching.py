"""A client of the live feed, and arrivals for it to see."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from ingest import feed
from ingest.feed import Announcement, Position
from monitor.batches import Batch
from monitor.broadcast import broadcast
from monitor.routing import websocket_urlpatterns

Arrival = tuple[str, str | None]
PAGE = [(b"host", b"events.example"), (b"origin", b"https://events.example")]


def announcement(arrivals: Sequence[Arrival], shown: int = 200, first: int = 0) -> Announcement:
    """What ingestion tells of these arrivals; `events` are JSON texts numbered from `first`."""
    events = [
        (stream, type, json.dumps({"stream": stream, "type": type, "number": first + number}))
        for number, (stream, type) in enumerate(arrivals)
    ]
    counts = [[stream, type, count] for (stream, type), count in Counter(arrivals).items()]
    return {
        "producer": feed.new_producer(),
        "before": 0,
        "n": len(arrivals),
        "counts": counts,
        "events": events[-shown:],
        "accepted_at": 0.0,
    }


async def publish(arrivals: Sequence[Arrival], shown: int = 200, first: int = 0) -> Batch:
    """Announce, and show to who watches."""
    batch = await append(arrivals, shown, first)
    assert await asyncio.to_thread(broadcast, Position(batch.epoch, batch.last))
    return batch


async def append(arrivals: Sequence[Arrival], shown: int = 200, first: int = 0) -> Batch:
    """Announce: it has its numbers and stands in the log, and nobody was told."""
    position = await asyncio.to_thread(feed.append, announcement(arrivals, shown, first))
    assert position is not None
    entry = await asyncio.to_thread(feed.entry, position)
    assert entry is not None
    return Batch.of_entry(position.epoch, entry)


class Watcher(WebsocketCommunicator):  # type: ignore[misc]
    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """Send a frame; the next frame that comes."""
        await self.send_json_to({"op": op, **fields})
        return await self.frame()

    async def frame(self, timeout_seconds: float = 3) -> dict[str, Any]:
        answer: dict[str, Any] = await self.receive_json_from(timeout_seconds)
        return answer

    async def frames_until(self, seq: int) -> list[dict[str, Any]]:
        """All frames up to the one that ends with this number."""
        frames = [await self.frame()]
        while frames[-1]["to"] < seq:
            frames.append(await self.frame())
        return frames

    async def closing(self, timeout_seconds: float = 3) -> tuple[str, int]:
        """The code of the error that comes, and the close code after it."""
        error = await self.frame(timeout_seconds)
        assert error["op"] == "error", error
        closed = await self.receive_output(timeout_seconds)
        assert closed["type"] == "websocket.close", closed
        return error["code"], closed["code"]


@asynccontextmanager
async def dialled(
    headers: list[tuple[bytes, bytes]] | None = None,
    *,
    user: AbstractBaseUser | AnonymousUser | None = None,
    subprotocols: list[str] | None = None,
    application: Any = None,
) -> AsyncIterator[Watcher]:
    """A client that has not connected yet; everything of it is closed at the end."""
    router = application or URLRouter(websocket_urlpatterns)
    watcher = Watcher(router, "/ws/events/", headers or [], subprotocols)
    if user is not None:
        watcher.scope["user"] = user
    try:
        yield watcher
    finally:
        await watcher.disconnect(timeout=5)
        await get_channel_layer().flush()


@asynccontextmanager
async def watching(**options: Any) -> AsyncIterator[Watcher]:
    """A page that an administrator has open, after its hello."""
    async with dialled(PAGE, user=User(pk=1, is_superuser=True), **options) as watcher:
        assert (await watcher.connect())[0]
        hello = await watcher.frame()
        assert hello["op"] == "hello"
        assert hello["authenticated"]
        yield watcher
