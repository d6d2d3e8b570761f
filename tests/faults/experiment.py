"""One run: traffic, one fault after the other, and the comparison at the end."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.faults.check import Problem, compare
from tests.faults.evidence import Sent, Stored, count_unannounced, read_buffer_keys, read_stored
from tests.faults.faults import FORGETFUL, RECOVERY_SECONDS, STOPS_ACCEPTANCE, Episode, Fault, judge
from tests.faults.hearing import Numbered, compare_heard
from tests.faults.injection import inject, until
from tests.faults.installation import Installation, NotReady
from tests.faults.traffic import Traffic
from tests.faults.watchers import Heard, Watchers

SECONDS_PER_FAULT = 6.0
EMPTY_SECONDS = 90.0
BEGIN_SECONDS = 20.0
NUMBERED_SECONDS = 30.0  # what a dead process took along is given its numbers by the tick of every 10 s
RETURN_SECONDS = 60.0  # watchers that pause for up to 30 s before they try again
SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Options:
    """`events`: how many are sent at least; `pause_seconds`: from and to, between two faults."""

    events: int
    batch: int
    seed: int
    pause_seconds: tuple[float, float] = (0.5, 2.0)


@dataclass(frozen=True)
class Result:
    """`heard`: what each watcher was told; `numbered`: what the feed gave out."""

    episodes: list[Episode]
    sent: Sent
    stored: Stored
    heard: list[Heard]
    numbered: Numbered
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
        self._ends: dict[str, int] = {}

    async def run(self) -> Result:
        """Raises NotReady when the installation does not start, or a process that is to be struck is missing."""
        try:
            await asyncio.to_thread(self.installation.start)
            watchers = Watchers(self.installation.url, self.installation.key, self._rng)
            self.traffic = self._new_traffic()
            async with watchers, self.traffic as traffic:
                if not await until(watchers.have_begun, BEGIN_SECONDS):
                    raise NotReady(f"The live feed cannot be watched: see {self.installation.log}")
                await self._send_under_faults(traffic)
                await self._settle(traffic, watchers)
            return await self._result(traffic, watchers)
        finally:
            await asyncio.to_thread(self.installation.stop)

    async def _send_under_faults(self, traffic: Traffic) -> None:
        sending = asyncio.create_task(traffic.run())
        sampling = asyncio.create_task(self._sample())
        try:
            await self._inject_all(traffic)
        finally:
            traffic.stop()
            await sending
            sampling.cancel()

    async def _sample(self) -> None:
        while True:
            await asyncio.to_thread(self._note_position)
            await asyncio.sleep(SAMPLE_SECONDS)

    def _note_position(self) -> None:
        if position := self.installation.position():
            self._ends[position[0]] = position[1]

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

    async def _settle(self, traffic: Traffic, watchers: Watchers) -> None:
        """Until all is stored, what can be numbered is, and watchers were told."""
        await until(self._is_numbered, NUMBERED_SECONDS)
        await traffic.send_last()
        await until(self._is_empty, EMPTY_SECONDS)
        await until(lambda: self._are_told(watchers), RETURN_SECONDS)

    async def _result(self, traffic: Traffic, watchers: Watchers) -> Result:
        jobs_taken = await until(self.installation.takes_jobs, RECOVERY_SECONDS)
        stored = await asyncio.to_thread(read_stored, self.installation.home)
        problems = [problem for episode in self.episodes for problem in judge(episode)]
        if not jobs_taken:
            problems.append(Problem("jobs did not come back", ("the task stays in the queue",)))
        for answer, count in Counter(traffic.odd_answers).items():
            problems.append(Problem("unexpected answer", (f"{answer} ({count} times)",)))
        numbered = Numbered(self._all_ends(watchers), self._unheard())
        problems = [*compare(traffic.sent, stored), *compare_heard(watchers.heard, numbered, stored), *problems]
        return Result(self.episodes, traffic.sent, stored, watchers.heard, numbered, problems)

    def _all_ends(self, watchers: Watchers) -> dict[str, int]:
        """Watchers may have heard of numbers that no sample met."""
        return {
            epoch: max([seq, *(heard.ends.get(epoch, 0) for heard in watchers.heard)])
            for epoch, seq in self._ends.items()
        }

    def _unheard(self) -> int:
        """Of processes that die while they announce; what they took along is numbered, unless the numbering ends."""
        deadly = (*STOPS_ACCEPTANCE, FORGETFUL.target)
        return sum(episode.exposed for episode in self.episodes if episode.fault.target in deadly)

    def _are_told(self, watchers: Watchers) -> bool:
        self._note_position()
        return bool(self._ends) and watchers.are_at(*list(self._ends.items())[-1])

    def _is_numbered(self) -> bool:
        try:
            return count_unannounced(self.installation.home) == 0
        except redis.RedisError:
            return False

    def _is_empty(self) -> bool:
        try:
            return not read_buffer_keys(self.installation.home)
        except redis.RedisError:
            return False
