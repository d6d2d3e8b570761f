"""A process to run, and the end of one with everything it started."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)


@dataclass(frozen=True, kw_only=True)
class Process:
    """What to run and how.

    `env`: None passes ours on. `user`, `group`: None keeps ours, else neither has any further group.
    `ready` may block for a second or two and tells whether the process does its work yet.
    `hidden`: lines of output that nobody needs to see.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    user: int | None = None
    group: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 60
    hidden: re.Pattern[str] | None = None

    def popen_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"env": self.env, "cwd": self.cwd, "start_new_session": True}
        if self.user is not None:
            options |= {"user": self.user, "group": self.group, "extra_groups": []}
        return options


def family(pid: int) -> list[psutil.Process]:
    """The living among: the process, its descendants, and its process group, whose leader may be gone."""
    members = {process for other in psutil.pids() if _group(other) == pid and (process := _process(other))}
    if leader := _process(pid):
        members.add(leader)
        with suppress(*GONE):
            members.update(leader.children(recursive=True))
    return [process for process in members if lives(process)]


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except GONE:
        return None


def lives(process: psutil.Process) -> bool:
    """A zombie does not: whose child it is decides when it disappears."""
    with suppress(*GONE):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(*GONE):
            process.send_signal(number)


def wait_until_gone(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Blocks; returns those that still live after that time."""
    deadline = time.monotonic() + seconds
    left = [process for process in processes if lives(process)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [process for process in left if lives(process)]
    return left


def end(pid: int, stop_signal: signal.Signals, seconds: float) -> None:
    """Ask the process to stop, wait that long at most, and kill what is left of it and of all it started."""
    members = family(pid)
    leader = [process for process in members if process.pid == pid]
    send(leader, stop_signal)
    wait_until_gone(leader, seconds)
    kill({*members, *family(pid)})


def kill(processes: Iterable[psutil.Process]) -> None:
    killed = list(processes)
    send(killed, signal.SIGKILL)
    wait_until_gone(killed, 10)
