import asyncio
from typing import Any

import pytest

from data_handler.bounded import Bounded


class Slow:
    """An application that ends when it is let go, and knows how many are in it."""

    def __init__(self) -> None:
        self.inside = 0
        self.let_go = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.inside += 1
        await self.let_go.wait()


async def test_no_more_than_the_bound_run_at_once_and_probes_never_wait() -> None:
    slow = Slow()
    bounded = Bounded(slow, most=2)
    requests = [asyncio.create_task(bounded({"path": "/admin/login/"}, None, None)) for _ in range(5)]
    await asyncio.sleep(0.01)
    assert slow.inside == 2
    requests.append(asyncio.create_task(bounded({"path": "/health/live"}, None, None)))
    await asyncio.sleep(0.01)
    assert slow.inside == 3
    slow.let_go.set()
    await asyncio.gather(*requests)
    assert slow.inside == 6


async def test_who_drains_waits_until_those_inside_are_answered_and_lets_no_more_in() -> None:
    slow = Slow()
    bounded = Bounded(slow, most=2)
    request = asyncio.create_task(bounded({"path": "/"}, None, None))
    await asyncio.sleep(0.01)
    drain = asyncio.create_task(bounded.drain(60))
    await asyncio.sleep(0.01)
    assert not drain.done()
    slow.let_go.set()
    await drain
    assert request.done()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bounded({"path": "/"}, None, None), 0.01)


async def test_who_drains_waits_no_longer_than_said() -> None:
    bounded = Bounded(Slow(), most=2)
    request = asyncio.create_task(bounded({"path": "/"}, None, None))
    await asyncio.sleep(0.01)
    await bounded.drain(0.01)
    assert not request.done()
    request.cancel()
