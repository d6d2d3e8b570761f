"""Real PostgreSQL and real Valkey for every test that asks, started once for the run."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.db import connection, connections
from django.test import Client

from access.keys import create_key, known_keys
from access.models import Scope
from data_handler import embedded
from ingest import buffer
from ingest.streams import known_streams


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start whole services begin first: they wait more than they work, and nobody waits for the last."""
    slow = {item.path for item in items if item.get_closest_marker("stack")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def services() -> Iterator[embedded.Services]:
    with embedded.running(settings.HOME) as running:
        yield running
    embedded.remove(settings.HOME)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: embedded.Services) -> None:
    """pytest-django makes the test database once the server is there."""


@pytest.fixture(scope="session")
def postgres_dsn(services: embedded.Services) -> str:
    return str(settings.HOME.database_url)


@pytest.fixture
def redis_clean(services: embedded.Services) -> redis.Redis:
    """The buffer's Valkey, empty; so is the broker's."""
    for url in (settings.BUFFER_REDIS_URL, settings.REDIS_URL):
        with redis.Redis.from_url(url) as client:
            client.flushall()
    return buffer.client()


@pytest.fixture(autouse=True)
def no_connection_left() -> Iterator[None]:
    """Async code reads in a thread that all tests share: where the next may not use the database, it would stumble."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture(autouse=True)
def fresh_snapshots() -> None:
    """Keys and streams of one test are unknown to the next."""
    for snapshot in (known_keys, known_streams):
        snapshot.forget()


@pytest.fixture(autouse=True)
def empty_partitioned_tables(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test that commits, Django empties the tables that it manages; these it does not."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction")):
        blocker = request.getfixturevalue("django_db_blocker")
        with blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE event, event_key")


@pytest.fixture
def token(db: None) -> str:
    """A key that may do everything."""
    return create_key("test", list(Scope))[1]


@pytest.fixture
def api(token: str) -> Client:
    """Django's test client, with a key that may do everything."""
    return Client(headers={"authorization": f"Bearer {token}"})
