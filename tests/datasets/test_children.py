"""Processes that work for another, and their limits."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from django.conf import settings

from datasets import children
from datasets.children import Limits
from datasets.engine.channel import MOST_BYTES
from datasets.errors import (
    AnalysisError,
    Cancelled,
    Crashed,
    MemoryLimitExceeded,
    Refused,
    TimeLimitExceeded,
)

WORKING = "tests.datasets.working"
AMPLE = Limits(20.0, 300 << 20)


def do(deed: str, limits: Limits = AMPLE, ended: threading.Event | None = None, **asked: Any) -> Any:
    return children.run(WORKING, {"do": deed, **asked}, limits, lambda *_: None, ended or threading.Event())


def descendants() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Any:
    """Of what we start. A server that was there before starts and ends processes as it likes."""
    before = {process.pid for process in psutil.Process().children()}
    yield
    assert {process.pid for process in psutil.Process().children()} <= before


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_where_files_lie_is_not_told() -> None:
    error = children._error("snapshot_failed", f"No magic bytes at end of file '{settings.SNAPSHOTS_DIR}/.d/file'")
    assert str(error) == "No magic bytes at end of file '…'"


def test_it_answers_and_tells_how_far_it_is() -> None:
    told: list[tuple[float, str]] = []
    asked = {"do": "echo", "text": "ä" * 200_000}
    answer = children.run(WORKING, asked, AMPLE, lambda *progress: told.append(progress), threading.Event())
    assert answer == asked
    assert told == [(0.5, "half of it")]


def test_it_knows_no_secrets_and_nothing_of_django(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hush")
    known = do("describe")
    assert set(known["environment"]) <= {*children.PASSED_ON, "LC_CTYPE"}
    assert "hush" not in known["environment"].values()
    assert not [name for name in known["modules"] if name.startswith(("django", "numpy", "pandas"))]
    assert known["folder"] == str(settings.BASE_DIR)


def test_it_gets_what_it_is_given() -> None:
    known = children.run(WORKING, {"do": "describe"}, AMPLE, print, threading.Event(), {"DATABASE_URL": "given"})
    assert known["environment"]["DATABASE_URL"] == "given"


def test_it_is_killed_when_its_time_is_up_with_all_that_it_started() -> None:
    begun_at = time.monotonic()
    with pytest.raises(TimeLimitExceeded, match="ANALYSIS_MAX_SECONDS"):
        do("sleep", Limits(1.0, 300 << 20))
    assert time.monotonic() - begun_at < 5


@pytest.mark.parametrize("deed", ["eat", "eat_in_a_child"])
def test_it_is_killed_when_it_takes_too_much_memory(deed: str) -> None:
    with pytest.raises(MemoryLimitExceeded, match="more than the 150 MB"):
        do(deed, Limits(20.0, 150 << 20))


def test_what_python_has_no_memory_for_is_the_same_error() -> None:
    with pytest.raises(MemoryLimitExceeded):
        do("run_out")


def test_it_ends_soon_when_it_is_cancelled() -> None:
    ended = threading.Event()
    timer = threading.Timer(0.5, ended.set)
    timer.start()
    with pytest.raises(Cancelled):
        do("sleep", ended=ended)
    timer.join()


def test_what_it_refuses_is_said() -> None:
    with pytest.raises(Refused, match="There is no column 'a'"):
        do("refuse")


def test_a_result_that_is_too_large_is_refused() -> None:
    assert len(do("make", size=MOST_BYTES - 100)) == MOST_BYTES - 100
    with pytest.raises(AnalysisError, match="more than 16 MiB") as caught:
        do("make", size=MOST_BYTES)
    assert caught.value.code == "result_too_large"


@pytest.mark.parametrize(
    ("deed", "asked", "said"),
    [
        ("end", {"signal": "SIGSEGV"}, "ended by SIGSEGV"),
        ("end", {"signal": "SIGKILL"}, "may have had no memory left"),
        ("babble", {}, "something else than a message"),
        ("break_down", {}, "an error in Data Handler itself"),
    ],
)
def test_a_crash_is_an_error_like_others(deed: str, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(Crashed, match=said) as caught:
        do(deed, **asked)
    assert caught.value.code == "crashed"


def test_what_a_broken_one_said_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Crashed):
        do("break_down")
    assert "ZeroDivisionError: a mistake in a kind" in caplog.text


PARENT = """
import threading
import django
django.setup()
from datasets import children
children.run(
    "tests.datasets.working", {"do": "sleep"}, children.Limits(60, 1 << 30),
    lambda share, step: print(step, flush=True), threading.Event(),
)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_with_the_process_that_started_it(number: signal.Signals) -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "data_handler.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=settings.BASE_DIR, env=env, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        started = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(started) == 2
        parent.send_signal(number)
        parent.wait()
        until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in started))
