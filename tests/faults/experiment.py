"""One run: traffic, one fault after the other, and the comparison at the end."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.faults.check import Problem, compare
from tests.faults.evidence import Sent, Stored, read_buffer_keys, read_stored
from tests.faults.faults import RECOVERY_SECONDS, Episode, Fault, judge
from tests.faults.injection import inject, until
from tests.faults.installation import Installation
from tests.faults.traffic import Traffic

SECONDS_PER_FAULT = 6.0
EMPTY_SECONDS = 90.0


@dataclass(frozen=True)
class Options:
    """`events`: how many are sent at least; `pause_seconds`: from and to, between two faults."""

    events: int
    batch: int
    seed: int
    pause_seconds: tuple[float, float] = (0.5, 2.0)


@dataclass(frozen=True)
class Result:
    episodes: list[Episode]
    sent: Sent
    stored: Stored
    problems: list[Problem]


class Experiment:
    """`folder` is where the installation lives. `episodes` and `traffic` can be watched meanwhile."""

    def __init__(self, folder: Path, faults: Sequence[Fault], options: Options) -> None:
        self.faults = faults
        self.options = options
        self.episodes: list[Episode] = []
        self.traffic: Traffic | None = None
        self.installation = Installation(folder)
        self._rng = random.Random(options.seed)

    async def run(self) -> Result:
        """Raises NotReady when the installation does not start, or a process that is to be struck is missing."""
        try:
            await asyncio.to_thread(self.installation.start)
            traffic = self.traffic = self._new_traffic()
            sending = asyncio.create_task(traffic.run())
            try:
                await self._inject_all(traffic)
            finally:
                traffic.stop()
                await sending
            return await self._result(traffic)
        finally:
            await asyncio.to_thread(self.installation.stop)

    def _new_traffic(self) -> Traffic:
        return Traffic(
            self.installation.url,
            self.installation.key,
            batch=self.options.batch,
            events_per_second=self.options.events / (len(self.faults) * SECONDS_PER_FAULT),
            rng=self._rng,
        )

    async def _inject_all(self, traffic: Traffic) -> None:
        for fault in self.faults:
            await asyncio.sleep(self._rng.uniform(*self.options.pause_seconds))
            self.episodes.append(await inject(fault, self.installation, traffic, self._rng))
        await until(lambda: traffic.sent.total >= self.options.events, RECOVERY_SECONDS)

    async def _result(self, traffic: Traffic) -> Result:
        await until(self._is_empty, EMPTY_SECONDS)
        jobs_taken = await until(self.installation.takes_jobs, RECOVERY_SECONDS)
        stored = await asyncio.to_thread(read_stored, self.installation.home)
        problems = [problem for episode in self.episodes for problem in judge(episode)]
        if not jobs_taken:
            problems.append(Problem("jobs did not come back", ("the task stays in the queue",)))
        for answer, count in Counter(traffic.odd_answers).items():
            problems.append(Problem("unexpected answer", (f"{answer} ({count} times)",)))
        return Result(self.episodes, traffic.sent, stored, [*compare(traffic.sent, stored), *problems])

    def _is_empty(self) -> bool:
        try:
            return not read_buffer_keys(self.installation.home)
        except redis.RedisError:
            return False
