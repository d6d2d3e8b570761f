"""From what a client asks for to what it gets: `sub` frames become subscriptions, if it may see what they name."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis import RedisError

from access.errors import PermissionDenied
from access.models import Scope
from access.principals import Principal
from ingest import feed
from ingest.feed import Position
from monitor import filters
from monitor.errors import Refused, Unavailable
from monitor.filters import Filter, InvalidFilter
from monitor.frames import Sub
from monitor.hub import hub
from monitor.stats import Streams
from monitor.subscriptions import Subscription

logger = logging.getLogger(__name__)

REDIS_SECONDS = 5.0


def visible_streams(frame: Sub, principal: Principal) -> Streams:
    """Those of a subscription; None for all. Raises Refused for one that the principal may not read."""
    if frame.stream is None:
        return principal.reach(Scope.READ).streams
    try:
        principal.require(Scope.READ, stream=frame.stream)
    except PermissionDenied as error:
        raise Refused(error.detail, code=error.code) from error
    return frozenset({frame.stream})


async def subscription(frame: Sub, streams: Streams) -> Subscription:
    """From the present on, or from `since`. Raises Refused, or Unavailable when Redis is away."""
    try:
        filter = Filter(streams, frame.type, filters.parse(frame.filter or ""))
    except InvalidFilter as error:
        raise Refused(str(error), code="bad_filter") from error
    if frame.since is None:
        return Subscription(frame.id, filter, hub().position, max_rate=frame.max_rate)
    since = Position(frame.since.epoch, frame.since.seq)
    async with redis_needed():
        end = await asyncio.to_thread(feed.position)
    if since.epoch == end.epoch and since.seq > end.seq:
        raise Refused(f"The feed has not come so far: its position is {end.seq}.", code="bad_since")
    return Subscription(frame.id, filter, since, live=False, max_rate=frame.max_rate)


@asynccontextmanager
async def redis_needed() -> AsyncIterator[None]:
    """Raises Unavailable when what is inside cannot reach Redis."""
    try:
        async with asyncio.timeout(REDIS_SECONDS):
            yield
    except (RedisError, OSError) as error:
        logger.warning("The live feed cannot be joined: %s", error)
        raise Unavailable("The live feed is out of order for the moment.") from error
