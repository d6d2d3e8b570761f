"""The worker processes that carry out runs, and what is asked of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psutil

from bench.stack import Stack, StackFailed, in_service

PROGRAM = "from bench.source_steps import main; main()"
QUEUE = "sources"
MB = 1_000_000


def ask(stack: Stack, step: str, *words: str) -> Any:
    """A step of bench.source_steps."""
    return in_service(stack, PROGRAM, step, *words)


def pull(stack: Stack, name: str, document: dict[str, Any]) -> dict[str, Any]:
    """One run by a worker of the service; `peak`: most bytes of memory that it had meanwhile, `before` those before."""
    workers = _workers(stack)
    for pid in workers:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is counted from here
    before = {pid: _peak_bytes(pid) for pid in workers}
    found: dict[str, Any] = ask(stack, "pull", name, orjson.dumps(document).decode())
    if found["pid"] not in before:
        raise StackFailed(f"The run of {name} was carried out by a worker that was not there before.")
    return {**found, "before": before[found["pid"]], "peak": _peak_bytes(found["pid"])}


def forget(stack: Stack) -> None:
    """No source, no record, no run."""
    stack.database.execute("TRUNCATE record, source CASCADE")
    stack.clear()


@contextmanager
def paused(stack: Stack, name: str) -> Iterator[None]:
    process = psutil.Process(stack.pid(name))
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def _workers(stack: Stack) -> list[int]:
    return [process.pid for process in psutil.Process(stack.pid(QUEUE)).children()]


def _peak_bytes(pid: int) -> int:
    """Since its refs were cleared; decoding what is no workbook has no children. See proc(5)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))
