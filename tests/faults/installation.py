"""A whole installation of one's own: `manage.py up` in the embedded mode, and a hand on its processes."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
import redis
from celery import Celery
from redis.backoff import NoBackoff
from redis.retry import Retry

from data_handler.embedded.home import Home
from data_handler.process import end, family, kill, send
from data_handler.processes import answers

PROJECT = Path(__file__).parents[2]
PROCESSES = ("postgres", "buffer", "broker", "web", "flush", "notify", "jobs", "beat")
OWN_SERVICES = ("DATABASE_URL", "REDIS_URL", "BUFFER_REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS")
DIRECTORY_REFRESH_SECONDS = 2  # short, so that an outage of PostgreSQL meets web processes that ask it
READY_SECONDS = 90
STOP_SECONDS = 60
FLUSH_SECONDS = 60


class NotReady(Exception):
    """The installation did not come up, or not back; the message says where its log is."""


class Installation:
    """`folder` gets the data directory and the log, and stays afterwards. `settings` differ from the defaults."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.home = Home.at(folder / "data")
        self.log = folder / "up.log"
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._settings = settings
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._sent_job = False

    @property
    def key(self) -> str:
        return self.home.ingest_key_file.read_text().strip()

    def start(self) -> None:
        """Returns when everything runs. Raises NotReady."""
        environment = {name: value for name, value in os.environ.items() if name not in OWN_SERVICES}
        environment |= {
            "DATA_DIR": str(self.home.data_dir),
            "DIRECTORY_REFRESH_SECONDS": str(DIRECTORY_REFRESH_SECONDS),
            "LOG_LEVEL": "WARNING",
            **self._settings,
        }
        command = [sys.executable, "manage.py", "up", "--port", str(self._port)]
        with self.log.open("ab") as log:
            self._supervisor = subprocess.Popen(
                command, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_up():
            if self._supervisor.poll() is not None or time.monotonic() > deadline:
                raise NotReady(f"The installation did not start: see {self.log}")
            time.sleep(0.1)

    def stop(self) -> int:
        """As Ctrl-C does; the supervisor's status. Kills what has not ended in time."""
        if self._supervisor is None:
            return 0
        if self._supervisor.poll() is None:
            end(self._supervisor.pid, signal.SIGTERM, STOP_SECONDS)
        return self._supervisor.wait()

    def kill(self) -> list[int]:
        """SIGKILL for the supervisor and everything it started; whom it hit, the supervisor first."""
        assert self._supervisor is not None
        members = family(self._supervisor.pid)
        kill(members)
        self._supervisor.wait()
        others = (process.pid for process in members if process.pid != self._supervisor.pid)
        return [self._supervisor.pid, *others]

    def pid_of(self, name: str) -> int | None:
        """None while it does not run."""
        try:
            child = json.loads(self.home.run_file.read_text())["children"].get(name)
        except FileNotFoundError:
            return None
        return child["pid"] if child and psutil.pid_exists(child["pid"]) else None

    def members(self, name: str, reach: str, rng: random.Random) -> list[psutil.Process]:
        """Of a process: its `leader`, one `child` at random (the leader if it has none), or the `whole` of it."""
        pid = self.pid_of(name)
        found = family(pid) if pid else []
        if not pid or not found:
            raise NotReady(f"{name} does not run: see {self.log}")
        children = [process for process in found if process.pid != pid]
        if reach == "child" and children:
            return [rng.choice(children)]
        return found if reach == "whole" else [psutil.Process(pid)]

    def last_flush(self) -> object:
        """Changes whenever something was stored; None when the buffer does not say."""
        return _ask(self.home.buffer_url, "HGET", "dh:flush", "at")

    def position(self) -> tuple[str, int] | None:
        """The feed's epoch and last number, which change with every announcement; None when the broker does not say."""
        answer = _ask(self.home.broker_url, "MGET", "{dh:feed}:epoch", "{dh:feed}:seq")
        epoch, seq = answer if isinstance(answer, list) else (None, None)
        return (epoch.decode(), int(seq or 0)) if epoch else None

    def forget_feed(self) -> None:
        """The broker is as empty as one that keeps nothing on disk is after its restart."""
        _ask(self.home.broker_url, "FLUSHALL")

    def lose_broadcasts(self, seconds: float) -> None:
        """Of that time, the tasks that ring for the watchers go astray, but for one that was taken already."""
        notify = self.members("notify", "whole", random.Random())
        freeze(notify)
        time.sleep(seconds)
        _ask(self.home.broker_url, "DEL", "notify")
        thaw(notify)

    @contextmanager
    def held_flush(self) -> Iterator[None]:
        """Inside, a flush has written its events and cannot commit; it has, or has failed, when this is left.

        It waits for the table that it writes last. Raises NotReady when no flush comes.
        """
        with psycopg.connect(self.home.database_url) as connection:
            connection.execute("LOCK TABLE rollup_minute IN EXCLUSIVE MODE")
            waiting = "SELECT pid FROM pg_locks WHERE relation = 'rollup_minute'::regclass AND NOT granted"
            writers = _until_found(connection, waiting)
            yield
            connection.rollback()
            connection.autocommit = True
            writing = "SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s) AND backend_xid IS NOT NULL"
            _until_gone(connection, writing, writers)

    def takes_jobs(self) -> bool:
        """Sends the hourly task if none is waiting; True once it has been taken."""
        if not self._sent_job:
            broker_url = self.home.broker_url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
            with Celery(broker=broker_url) as sender:
                sender.send_task("ingest.maintain", queue="jobs", ignore_result=True)
            self._sent_job = True
        return _ask(self.home.broker_url, "LLEN", "jobs") == 0

    def _is_up(self) -> bool:
        return answers("127.0.0.1", self._port) and all(self.pid_of(name) for name in PROCESSES)


def freeze(processes: Sequence[psutil.Process]) -> None:
    send(processes, signal.SIGSTOP)


def thaw(processes: Sequence[psutil.Process]) -> None:
    send(processes, signal.SIGCONT)


def _ask(url: str, *command: str) -> object:
    try:
        with redis.Redis.from_url(url, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
            return client.execute_command(*command)
    except redis.RedisError:
        return None


def _until_found(connection: psycopg.Connection, query: LiteralString) -> list[int]:
    deadline = time.monotonic() + FLUSH_SECONDS
    while not (pids := [pid for (pid,) in connection.execute(query)]):
        if time.monotonic() > deadline:
            raise NotReady(f"Nothing was stored for {FLUSH_SECONDS} s.")
        time.sleep(0.01)
    return pids


def _until_gone(connection: psycopg.Connection, query: LiteralString, pids: list[int]) -> None:
    deadline = time.monotonic() + FLUSH_SECONDS
    while connection.execute(query, [pids]).fetchone():
        if time.monotonic() > deadline:
            raise NotReady(f"A flush did not commit within {FLUSH_SECONDS} s.")
        time.sleep(0.01)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
