"""What is done to the installation, and what it must do meanwhile and afterwards."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.check import Problem

TARGETS = ("flush", "web", "buffer", "postgres", "notify", "jobs", "beat", "broker")
STOPS_ACCEPTANCE = ("web", "buffer", "flush+buffer", "everything")
RESPONSE_SECONDS = 2.0  # "about a second", on a machine that is busy restarting things
FREEZE_SECONDS = {
    "buffer": 3.0,
    "notify": 3.0,
    "postgres": 8.0,  # longer than the directory of keys and streams may be old
}
RECOVERY_SECONDS = 60.0


@dataclass(frozen=True)
class Fault:
    """SIGKILL for a process's `leader`, one `child`, or the `whole` of it; or SIGSTOP and SIGCONT: `freeze`.

    A server that is to `forget` loses its data before it is killed.

    A `target` may be several processes, joined by '+'.
    """

    target: str
    reach: str = "whole"

    @property
    def processes(self) -> list[str]:
        return self.target.split("+")

    @property
    def freezes(self) -> bool:
        return self.reach == "freeze"

    def __str__(self) -> str:
        return f"{'freeze' if self.freezes else 'kill'} {self.target}" + (
            "" if self.reach in ("freeze", "whole") else f" ({self.reach})"
        )


FORGETFUL = Fault("broker", "forget")  # the numbering of the feed ends
EVERYTHING = Fault("everything")
UNANNOUNCED = Fault("web", "between push and announcement")  # it takes along what watchers should have been told
UNPOPPED = Fault("flush+buffer", "between commit and pop")  # chunks are stored and in the list: the ledger's case


@dataclass(frozen=True)
class Episode:
    """One fault and what was seen of it; the seconds count from the kill, or the thaw; None: not within the time.

    `refused`, `unanswered`: requests between the blow and the moment all was well; `frozen_refusals`: of these, those
    refused during the freeze. `slowest_seconds`: the longest that one of them waited for its answer. `exposed`: events
    of requests that were under way at the blow, or answered just before.
    """

    fault: Fault
    pids: Sequence[int]
    accepting_seconds: float | None
    storing_seconds: float | None
    showing_seconds: float | None
    refused: int
    unanswered: int
    frozen_refusals: int
    slowest_seconds: float
    exposed: int


def plan(targets: Sequence[str], kills: int, rng: random.Random) -> list[Fault]:
    """Each target in turn, first as a whole, later a part of it; the rarer blows; everything at last."""
    kill = [
        Fault(targets[n % len(targets)], "whole" if n < len(targets) else rng.choice(("leader", "child")))
        for n in range(kills)
    ]
    freezes = [Fault(target, "freeze") for target in FREEZE_SECONDS if target in targets]
    rarer = [fault for fault in (UNANNOUNCED, UNPOPPED) if set(fault.processes) <= set(targets)]
    return [*kill, *rarer, *freezes, EVERYTHING]


def judge(episode: Episode) -> list[Problem]:
    """What of the promises about availability was not kept."""
    found = [
        Problem(f"{what} did not come back", (str(episode.fault),))
        for what, seconds in (
            ("accepting", episode.accepting_seconds),
            ("storing", episode.storing_seconds),
            ("showing", episode.showing_seconds),
        )
        if seconds is None
    ]
    frozen_buffer = episode.fault == Fault("buffer", "freeze")
    if frozen_buffer and not episode.frozen_refusals:
        found.append(Problem("not refused while the buffer was frozen", (str(episode.fault),)))
    if episode.fault.target not in STOPS_ACCEPTANCE and episode.refused + episode.unanswered:
        counts = f"{episode.fault}: {episode.refused} refused, {episode.unanswered} without an answer"
        found.append(Problem("acceptance was interrupted", (counts,)))
    if episode.fault.target not in ("web", "everything") and episode.slowest_seconds > RESPONSE_SECONDS:
        found.append(Problem("slow to answer", (f"{episode.fault}: {episode.slowest_seconds:.1f} s",)))
    return found
