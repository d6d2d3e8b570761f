"""A child for tests, that does what it is asked for: `python -m tests.datasets.working`."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from datasets.engine import channel
from datasets.errors import Refused
from datasets.kinds.kind import Progress


def echo(asked: Any, progress: Progress) -> Any:
    progress(0.5, "half of it")
    print("what is printed is no message")
    return asked


def describe(asked: Any, progress: Progress) -> Any:
    """What it knows."""
    return {"environment": dict(os.environ), "modules": sorted(sys.modules), "folder": os.getcwd()}


def sleep(asked: Any, progress: Progress) -> Any:
    """With a child of its own; both are told of by their ids."""
    other = subprocess.Popen(["sleep", "60"])
    progress(0.0, f"{os.getpid()} {other.pid}")
    time.sleep(60)


def eat(asked: Any, progress: Progress) -> Any:
    """10 MiB every 10 ms, up to 400 MiB."""
    eaten = []
    for _ in range(40):
        eaten.append(os.urandom(10 << 20))
        time.sleep(0.01)
    return len(eaten)


def eat_in_a_child(asked: Any, progress: Progress) -> Any:
    subprocess.run([sys.executable, "-c", "import time; eaten = b'x' * (400 << 20); time.sleep(60)"], check=True)


def run_out(asked: Any, progress: Progress) -> Any:
    raise MemoryError


def refuse(asked: Any, progress: Progress) -> Any:
    raise Refused("There is no column 'a'.")


def break_down(asked: Any, progress: Progress) -> Any:
    raise ZeroDivisionError("a mistake in a kind")


def end(asked: Any, progress: Progress) -> Any:
    os.kill(os.getpid(), getattr(signal, asked["signal"]))
    time.sleep(60)


def babble(asked: Any, progress: Progress) -> Any:
    """Something that is no message."""
    os.write(3, b"Hello there, this is no message")
    time.sleep(60)


def make(asked: Any, progress: Progress) -> Any:
    return "x" * asked["size"]


DEEDS: dict[str, Callable[[Any, Progress], Any]] = {
    deed.__name__: deed
    for deed in (echo, describe, sleep, eat, eat_in_a_child, run_out, refuse, break_down, end, babble, make)
}

if __name__ == "__main__":
    channel.serve(lambda asked, progress: DEEDS[asked["do"]](asked, progress))
