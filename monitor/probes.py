"""Asking something that may hang."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

MOST_THREADS = 16

_threads = ThreadPoolExecutor(max_workers=MOST_THREADS, thread_name_prefix="probe")
_running: dict[Callable[[], object], "Future[object]"] = {}


async def run(probe: Callable[[], Any], timeout_seconds: float) -> Any:
    """What the probe returns. Raises what it raises, or TimeoutError.

    One run of a probe at a time, however many ask: a service that hangs takes one thread, not all.
    """
    future = _running.get(probe)
    if future is None or future.done():
        future = _running[probe] = _threads.submit(_attempt, probe)
    async with asyncio.timeout(timeout_seconds):
        result = await asyncio.shield(asyncio.wrap_future(future))
    if isinstance(result, Exception):
        raise result
    return result


def _attempt(probe: Callable[[], object]) -> object:
    """What it returns or raises: by then nobody may be waiting any more, and asyncio would complain of that."""
    try:
        return probe()
    except Exception as error:
        return error
