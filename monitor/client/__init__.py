"""A client of the live feed: the protocol of docs/live-feed.md, seen from the other side. Needs no settings."""

from monitor.client.coverage import Coverage, Position
from monitor.client.errors import BadArgument, ClientError, ProtocolViolation, Refused
from monitor.client.feed import Feed
from monitor.client.frames import Event, Events, Gap, Stats
from monitor.client.state import Phase, State, Subscription

__all__ = [
    "BadArgument",
    "ClientError",
    "Coverage",
    "Event",
    "Events",
    "Feed",
    "Gap",
    "Phase",
    "Position",
    "ProtocolViolation",
    "Refused",
    "State",
    "Stats",
    "Subscription",
]
