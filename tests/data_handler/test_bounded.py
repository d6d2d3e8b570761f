import asyncio
from typing import Any

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
