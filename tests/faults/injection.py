"""Striking a process under traffic, and watching how all comes back."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence

import psutil

from data_handler.process import kill
from tests.faults.faults import (
    EVERYTHING,
    FORGETFUL,
    FREEZE_SECONDS,
    RECOVERY_SECONDS,
    UNANNOUNCED,
    UNPOPPED,
    Episode,
    Fault,
)
from tests.faults.installation import Installation, freeze, thaw
from tests.faults.traffic import REFUSED, UNANSWERED, Traffic

POLL_SECONDS = 0.05
EXPOSED_SECONDS = 2.0
UNANNOUNCED_SECONDS = 0.5


async def inject(fault: Fault, installation: Installation, traffic: Traffic, rng: random.Random) -> Episode:
    """Returns when events are accepted, stored and shown again, or did not come back in time."""
    before = _pids(fault, installation)
    struck_at = time.monotonic()
    pids = await asyncio.to_thread(_strike, fault, installation, rng)
    released_at = time.monotonic()
    if fault == EVERYTHING:
        await asyncio.to_thread(installation.start)
    elif fault.reach not in ("child", "freeze"):
        await until(lambda: _pids(fault, installation).isdisjoint({None, *before}), RECOVERY_SECONDS)
    storing_at, showing_at = await asyncio.gather(
        _until_changed(installation.last_flush), _until_changed(installation.position)
    )
    await until(lambda: traffic.accepted_since(released_at) is not None, RECOVERY_SECONDS)

    def seconds(moment: float | None) -> float | None:
        return None if moment is None else moment - released_at

    attempts = list(traffic.ended_since(struck_at))
    refused = [attempt for attempt in attempts if attempt.status == REFUSED]
    return Episode(
        fault=fault,
        pids=pids,
        accepting_seconds=seconds(traffic.accepted_since(released_at)),
        storing_seconds=seconds(storing_at),
        showing_seconds=seconds(showing_at),
        refused=len(refused),
        unanswered=sum(attempt.status == UNANSWERED for attempt in attempts),
        frozen_refusals=sum(attempt.ended_at < released_at for attempt in refused) if fault.freezes else 0,
        slowest_seconds=max((attempt.seconds for attempt in attempts), default=0.0),
        exposed=sum(
            attempt.events
            for attempt in traffic.ended_since(struck_at - EXPOSED_SECONDS)
            if attempt.sent_at < released_at
        ),
    )


def _pids(fault: Fault, installation: Installation) -> set[int | None]:
    return {installation.pid_of(name) for name in fault.processes}


def _strike(fault: Fault, installation: Installation, rng: random.Random) -> list[int]:
    """The processes that were struck. Returns when they are dead, or thawed."""
    if fault == EVERYTHING:
        return installation.kill()
    if fault == UNPOPPED:
        return _kill_unpopped(installation, rng)
    if fault == UNANNOUNCED:
        return _kill_unannounced(installation, rng)
    struck: Sequence[psutil.Process] = installation.members(fault.target, fault.reach, rng)
    if fault == FORGETFUL:
        installation.forget_feed()
    if not fault.freezes:
        kill(struck)
    else:
        freeze(struck)
        time.sleep(FREEZE_SECONDS[fault.target])
        thaw(struck)
    return [process.pid for process in struck]


def _kill_unpopped(installation: Installation, rng: random.Random) -> list[int]:
    """Freeze the buffer while a flush writes, so that it commits and cannot pop; then kill both."""
    flush = installation.members("flush", "whole", rng)
    buffer = installation.members("buffer", "whole", rng)
    with installation.held_flush():
        freeze(buffer)
    kill([*flush, *buffer])
    return [process.pid for process in (*flush, *buffer)]


def _kill_unannounced(installation: Installation, rng: random.Random) -> list[int]:
    """Freeze the broker while the web process accepts, so that it cannot announce; then kill it."""
    web = installation.members("web", "whole", rng)
    broker = installation.members("broker", "whole", rng)
    freeze(broker)
    time.sleep(UNANNOUNCED_SECONDS)
    kill(web)
    thaw(broker)
    return [process.pid for process in web]


async def until(done: Callable[[], bool], seconds: float) -> bool:
    """Whether it was done within that time. `done` may block for a second or two."""
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(done):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True


async def _until_changed(read: Callable[[], object]) -> float | None:
    """The moment at which what it reads was seen to change; None: not within the time."""
    known: list[object] = []

    def changed() -> bool:
        value = read()
        if value is not None and value not in known:
            known.append(value)
        return len(known) > 1

    return time.monotonic() if await until(changed, RECOVERY_SECONDS) else None
