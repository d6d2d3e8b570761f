"""The command lines of the service's own processes."""

import http.client
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from data_handler.process import Process

APPLICATION = "data_handler.asgi:application"
SERVERS = ("daphne", "uvicorn")
WORKERS = {"flush": 2, "notify": 1, "jobs": 2, "sources": 2, "analyses": 1}  # queue: processes
WORKER_STOP_SECONDS = 20
ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}  # of glibc: threads that take turns at Python need no heap each
CHATTER = re.compile(r"^$|worker: Warm shutdown")
NO_ROOT_WARNING = (
    "-W",
    "ignore:You're running the worker",
)  # the embedded mode may run as root: containers do


class Processes:
    """`project`: the folder of manage.py. `data_dir`: where beat keeps when it last sent what."""

    def __init__(self, project: Path, data_dir: Path, env: Mapping[str, str] | None = None) -> None:
        self._project = project
        self._data_dir = data_dir
        self._env = {
            **(os.environ if env is None else env),
            "DJANGO_SETTINGS_MODULE": "data_handler.settings",
        }

    def migrate(self) -> Process:
        return self._python("migrate", "manage.py", "migrate", "--no-input", "-v", "0")

    def first_access(self) -> Process:
        return self._python("access", "manage.py", "first_access")

    def application(self, server: str, host: str, port: int) -> list[Process]:
        return [self.web(server, host, port), *(self.worker(queue) for queue in WORKERS), self.beat()]

    def web(self, server: str, host: str, port: int) -> Process:
        address = {
            "daphne": ("-b", host, "-p", str(port), "-v", "0", "--http-timeout", "120"),
            "uvicorn": (
                *("--host", host, "--port", str(port), "--no-access-log", "--log-level", "warning"),
                *("--ws", "websockets-sansio", "--timeout-graceful-shutdown", "5"),
                "--no-proxy-headers",  # TRUSTED_PROXIES decides what is believed
            ),
        }[server]
        module = {"daphne": "data_handler.web", "uvicorn": "uvicorn"}[server]
        process = self._python("web", "-m", module, *address, APPLICATION)
        return replace(process, ready=lambda: answers(reachable(host), port))

    def worker(self, queue: str) -> Process:
        process = self._celery(
            *(queue, "worker", "-Q", queue, "-n", f"{queue}@%h", "--concurrency", str(WORKERS[queue])),
            *("--loglevel", "WARNING", "--without-gossip", "--without-mingle"),
        )
        return replace(process, stop_seconds=WORKER_STOP_SECONDS, hidden=CHATTER)

    def beat(self) -> Process:
        schedule = self._data_dir / "beat-schedule"
        return self._celery(*("beat", "beat", "--schedule", str(schedule), "--pidfile=", "--loglevel", "WARNING"))

    def _celery(self, name: str, *words: str) -> Process:
        process = self._python(name, *NO_ROOT_WARNING, "-m", "celery", "-A", "data_handler", "--quiet", *words)
        return replace(process, env={**self._env, **ONE_ARENA})

    def _python(self, name: str, *words: str) -> Process:
        return Process(name=name, command=(sys.executable, *words), env=self._env, cwd=self._project)


def reachable(host: str) -> str:
    """Where a server that listens on this host can be called from the same machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def answers(host: str, port: int) -> bool:
    """Whether a web server answers, be it with a refusal of the host name or a redirect to HTTPS."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
