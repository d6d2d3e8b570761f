"""`tail` and `top` on a terminal: how the connection stands is always in sight."""

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.faults.installation import PROJECT
from tests.monitor.stage import Stage, error, events, playing
from tests.monitor.test_top import stats


class Terminal:
    """What a program writes on it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def shows(self, *texts: str) -> None:
        """Returns when all of them have been written, in whatever order."""
        written = ""
        async with asyncio.timeout(30):
            while not all(text in written for text in texts):
                written += (await asyncio.to_thread(os.read, self._descriptor, 65_536)).decode(errors="replace")


@contextmanager
def running(command: str, url: str) -> Iterator[Terminal]:
    ours, its = pty.openpty()
    environment = {**os.environ, "DATA_HANDLER_KEY": "dh_test", "TERM": "xterm", "COLUMNS": "200", "LINES": "50"}
    arguments = [sys.executable, "manage.py", command, "--url", url]
    with subprocess.Popen(arguments, cwd=PROJECT, env=environment, stdin=its, stdout=its, stderr=its) as program:
        os.close(its)
        try:
            yield Terminal(ours)
        finally:
            program.kill()
            os.close(ours)


async def send_away(stage: Stage) -> None:
    await stage.say(error("unavailable", temporary=True))
    await stage.socket.close(4503)


@pytest.mark.parametrize(
    ("command", "frame", "figures"),
    [("tail", events(1, 5, shown=2), "2 shown, 3 omitted, 0 missing"), ("top", stats(), "120,334")],
)
async def test_figures_and_state_are_shown_and_a_lost_feed_is_not_taken_for_a_quiet_one(
    command: str, frame: dict[str, Any], figures: str
) -> None:
    leave = asyncio.Event()

    async def scene(stage: Stage) -> None:
        await stage.admit()
        await stage.say(frame)
        await leave.wait()
        await send_away(stage)

    async with playing(scene, send_away) as url:
        with running(command, url) as terminal:
            await terminal.shows("live", "events/s", figures)
            leave.set()
            await terminal.shows("waiting", "It is unavailable.", figures)
