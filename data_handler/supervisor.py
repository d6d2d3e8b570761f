"""Starts processes in order, starts again what dies, and stops all in reverse order."""

import asyncio
import signal
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

from data_handler.console import Console
from data_handler.embedded.run_file import RunFile
from data_handler.process import Process, end, family, kill

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
SETTLED_SECONDS = 10.0
MOST_FAILED_STARTS = 5
POLL_SECONDS = 0.05
FOREGROUND_STOP_SECONDS = 5.0


class ProcessFailed(Exception):
    """There is no point in going on; the message says which process and where to look."""


class Supervisor:
    """For one use: `run` takes a plan, which calls `start`, `step` and `foreground` in its order."""

    def __init__(self, console: Console, run_file: RunFile) -> None:
        self._console = console
        self._run_file = run_file
        self._groups: list[list[_Child]] = []
        self._main: asyncio.Future[int] | None = None
        self._failure: ProcessFailed | None = None
        self._stopping = False

    async def run(self, plan: Callable[["Supervisor"], Awaitable[int]]) -> int:
        """The plan's status; 0 after SIGINT, SIGTERM or SIGHUP; 1 after a failure. No process remains."""
        self._main = asyncio.ensure_future(plan(self))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)
        try:
            return await self._main
        except asyncio.CancelledError:
            return self._report(self._failure)
        except ProcessFailed as failure:
            return self._report(failure)
        finally:
            self._stopping = True
            for group in reversed(self._groups):
                await asyncio.gather(*(child.stop() for child in group))

    async def start(self, *processes: Process) -> None:
        """Start them together and keep them alive from now on; returns when all are ready."""
        group = [_Child(process, self._console, self._run_file) for process in processes]
        self._groups.append(group)
        for child in group:
            child.keep(self._fail)
        await asyncio.gather(*(child.until_ready() for child in group))

    async def step(self, process: Process) -> str:
        """Run it to its end; returns what it wrote to its standard output. Raises ProcessFailed."""
        child = _Child(process, self._console, self._run_file)
        self._groups.append([child])
        written: list[str] = []
        child.spawn(written.append)
        status = await child.wait()
        if status != 0:
            for text in written:
                self._console.line(process.name, text)
            raise ProcessFailed(f"{process.name} failed with status {status}: see its lines above.")
        return "\n".join(written)

    async def foreground(self, command: Sequence[str], env: Mapping[str, str]) -> int:
        """Run a command that has the terminal to itself; returns its status."""
        popen, ended = _spawn(command, env=env)
        try:
            await ended.wait()
        finally:
            if popen.poll() is None:
                await asyncio.to_thread(end, popen.pid, signal.SIGTERM, FOREGROUND_STOP_SECONDS)
        return popen.wait()

    async def forever(self) -> int:
        await asyncio.Event().wait()
        return 0

    def _on_signal(self) -> None:
        if self._stopping:
            for child in (child for group in self._groups for child in group):
                child.kill()
        elif self._main:
            self._console.say("Stopping. Once more kills at once.")
            self._stopping = True
            self._main.cancel()

    def _fail(self, failure: ProcessFailed) -> None:
        if self._main and not self._stopping:
            self._failure = failure
            self._main.cancel()

    def _report(self, failure: ProcessFailed | None) -> int:
        if failure is None:
            return 0
        self._console.say(str(failure))
        return 1


class _Child:
    def __init__(self, process: Process, console: Console, run_file: RunFile) -> None:
        self._process = process
        self._console = console
        self._run_file = run_file
        self._spawned: tuple[subprocess.Popen[str], asyncio.Event] | None = None
        self._readers: list[threading.Thread] = []
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._stop = asyncio.Event()

    @property
    def _pid(self) -> int | None:
        """None while it does not run."""
        if self._spawned is None or self._spawned[0].poll() is not None:
            return None
        return self._spawned[0].pid

    def spawn(self, write: Callable[[str], None] | None = None) -> None:
        """Start it. All that it writes goes to the console; its standard output to `write`, if given."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE if write else subprocess.STDOUT}
        try:
            popen, ended = _spawn(
                self._process.command, stdin=subprocess.DEVNULL, **pipes, **self._process.popen_options()
            )
        except OSError as error:
            raise ProcessFailed(f"{self._process.name} cannot be started: {error}") from error
        self._spawned = popen, ended
        self._run_file.add(self._process.name, popen.pid, self._process.stop_signal)
        targets = ((popen.stdout, write or self._show), (popen.stderr, self._show))
        self._readers = [_read(stream, target) for stream, target in targets if stream]

    def keep(self, fail: Callable[[ProcessFailed], None]) -> None:
        self._keeper = asyncio.create_task(self._keep(fail))

    async def until_ready(self) -> None:
        """Raises ProcessFailed when the time for it is over."""
        if self._process.ready is None:
            return
        deadline = time.monotonic() + self._process.ready_seconds
        while not (await asyncio.to_thread(self._process.ready) and self._pid):
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready after {self._process.ready_seconds:g} s")
            await asyncio.sleep(POLL_SECONDS)
        self._ready.set()

    async def wait(self) -> int:
        """The status with which it ended. What it left behind is killed, its last lines are written."""
        if self._spawned is None:
            raise self._failure("was not started")
        popen, ended = self._spawned
        await ended.wait()
        await asyncio.to_thread(self._clear, popen.pid)
        self._run_file.remove(self._process.name)
        return popen.returncode

    async def stop(self) -> None:
        self._stop.set()
        if pid := self._pid:
            await asyncio.to_thread(end, pid, self._process.stop_signal, self._process.stop_seconds)
            await self.wait()
        if self._keeper:
            await self._keeper

    def kill(self) -> None:
        if pid := self._pid:
            kill(family(pid))

    async def _keep(self, fail: Callable[[ProcessFailed], None]) -> None:
        pause, failed_starts = FIRST_PAUSE_SECONDS, 0
        while not self._stop.is_set():
            started_at = time.monotonic()
            try:
                self.spawn()
            except ProcessFailed as failure:
                return fail(failure)
            status = await self.wait()
            if self._stop.is_set():
                return
            if time.monotonic() - started_at >= SETTLED_SECONDS:
                pause, failed_starts = FIRST_PAUSE_SECONDS, 0
                self._ready.set()
            failed_starts += 1
            if failed_starts == MOST_FAILED_STARTS and not self._ready.is_set():
                return fail(self._failure(f"ended {failed_starts} times, at last with status {status}"))
            name = self._process.name
            self._console.say(f"{name} exited with status {status}, starting again in {pause:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _failure(self, what: str) -> ProcessFailed:
        command = " ".join(self._process.command)
        return ProcessFailed(f"{self._process.name} {what}: see its lines above. It was started as: {command}")

    def _show(self, text: str) -> None:
        if not (self._process.hidden and self._process.hidden.search(text)):
            self._console.line(self._process.name, text)

    def _clear(self, pid: int) -> None:
        kill(family(pid))
        for reader in self._readers:
            reader.join(1)


def _spawn(command: Sequence[str], **options: object) -> tuple[subprocess.Popen[str], asyncio.Event]:
    """The process, and an event that is set when it has ended."""
    popen = subprocess.Popen(command, text=True, errors="replace", **options)  # type: ignore[call-overload]
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def watch() -> None:
        popen.wait()
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True).start()
    return popen, ended


def _read(stream: IO[str], write: Callable[[str], None]) -> threading.Thread:
    def relay() -> None:
        with stream:
            for line in stream:
                write(line.rstrip("\n"))

    thread = threading.Thread(target=relay, daemon=True)
    thread.start()
    return thread
