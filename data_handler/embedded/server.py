"""A server that a test or a tool starts and ends by itself, without the supervisor."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from data_handler.embedded.errors import NotStarted
from data_handler.embedded.run_file import RunFile
from data_handler.process import Process, end, family, kill


class Server:
    """One process, which can be started again after its end; what it writes goes to the end of a log file."""

    def __init__(self, name: str, prepare: Callable[[], Process], logs: Path, run_file: RunFile) -> None:
        self.name = name
        self._prepare = prepare
        self._log = logs / f"{name}.log"
        self._run_file = run_file
        self._running: tuple[Process, subprocess.Popen[bytes]] | None = None

    @property
    def pid(self) -> int:
        if self._running is None:
            raise NotStarted(f"{self.name} does not run: call start() first.")
        return self._running[1].pid

    def start(self) -> None:
        """Returns when it answers. Raises NotStarted when it ends or takes too long."""
        process = self._prepare()
        self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            popen = subprocess.Popen(
                process.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **process.popen_options()
            )
        self._running = process, popen
        self._run_file.add(self.name, popen.pid, process.stop_signal)
        deadline = time.monotonic() + process.ready_seconds
        while process.ready and not process.ready():
            if popen.poll() is not None or time.monotonic() > deadline:
                self.kill()
                end_of_log = "\n".join(self._log.read_text(errors="replace").splitlines()[-10:])
                raise NotStarted(f"{self.name} did not start. The end of {self._log}:\n{end_of_log}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Asks it to end; what has not ended in time is killed. Nothing to do when it does not run."""
        if self._running:
            process, popen = self._running
            end(popen.pid, process.stop_signal, process.stop_seconds)
            self._forget(popen)

    def kill(self) -> None:
        """kill -9, with all it started."""
        if self._running:
            _, popen = self._running
            kill(family(popen.pid))
            self._forget(popen)

    def _forget(self, popen: subprocess.Popen[bytes]) -> None:
        popen.wait()
        self._running = None
        self._run_file.remove(self.name)
