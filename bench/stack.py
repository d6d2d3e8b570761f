"""The whole service, started for the measurement alone and removed after it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

from data_handler import embedded
from data_handler.embedded.home import Home
from data_handler.processes import APPLICATION, WORKERS, Processes, answers
from ingest import buffer, feed

PROJECT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
START_SECONDS = 120.0
STOP_SECONDS = 60.0
QUIET_SECONDS = 120.0
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "BUFFER_REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "DEBUG")
LAST_CHARACTERS = 2000
LONGEST_STEP_SECONDS = 1200
UNLIMITED = {"MANAGEMENT_REQUESTS_PER_MINUTE": "1000000"}  # they are counted all the same
PROVIDER_IS_HERE = {"SOURCES_ALLOWED_HOSTS": HOST, "SOURCES_HOST_REQUESTS_PER_SECOND": "1000000"}


class StackFailed(Exception):
    """A process did not start, or what was sent did not arrive; the message says which."""


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    pid: int


class Stack:
    """The running service: where to send, and its PostgreSQL and Valkeys."""

    def __init__(self, home: Home, port: int, env: Mapping[str, str]) -> None:
        self.home = home
        self.port = port
        self.env = env
        self.key = home.ingest_key_file.read_text().strip()
        self.database = psycopg.connect(home.database_url, autocommit=True)
        self._buffer = redis.Redis.from_url(home.buffer_url)
        self._broker = redis.Redis.from_url(home.broker_url)

    def clear(self) -> None:
        """No event, no key, no count; nothing left for PostgreSQL to write. So every measurement starts equal."""
        self.wait_quiet()
        self.database.execute("TRUNCATE event, event_key, rollup_minute, flushed_chunk")
        self.database.execute("CHECKPOINT")

    def stored(self) -> int:
        """Events committed since `clear`: the sums are written in the transaction of the events."""
        row = self.database.execute("SELECT coalesce(sum(events), 0) FROM rollup_minute").fetchone()
        return int(row[0]) if row else 0

    def wait_stored(self, events: int) -> float:
        """The monotonic time at which so many were committed. Raises StackFailed when they are not, or too many."""
        wait_for(lambda: self.stored() >= events, QUIET_SECONDS, f"fewer than {events} events were stored")
        at = time.monotonic()
        row = self.database.execute("SELECT count(*) FROM event").fetchone()
        if row is None or row[0] != events:
            raise StackFailed(f"{events} events were accepted, and {row and row[0]} are stored.")
        return at

    def wait_quiet(self) -> None:
        """Until nothing waits to be stored or announced."""
        wait_for(
            lambda: not self._buffer.keys("{dh:buf:*}") and not self._broker.llen("notify") and self._all_announced(),
            QUIET_SECONDS,
            "there were still events to be stored or announced",
        )

    def _all_announced(self) -> bool:
        announced: dict[bytes, bytes] = self._broker.hgetall(feed.PRODUCERS)  # type: ignore[assignment]
        pushed: Counter[bytes] = Counter()
        for shard in range(buffer.MOST_SHARDS):
            counts: dict[bytes, bytes] = self._buffer.hgetall(buffer.keys(shard)[3])  # type: ignore[assignment]
            pushed.update({name: int(count) for name, count in counts.items()})
        return all(pushed[name] <= int(count) for name, count in announced.items() if b":" not in name)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def pid(self, name: str) -> int:
        """Of a process of the service."""
        return int(self._children()[name]["pid"])

    def web_pid(self) -> int:
        return self.pid("web")

    def web_bytes(self) -> int:
        """Memory that the web process holds (RSS)."""
        return int(psutil.Process(self.web_pid()).memory_info().rss)

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time so far by process of the service, with all its children."""
        return {name: cpu_seconds(child["pid"]) for name, child in self._children().items()}

    def _children(self) -> dict[str, Any]:
        children: dict[str, Any] = json.loads(self.home.run_file.read_text())["children"]
        return children

    @contextmanager
    def server(self, application: str, settings: str = "data_handler.settings") -> Iterator["Server"]:
        """Another application under the same Daphne with the same options."""
        port = free_port()
        web = Processes(PROJECT, self.home.data_dir, self.env).web("daphne", HOST, port)
        command = [application if word == APPLICATION else word for word in web.command]
        env = {**self.env, "DJANGO_SETTINGS_MODULE": settings, "BENCH_DATABASE_URL": self.home.database_url}
        with _process(command, env, self.home.logs / f"{application.replace(':', '.')}.log") as running:
            running.wait_ready(lambda: answers(HOST, port))
            yield Server(port, running.pid)

    @contextmanager
    def another_worker(self, queue: str) -> Iterator[int]:
        """As many processes again as the service has for this queue; how many there are then."""
        worker = Processes(PROJECT, self.home.data_dir, self.env).worker(queue)
        command = [f"another.{word}" if word == f"{queue}@%h" else word for word in worker.command]
        with _process(command, worker.env or self.env, self.home.logs / f"another.{queue}.log") as running:
            running.wait_ready(lambda: len(psutil.Process(running.pid).children()) == WORKERS[queue])
            yield 2 * WORKERS[queue]

    def close(self) -> None:
        self.database.close()
        self._buffer.close()
        self._broker.close()


