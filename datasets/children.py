"""Work in a process of its own, which has limits and may die, when this one goes on.

A child leads a group of processes. The group is killed when the child has answered, when its time is up, when it takes
too much memory, when somebody cancels it, and, by itself, when this process dies (`engine/channel.py`).
"""

import logging
import os
import re
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
import psutil
from django.conf import settings

from datasets.engine.channel import LENGTH_BYTES, MOST_BYTES, packed
from datasets.errors import (
    AnalysisError,
    Cancelled,
    Crashed,
    MemoryLimitExceeded,
    Refused,
    SnapshotFailed,
    TimeLimitExceeded,
)
from datasets.kinds.kind import Progress

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
STDERR_BYTES = 8192
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "MALLOC_ARENA_MAX")
ERRORS = {one.code: one for one in (Refused, TimeLimitExceeded, MemoryLimitExceeded, SnapshotFailed, Crashed)}


class Limits(NamedTuple):
    """`memory_bytes`: resident, of the child and of all that it starts."""

    seconds: float
    memory_bytes: int


def limits_of_settings() -> Limits:
    return Limits(settings.ANALYSIS_MAX_SECONDS, settings.ANALYSIS_MAX_MEMORY_BYTES)


def run(
    module: str,
    request: Any,
    limits: Limits,
    on_progress: Progress,
    ended: threading.Event,
    env: Mapping[str, str] | None = None,
) -> Any:
    """The answer of `python -m <module>`, which calls `engine.channel.serve`, to the request.

    Of this process's environment it gets what PASSED_ON names alone, and `env`. No process is left when this returns.
    Raises AnalysisError, and Cancelled soon after `ended` is set.
    """
    child = _Child(module, request, env or {})
    try:
        return _answer(child, limits, on_progress, ended)
    finally:
        child.kill()


def _answer(child: "_Child", limits: Limits, on_progress: Progress, ended: threading.Event) -> Any:
    deadline, look_at = time.monotonic() + limits.seconds, 0.0
    while True:
        is_over = child.is_over()
        for message in child.messages():
            if "progress" in message:
                on_progress(*message["progress"])
            elif "error" in message:
                raise _error(message["error"], message["detail"])
            else:
                return message["result"]
        if is_over:
            raise child.crash()
        if ended.is_set():
            raise Cancelled
        if time.monotonic() >= look_at:
            _check(child, limits, deadline)
            look_at = time.monotonic() + LOOK_SECONDS


def _check(child: "_Child", limits: Limits, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeLimitExceeded(
            "It took longer than an analysis may: choose a shorter window or fewer columns, or raise"
            " ANALYSIS_MAX_SECONDS."
        )
    if child.memory_bytes() > limits.memory_bytes:
        raise MemoryLimitExceeded(
            f"It took more than the {limits.memory_bytes >> 20:,} MB of memory that an analysis may have: choose a"
            " shorter window or fewer columns, or raise ANALYSIS_MAX_MEMORY_MB."
        )


def _error(code: str, detail: str) -> AnalysisError:
    """Whoever reads it need not know where files lie on the machine."""
    detail = re.sub(rf"{re.escape(str(settings.SNAPSHOTS_DIR))}[^\s'\"]*", "…", detail)
    return ERRORS[code](detail) if code in ERRORS else AnalysisError(detail, code)


class _Child:
    def __init__(self, module: str, request: Any, env: Mapping[str, str]) -> None:
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=settings.BASE_DIR,
            env={**kept, **env},
            start_new_session=True,
        )
        self._leader = psutil.Process(self._process.pid)
        self._unsent = packed(request)
        self._received, self._stderr = bytearray(), b""
        self._selector = selectors.DefaultSelector()
        pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        for pipe, turn in zip(pipes, (self._send, self._receive, self._hear), strict=True):
            assert pipe
            os.set_blocking(pipe.fileno(), False)
            kind = selectors.EVENT_WRITE if pipe is self._process.stdin else selectors.EVENT_READ
            self._selector.register(pipe, kind, turn)

    def is_over(self) -> bool:
        """Whether it has ended; its id is its own until `kill`."""
        with suppress(psutil.NoSuchProcess):
            return self._leader.status() == psutil.STATUS_ZOMBIE
        return True

    def memory_bytes(self) -> int:
        total = 0
        with suppress(psutil.NoSuchProcess):
            for process in (self._leader, *self._leader.children(recursive=True)):
                with suppress(psutil.Error):
                    total += process.memory_info().rss
        return total

    def messages(self) -> Iterator[Any]:
        """What has come since, waiting for LOOK_SECONDS at most. Raises Crashed for what is no message."""
        for key, _ in self._selector.select(LOOK_SECONDS):
            key.data(key.fd)
        while len(self._received) >= LENGTH_BYTES:
            end = LENGTH_BYTES + int.from_bytes(self._received[:LENGTH_BYTES], "big")
            if end > LENGTH_BYTES + MOST_BYTES:
                raise Crashed("The process of the analysis answered with something else than a message.")
            if len(self._received) < end:
                return
            message = bytes(self._received[LENGTH_BYTES:end])
            del self._received[:end]
            yield msgspec.json.decode(message)

    def _send(self, pipe: int) -> None:
        """Once all is sent the pipe stays open: it tells the child that we are there."""
        try:
            self._unsent = self._unsent[os.write(pipe, self._unsent) :]
        except BrokenPipeError:
            self._unsent = b""
        if not self._unsent:
            self._selector.unregister(pipe)

    def _receive(self, pipe: int) -> None:
        self._received += self._read(pipe)

    def _hear(self, pipe: int) -> None:
        self._stderr = (self._stderr + self._read(pipe))[-STDERR_BYTES:]

    def _read(self, pipe: int) -> bytes:
        piece = os.read(pipe, 1 << 20)
        if not piece:
            self._selector.unregister(pipe)
        return piece

    def crash(self) -> Crashed:
        """What it has to say for itself goes into the log."""
        self.kill()
        status = self._process.returncode
        logger.error(
            "%s ended with %s and said: %s", self._module, status, self._stderr.decode(errors="replace").strip()
        )
        if status == -signal.SIGKILL:
            return Crashed("The process of the analysis was killed: the machine may have had no memory left.")
        if status < 0:
            return Crashed(f"The process of the analysis was ended by {signal.Signals(-status).name}.")
        return Crashed("The analysis broke, by an error in Data Handler itself; the log of its worker has the details.")

    def kill(self) -> None:
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, of a zombie
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe
            with suppress(BrokenPipeError):
                pipe.close()
