"""The clients of this process: those that have said who they are, and those that have yet to."""

from typing import Protocol
from weakref import WeakSet

from ingest import counters
from monitor.errors import FeedError, ShuttingDown, TooManyClients

MAX_CLIENTS = 1000
MAX_STRANGERS = 200


class Client(Protocol):
    def fail(self, error: FeedError) -> None: ...


_strangers: "WeakSet[Client]" = WeakSet()
_watchers: "WeakSet[Client]" = WeakSet()


def watchers() -> int:
    return len(_watchers)


def admit_stranger(client: Client) -> None:
    """One that has not said who it is takes no place of those that have. Raises TooManyClients."""
    if len(_strangers) >= MAX_STRANGERS:
        raise TooManyClients("Too many clients wait to authenticate; send the key in the Authorization header.")
    _strangers.add(client)


def check_room() -> None:
    """Raises TooManyClients."""
    if len(_watchers) >= MAX_CLIENTS:
        raise TooManyClients(f"This process serves {MAX_CLIENTS} clients of the live feed already.")


def admit(client: Client) -> None:
    _strangers.discard(client)
    _watchers.add(client)
    counters.gauge("websocket_clients", len(_watchers))


def leave(client: Client) -> None:
    """Does nothing for one that was not admitted."""
    _strangers.discard(client)
    if client in _watchers:
        _watchers.discard(client)
        counters.gauge("websocket_clients", len(_watchers))


def close_all() -> None:
    """Ask everyone to come back later, because this process ends. Call on the event loop."""
    for client in [*_strangers, *_watchers]:
        client.fail(ShuttingDown("The server is shutting down; connect again in a few seconds."))
