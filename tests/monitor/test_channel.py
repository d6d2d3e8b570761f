"""Sending to the group of the feed from a worker."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.conf import settings

from monitor import channel
from monitor.tasks import broadcast
from tests.monitor.watching import append, watching


def connections_received(client: "redis.Redis") -> int:
    return int(client.info("stats")["total_connections_received"])


@pytest.fixture
def broker() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL)


def test_many_messages_from_many_threads_take_one_connection(broker: "redis.Redis") -> None:
    before = connections_received(broker)
    with broker, ThreadPoolExecutor(4) as threads:
        for sent in [threads.submit(channel.send, "nobody", {"type": "feed.batch"}) for _ in range(200)]:
            sent.result()
        assert connections_received(broker) == before + 1


def test_a_forked_process_sends_by_a_connection_of_its_own() -> None:
    channel.send("nobody", {"type": "feed.batch"})
    child = os.fork()
    if child == 0:
        try:
            channel.send("nobody", {"type": "feed.batch"})
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    channel.send("nobody", {"type": "feed.batch"})


async def test_the_task_shows_what_was_announced() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        batch = await append([("sensors", "reading")])
        with ThreadPoolExecutor(1) as worker:
            worker.submit(broadcast, batch.epoch, batch.last).result()
        assert (await watcher.frame())["matched"] == 1
