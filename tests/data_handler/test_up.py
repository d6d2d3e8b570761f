import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.core.management.base import CommandError

from data_handler.console import Console
from data_handler.embedded.home import Home
from data_handler.management.commands.up import choose_port
from data_handler.processes import Processes, answers, reachable

PROJECT = Path(__file__).parents[2]
CLIENT = """
import os, sys, urllib.request
request = urllib.request.Request(
    os.environ["DATA_HANDLER_URL"] + "/api/events/",
    data=b'{"temperature": 21}',
    headers={"Authorization": "Bearer " + os.environ["DATA_HANDLER_KEY"], "Content-Type": "application/json"},
)
with urllib.request.urlopen(request, timeout=10) as response:
    print("sent", response.status)
sys.exit(7)
"""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_the_next_port_is_used_when_the_usual_one_is_taken(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = listener.getsockname()[1]
    monkeypatch.setattr("data_handler.management.commands.up.DEFAULT_PORT", taken)
    written = io.StringIO()
    port = choose_port("127.0.0.1", None, Console(written))
    assert port > taken
    assert written.getvalue() == f"Port {taken} is taken, using {port}.\n"


def test_a_port_that_was_asked_for_and_is_taken_is_refused(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with pytest.raises(CommandError, match=f"Port {port} on 127.0.0.1 is taken"):
        choose_port("127.0.0.1", port, Console(io.StringIO()))


def test_a_host_that_is_not_ours_is_refused() -> None:
    with pytest.raises(CommandError, match="is --host right"):
        choose_port("192.0.2.1", None, Console(io.StringIO()))


def test_a_server_that_listens_everywhere_is_called_on_loopback() -> None:
    assert reachable("0.0.0.0") == "127.0.0.1"
    assert reachable("::") == "::1"
    assert reachable("192.168.1.5") == "192.168.1.5"


def test_a_port_where_nobody_speaks_http_does_not_answer(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    assert not answers("127.0.0.1", port)


def test_each_queue_has_a_worker_and_the_environment_is_passed_on(tmp_path: Path) -> None:
    processes = Processes(PROJECT, tmp_path, {"COLOUR": "green"})
    commands = {process.name: process for process in processes.application("daphne", "127.0.0.1", 8000)}
    assert list(commands) == ["web", "flush", "notify", "jobs", "sources", "analyses", "beat"]
    for name in ("flush", "notify", "jobs", "sources", "analyses"):
        assert f"-Q {name} " in " ".join(commands[name].command)
    assert all(process.env and process.env["COLOUR"] == "green" for process in commands.values())
    assert str(tmp_path / "beat-schedule") in commands["beat"].command


@pytest.fixture
def up(home: Home, listener: socket.socket) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `manage.py up` on a free port; at the end nothing of it remains."""
    port = listener.getsockname()[1]
    listener.close()
    started = []

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "manage.py", "up", "--port", str(port), *words]
        env = {**os.environ, "DATA_DIR": str(home.data_dir), "DJANGO_SETTINGS_MODULE": "data_handler.settings"}
        started.append(
            subprocess.Popen(command, cwd=PROJECT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
        return started[-1]

    yield start
    for process in started:
        with process:
            process.send_signal(signal.SIGTERM)
    assert not [process for process in psutil.process_iter(["cmdline", "environ"]) if belongs(process, home)]


def belongs(process: psutil.Process, home: Home) -> bool:
    words = " ".join(process.info["cmdline"] or ())
    variables = process.info["environ"] or {}
    return variables.get("DATA_DIR") == str(home.data_dir) or str(home.sockets) in words


def run_file(home: Home) -> dict[str, dict[str, dict[str, int]]]:
    content: dict[str, dict[str, dict[str, int]]] = json.loads(home.run_file.read_text())
    return content


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.1)


@pytest.mark.stack
def test_a_command_runs_against_the_service_and_its_status_is_passed_on(
    up: Callable[..., subprocess.Popen[str]], home: Home
) -> None:
    process = up("--then", sys.executable, "-c", CLIENT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 7, output
    assert "sent 202" in output
    assert not home.run_file.exists()


@pytest.mark.stack
def test_the_service_survives_the_death_of_its_web_server_and_is_not_started_twice(
    up: Callable[..., subprocess.Popen[str]], home: Home
) -> None:
    first = up("--server", "uvicorn")
    assert first.stdout
    lines = iter(first.stdout)
    assert any("Ctrl-C stops it." in line for line in lines)
    second, _ = up().communicate(timeout=30)
    assert f"already running (pid {first.pid}, URL http://127.0.0.1:" in second

    web = run_file(home)["children"]["web"]["pid"]
    os.kill(web, signal.SIGKILL)
    assert any("web exited with status -9, starting again in 0.2 s" in line for line in lines)
    wait_for(lambda: run_file(home)["children"].get("web", {}).get("pid", web) != web)

    first.send_signal(signal.SIGINT)
    assert first.wait(30) == 0