@contextmanager
def running_stack() -> Iterator[Stack]:
    """`manage.py up` in a temporary directory. Raises StackFailed."""
    with tempfile.TemporaryDirectory(prefix="data-handler-bench-", ignore_cleanup_errors=True) as folder:
        home, port = Home.at(Path(folder) / "data"), free_port()
        home.logs.mkdir(parents=True)
        env = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        env |= {"DATA_DIR": str(home.data_dir), "LOG_LEVEL": "WARNING", **PROVIDER_IS_HERE, **UNLIMITED}
        try:
            command = [sys.executable, "manage.py", "up", "--host", HOST, "--port", str(port)]
            with _process(command, env, home.logs / "up.log") as running:
                running.wait_ready(lambda: home.ingest_key_file.exists() and answers(HOST, port))
                stack = Stack(home, port, env)
                try:
                    yield stack
                finally:
                    stack.close()
        finally:
            embedded.remove(home)


class _Running:
    def __init__(self, popen: "subprocess.Popen[bytes]", log: Path) -> None:
        self._popen = popen
        self._log = log

    @property
    def pid(self) -> int:
        return self._popen.pid

    def wait_ready(self, ready: Callable[[], bool]) -> None:
        def settled() -> bool:
            return self._popen.poll() is not None or ready()

        wait_for(settled, START_SECONDS, f"{' '.join(self._popen.args)} was not ready")  # type: ignore[arg-type]
        if self._popen.poll() is not None:
            raise StackFailed(f"It ended at its start:\n{self._log.read_text()[-LAST_CHARACTERS:]}")

    def stop(self) -> None:
        """With everything that it started."""
        self._popen.terminate()
        try:
            self._popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for child in psutil.Process(self._popen.pid).children(recursive=True):
                child.kill()
            self._popen.kill()
            self._popen.wait()


@contextmanager
def _process(command: list[str], env: Mapping[str, str], log: Path) -> Iterator[_Running]:
    """In a session of its own: Ctrl-C is for us, and we stop it in order."""
    with log.open("wb") as output:
        popen = subprocess.Popen(
            command, cwd=PROJECT, env=dict(env), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    running = _Running(popen, log)
    try:
        yield running
    finally:
        running.stop()


def in_service(stack: Stack, program: str, *words: str) -> Any:
    """What a program prints as JSON, run in a process with the settings of the service."""
    command = [sys.executable, "-c", f"import django; django.setup(); {program}", *words]
    env = {**stack.env, "DJANGO_SETTINGS_MODULE": "data_handler.settings"}
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, timeout=LONGEST_STEP_SECONDS)
    if done.returncode:
        raise StackFailed(f"{' '.join(words)[:80]} cannot be measured:\n{done.stderr}")
    return json.loads(done.stdout)


def wait_for(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Ask every few milliseconds. Raises StackFailed."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StackFailed(f"After {seconds:g} s {otherwise}.")
        time.sleep(0.005)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Of the process, those of its children that run, and those that have ended; 0 when it is gone."""
    while True:
        try:
            process = psutil.Process(pid)
            before, running = process.cpu_times(), _cpu_seconds_of_children(process)
            after = process.cpu_times()
        except psutil.NoSuchProcess:
            if not psutil.pid_exists(pid):
                return 0.0
            continue
        ended = after.children_user + after.children_system
        if before.children_user + before.children_system == ended:  # else one ended while we looked
            return after.user + after.system + ended + running


def _cpu_seconds_of_children(process: psutil.Process) -> float:
    times = [child.cpu_times() for child in process.children(recursive=True)]
    return sum(one.user + one.system for one in times)
