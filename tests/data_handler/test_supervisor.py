import asyncio
import io
import os
import re
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from data_handler import supervisor as module
from data_handler.console import Console
from data_handler.embedded.run_file import RunFile
from data_handler.process import Process, lives
from data_handler.supervisor import Supervisor

SLEEP = "import time; print('here', flush=True); time.sleep(60)"
TELLS_ITS_END = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print(time.monotonic(), flush=True)))
print("here", flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("here", flush=True)
time.sleep(60)
"""
Plan = Callable[[Supervisor], Awaitable[int]]


def python(name: str, code: str, **options: object) -> Process:
    return Process(name=name, command=(sys.executable, "-c", code), **options)  # type: ignore[arg-type]


class Bench:
    """Runs plans and keeps what was written."""

    def __init__(self, folder: Path) -> None:
        self._stream = io.StringIO()
        self._run_file = RunFile(folder / "run.json")

    @property
    def output(self) -> str:
        return self._stream.getvalue()

    async def run(self, plan: Plan) -> int:
        return await Supervisor(Console(self._stream), self._run_file).run(plan)

    async def says(self, pattern: str, times: int = 1) -> None:
        async with asyncio.timeout(10):
            while len(re.findall(pattern, self.output)) < times:
                await asyncio.to_thread(time.sleep, 0.01)

    def pid(self, name: str) -> int:
        return int(self._run_file.children[name]["pid"])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Nothing is left of what it started; a server that was there before starts and ends processes as it likes."""
    before = set(psutil.Process().children())
    yield Bench(tmp_path)
    assert set(psutil.Process().children()) <= before


async def test_every_line_says_which_process_wrote_it(bench: Bench) -> None:
    async def plan(supervisor: Supervisor) -> int:
        await supervisor.start(python("web", SLEEP), python("flush", "import sys; sys.exit('oh')"))
        await bench.says(r"oh")
        await bench.says(r"here")
        return 0

    assert await bench.run(plan) == 0
    assert "web      | here\n" in bench.output
    assert "flush    | oh\n" in bench.output
    assert "\x1b" not in bench.output


async def test_lines_that_nobody_needs_are_not_shown(bench: Bench) -> None:
    async def plan(supervisor: Supervisor) -> int:
        code = "print('LOG: all well'); print('WARNING: no')"
        await supervisor.start(python("postgres", code, hidden=re.compile("^LOG:")))
        await bench.says("WARNING: no")
        return 0

    await bench.run(plan)
    assert "all well" not in bench.output


async def test_a_killed_process_is_started_again(bench: Bench) -> None:
    async def plan(supervisor: Supervisor) -> int:
        await supervisor.start(python("web", SLEEP))
        await bench.says("here")
        os.kill(bench.pid("web"), signal.SIGKILL)
        await bench.says("here", times=2)
        return 0

    assert await bench.run(plan) == 0
    assert "web exited with status -9, starting again in 0.2 s\n" in bench.output


async def test_what_a_killed_process_started_does_not_outlive_it(bench: Bench) -> None:
    async def plan(supervisor: Supervisor) -> int:
        await supervisor.start(Process(name="flush", command=("sh", "-c", "sleep 61 & echo here; wait")))
        await bench.says("here")
        (sleep,) = psutil.Process(bench.pid("flush")).children()
        os.kill(bench.pid("flush"), signal.SIGKILL)
        await bench.says("here", times=2)
        assert not lives(sleep)
        return 0

    assert await bench.run(plan) == 0


async def test_each_failed_start_is_followed_by_a_longer_pause_and_the_last_by_the_end(bench: Bench) -> None:
    async def plan(supervisor: Supervisor) -> int:
        await supervisor.start(python("db", SLEEP))
        await supervisor.start(python("web", "raise SystemExit(3)", ready=lambda: False))
        return 0

    assert await bench.run(plan) == 1
    assert re.findall(r"starting again in (\S+) s", bench.output) == ["0.2", "0.4", "0.8", "1.6"]
    assert "web ended 5 times, at last with status 3: see its lines above" in bench.output


async def test_a_process_that_is_never_ready_ends_the_whole(bench: Bench) -> None:
    async def plan(supervisor: Supervisor) -> int:
        await supervisor.start(python("web", SLEEP, ready=lambda: False, ready_seconds=0.3))
        return 0

    assert await bench.run(plan) == 1
    assert "web was not ready after 0.3 s" in bench.output


async def test_a_command_that_does_not_exist_is_named(bench: Bench) -> None:
    async def plan(supervisor: Supervisor) -> int:
        await supervisor.start(Process(name="web", command=("/nowhere/daphne",)))
        return await supervisor.forever()

    assert await bench.run(plan) == 1
    assert "web cannot be started" in bench.output
    assert "/nowhere/daphne" in bench.output


async def test_a_step_hands_over_what_it_wrote(bench: Bench) -> None:
    async def plan(supervisor: Supervisor) -> int:
        code = "import sys; print('key'); print('careful', file=sys.stderr)"
        assert await supervisor.step(python("access", code)) == "key"
        return 0

    assert await bench.run(plan) == 0
    assert bench.output == "access   | careful\n"


async def test_a_failed_step_ends_the_whole_and_shows_what_it_wrote(bench: Bench) -> None:
    async def plan(supervisor: Supervisor) -> int:
        await supervisor.step(python("migrate", "print('no such table'); raise SystemExit(2)"))
        raise AssertionError("unreachable")

    assert await bench.run(plan) == 1
    assert "migrate  | no such table\nmigrate failed with status 2" in bench.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_stops_the_last_started_first(bench: Bench, number: signal.Signals) -> None:
    async def plan(supervisor: Supervisor) -> int:
        await supervisor.start(python("postgres", TELLS_ITS_END))
        await supervisor.start(python("web", TELLS_ITS_END))
        await bench.says("here", times=2)
        os.kill(os.getpid(), number)
        return await supervisor.forever()

    assert await bench.run(plan) == 0
    ends = dict(re.findall(r"^(\w+) +\| ([\d.]+)$", bench.output, re.MULTILINE))
    assert float(ends["web"]) < float(ends["postgres"])
    assert "starting again" not in bench.output


async def test_what_does_not_stop_in_time_is_killed(bench: Bench) -> None:
    async def plan(supervisor: Supervisor) -> int:
        await supervisor.start(python("web", STUBBORN, stop_seconds=0.3))
        await bench.says("here")
        return 7

    assert await bench.run(plan) == 7


async def test_a_second_signal_kills_at_once(bench: Bench) -> None:
    async def plan(supervisor: Supervisor) -> int:
        await supervisor.start(python("web", STUBBORN, stop_seconds=60))
        await bench.says("here")
        os.kill(os.getpid(), signal.SIGINT)
        asyncio.get_running_loop().call_later(0.5, os.kill, os.getpid(), signal.SIGINT)
        return await supervisor.forever()

    started_at = time.monotonic()
    assert await bench.run(plan) == 0
    assert time.monotonic() - started_at < 10


async def test_the_status_of_the_foreground_command_is_the_status_of_all(bench: Bench) -> None:
    async def plan(supervisor: Supervisor) -> int:
        await supervisor.start(python("web", SLEEP))
        command = [sys.executable, "-c", "import os; raise SystemExit(int(os.environ['STATUS']))"]
        return await supervisor.foreground(command, {"STATUS": "5"})

    assert await bench.run(plan) == 5


async def test_a_process_that_lived_long_enough_pauses_shortly_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLED_SECONDS", 0.0)

    async def plan(supervisor: Supervisor) -> int:
        await supervisor.start(python("web", "raise SystemExit(1)"))
        await bench.says("starting again", times=6)
        return 0

    assert await bench.run(plan) == 0
    assert set(re.findall(r"starting again in (\S+) s", bench.output)) == {"0.2"}
