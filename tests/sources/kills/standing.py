"""Making a worker stand still at a named place, from outside: a server that holds its answer, a lock, a pause."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import redis
from django.db import connection

from sources.load.staging import LOCK_CLASS
from tests.sources.provider import Handler, Provider

NAME = "kills"  # what the workers call themselves to PostgreSQL


def until(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)


class Held:
    """A server that has sent half of the body, and sends no more."""

    def __init__(self, provider: Provider, body: bytes) -> None:
        self._provider, self._body = provider, body
        self._reached = threading.Event()

    def __call__(self, handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(self._body)))
        handler.end_headers()
        handler.wfile.write(self._body[: len(self._body) // 2])
        self._reached.set()
        self._provider.stopped.wait(30)
        handler.close_connection = True

    def wait(self) -> None:
        assert self._reached.wait(20), "nobody asked"


class Hold:
    """A transaction of the test's own, with locks that workers wait for; until it is released."""

    def __init__(self, held: "psycopg.Connection[Any]") -> None:
        self._connection = held

    def take(self, statement: str, *parameters: object) -> None:
        self._connection.execute(statement.encode(), parameters)

    def take_turn(self, source_id: int) -> None:
        """When the batch of the source's records that is being loaded is committed, so that the next one waits."""
        self.take("SELECT pg_advisory_xact_lock(%s, %s)", LOCK_CLASS, source_id)

    def release(self) -> None:
        self._connection.rollback()


@contextmanager
def holding(*first: object) -> Iterator[Hold]:
    """`first`: a statement and its parameters."""
    with psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}) as held:
        hold = Hold(held)
        if first:
            hold.take(str(first[0]), *first[1:])
        yield hold
        hold.release()


def sessions(condition: str = "true") -> Sequence[Any]:
    """What the workers ask PostgreSQL, or asked before they died."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT query FROM pg_stat_activity WHERE application_name = '{NAME}' AND {condition}")
        return [query for (query,) in cursor.fetchall()]


def wait_for_lock(*words: str) -> None:
    """Until a worker waits for a lock in a statement with these words."""

    def waits() -> bool:
        waiting = sessions("wait_event_type = 'Lock'")
        return any(all(word in query for word in words) for query in waiting)

    until(waits, f"a worker waits for a lock in {' '.join(words)}")


def wait_for_no_session() -> None:
    """Until PostgreSQL has noticed the deaths, and rolled back what was not committed."""
    until(lambda: not sessions(), "PostgreSQL has ended the sessions of the dead")


@contextmanager
def paused(url: str, command: str) -> Iterator[Callable[[], None]]:
    """Nothing is written to that Redis; yields what waits until somebody tries to, by that command."""
    with redis.Redis.from_url(url) as client:

        def wait() -> None:
            until(lambda: any(_is_held(one, command) for one in client.client_list()), f"{command} is held")

        client.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
        try:
            yield wait
        finally:
            client.execute_command("CLIENT", "UNPAUSE")


def _is_held(client: dict[str, str], command: str) -> bool:
    return client["cmd"] == command and "b" in client["flags"]
