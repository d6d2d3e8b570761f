"""Who runs in a data directory: one process at a time, held by a lock, described by `run.json`.

{"supervisor": 4711, "url": "http://127.0.0.1:8000",
 "children": {"web": {"pid": 4720, "create_time": 1767225600.12, "stop_signal": 15}}}
"""

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from data_handler.embedded.errors import AlreadyRunning
from data_handler.embedded.home import Home
from data_handler.process import GONE, end, family, kill

CLOCK_TOLERANCE_SECONDS = 2  # creation times are computed from the wall clock, which is adjusted now and then
LEFTOVER_STOP_SECONDS = 15


@dataclass
class RunFile:
    """Written whole at each change: a reader never sees half of it."""

    path: Path
    url: str | None = None
    children: dict[str, dict[str, Any]] = field(default_factory=dict)

    def set_url(self, url: str) -> None:
        self.url = url
        self._write()

    def add(self, name: str, pid: int, stop_signal: signal.Signals) -> None:
        with suppress(*GONE):
            created = psutil.Process(pid).create_time()
            self.children[name] = {"pid": pid, "create_time": created, "stop_signal": int(stop_signal)}
            self._write()

    def remove(self, name: str) -> None:
        if self.children.pop(name, None):
            self._write()

    def _write(self) -> None:
        draft = self.path.with_name(f"{self.path.name}.new")
        draft.write_text(json.dumps({"supervisor": os.getpid(), "url": self.url, "children": self.children}))
        draft.replace(self.path)


@contextmanager
def claim(home: Home) -> Iterator[RunFile]:
    """Hold the data directory, after ending what a killed predecessor left behind.

    Raises AlreadyRunning while another process holds it. The system frees the lock when its holder dies.
    """
    home.data_dir.mkdir(parents=True, exist_ok=True)
    with home.lock_file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            run = _read(home.run_file)
            raise AlreadyRunning(
                f"Data Handler is already running (pid {run.get('supervisor')}, URL {run.get('url')})"
                f" with its data in {home.data_dir}."
            ) from None
        for child in reversed(_read(home.run_file).get("children", {}).values()):
            _end_leftover(**child)
        try:
            yield (run_file := RunFile(home.run_file))
        finally:
            if not run_file.children:
                home.run_file.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        run: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return run


def _end_leftover(pid: int, create_time: float, stop_signal: int) -> None:
    """A number alone is no proof: another process may have it by now."""
    oldest = create_time - CLOCK_TOLERANCE_SECONDS
    with suppress(*GONE):
        if abs(psutil.Process(pid).create_time() - create_time) < CLOCK_TOLERANCE_SECONDS:
            end(pid, signal.Signals(stop_signal), LEFTOVER_STOP_SECONDS)
        return
    kill(process for process in family(pid) if process.create_time() >= oldest)
