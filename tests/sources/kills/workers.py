"""Workers of the tests' services that are processes of their own, and can be killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import psutil
from django.conf import settings
from django.db import connection

from data_handler.processes import Processes
from tests.sources.kills.standing import NAME, until

PROJECT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Worker:
    pid: int

    @property
    def runs(self) -> bool:
        return psutil.pid_exists(self.pid)

    def kill(self) -> None:
        if self.runs:
            os.kill(self.pid, signal.SIGKILL)
        self.join()

    def join(self) -> None:
        until(lambda: not self.runs, "the worker has ended", 30)


class Nursery:
    def __init__(self, process: "Popen[str]") -> None:
        self._process = process
        self.workers: list[Worker] = []

    def worker(self) -> Worker:
        """A new one, at work."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self.workers.append(Worker(int(self._process.stdout.readline())))
        return self.workers[-1]

    def clear(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.workers.clear()


def environment() -> dict[str, str]:
    """Of a process that works with the services and the database of this test run."""
    database_url = str(settings.HOME.database_url).replace("/data_handler?", f"/{connection.settings_dict['NAME']}?")
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "data_handler.settings",
        "DATABASE_URL": f"{database_url}&application_name={NAME}",
        "REDIS_URL": settings.REDIS_URL,
        "BUFFER_REDIS_URL": settings.BUFFER_REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "ALLOWED_HOSTS": "localhost",
        "SOURCES_ALLOWED_HOSTS": "127.0.0.1",
        "SOURCES_HOST_REQUESTS_PER_SECOND": "1000",
    }


@contextmanager
def nursery() -> Iterator[Nursery]:
    command = [sys.executable, "-m", "tests.sources.kills.nursery"]
    pipe = subprocess.PIPE
    with Popen(command, cwd=PROJECT, env=environment(), stdin=pipe, stdout=pipe, text=True) as process:
        yield Nursery(process)
        assert process.stdin
        process.stdin.close()


@contextmanager
def celery_worker(queue: str = "sources", **variables: str) -> Iterator["Popen[bytes]"]:
    """The one of `manage.py up` for that queue."""
    process = Processes(PROJECT, settings.DATA_DIR, environment()).worker(queue)
    env = {**environment(), **variables}
    with Popen(process.command, cwd=process.cwd, env=env, stderr=subprocess.DEVNULL) as running:
        try:
            yield running
        finally:
            running.terminate()
