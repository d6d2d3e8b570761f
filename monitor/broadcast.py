"""Showing an announcement to every process in which somebody watches: one message to the group of the feed."""

from typing import Any

from ingest import feed
from ingest.feed import Entry, Position
from monitor import channel

GROUP = "feed"


def broadcast(position: Position) -> bool:
    """Send the announcement that ended at this position; False when it is not kept any more.

    Raises redis.RedisError, or TimeoutError when the group could not be told in time: whoever watches finds the hole
    and reads it in the log.
    """
    entry = feed.entry(position)
    if entry is None:
        return False
    channel.send(GROUP, message(position.epoch, entry))
    return True


def message(epoch: str, entry: Entry) -> dict[str, Any]:
    return {
        "type": "feed.batch",
        "epoch": epoch,
        "from": entry.first,
        "to": entry.last,
        "counts": entry.counts,
        "events": entry.events,
    }
