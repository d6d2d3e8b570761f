"""A web process that is asked to stop."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest

from data_handler import embedded
from tests.faults.injection import until
from tests.faults.installation import Installation

pytestmark = pytest.mark.stack

PATIENCE_SECONDS = 20
LATER_SECONDS = 1.0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path)
    installation.start()
    yield installation
    installation.stop()
    embedded.remove(installation.home)


async def test_it_answers_what_is_under_way_and_takes_no_more_events(service: Installation) -> None:
    web = service.pid_of("web")
    assert web is not None
    with client(service) as reader, client(service) as sender, psycopg.connect(service.home.database_url) as database:
        assert takes_events(sender)
        database.execute("LOCK TABLE event IN ACCESS EXCLUSIVE MODE")
        answer = asyncio.create_task(asyncio.to_thread(reader.get, "/api/streams/default/events/"))
        assert await until(lambda: is_waited_for(database), PATIENCE_SECONDS)
        os.kill(web, signal.SIGTERM)
        assert await until(lambda: not takes_events(sender), PATIENCE_SECONDS)
        await asyncio.sleep(LATER_SECONDS)
        assert not answer.done()
        database.rollback()
        assert (await answer).status_code == 200


def client(service: Installation) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {service.key}"}
    return httpx2.Client(base_url=service.url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False)


def takes_events(sender: httpx2.Client) -> bool:
    try:
        return sender.post("/api/events/", json={"n": 1}).status_code == 202
    except httpx2.TransportError:
        return False


def is_waited_for(database: psycopg.Connection) -> bool:
    found = database.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'event'::regclass")
    return found.fetchone() is not None
