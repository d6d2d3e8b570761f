"""A broker that hangs under a whole service: who watches is told, and misses nothing."""

import asyncio
import random
from contextlib import aclosing
from pathlib import Path

import httpx2
import pytest

from monitor.client import Feed, Phase, Subscription
from tests.faults.injection import until
from tests.faults.installation import Installation, freeze, thaw

BEGIN_SECONDS = 30.0
NOTICE_SECONDS = 40.0
RETURN_SECONDS = 60.0


async def read(feed: Feed) -> None:
    async with aclosing(feed.frames()) as frames:
        async for _ in frames:
            pass


@pytest.mark.stack
async def test_while_the_broker_hangs_tail_and_top_say_so_and_then_catch_up(tmp_path: Path) -> None:
    service = Installation(tmp_path)
    try:
        await asyncio.to_thread(service.start)
        tail = Feed(service.url, service.key)
        top = Feed(service.url, service.key, Subscription(mode="stats"))
        reading = [asyncio.create_task(read(feed)) for feed in (tail, top)]
        try:
            assert await until(lambda: are_live(tail, top), BEGIN_SECONDS)
            await through_an_outage(service, tail, top)
        finally:
            for task in reading:
                task.cancel()
            await asyncio.wait(reading)
    finally:
        await asyncio.to_thread(service.stop)


async def through_an_outage(service: Installation, tail: Feed, top: Feed) -> None:
    broker = service.members("broker", "whole", random.Random())
    freeze(broker)
    try:
        assert await until(lambda: are_told(tail, top), NOTICE_SECONDS), (tail.state, top.state)
        headers = {"Authorization": f"Bearer {service.key}"}
        async with httpx2.AsyncClient(base_url=service.url, headers=headers, timeout=30) as client:
            answer = await client.post("/api/events/", json={"n": 1})
        assert answer.status_code == 202
    finally:
        thaw(broker)
    assert await until(lambda: are_live(tail, top) and tail.coverage.shown == 1, RETURN_SECONDS), tail.coverage
    assert not tail.coverage.missing


def are_live(*feeds: Feed) -> bool:
    return all(feed.state.phase is Phase.LIVE for feed in feeds)


def are_told(*feeds: Feed) -> bool:
    return all(feed.state.phase is not Phase.LIVE and "out of order" in feed.state.reason for feed in feeds)
