"""How a process that does work for another talks with it: JSON on standard input and output.

A message is four bytes of length, most significant first, and JSON. The request is the only one on standard input,
which then stays open as long as the process that asked lives. Back come {"progress": [share, step]}, then one of
{"result": …} and {"error", "detail"}. A process that ends without either broke, or was killed.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from datasets.errors import AnalysisError
from datasets.kinds.kind import Progress

MOST_BYTES = 16 << 20
LENGTH_BYTES = 4
PROGRESS_SECONDS = 0.1
TOO_LARGE = {
    "error": "result_too_large",
    "detail": f"The result has more than {MOST_BYTES >> 20} MiB, the most that is kept: ask for fewer columns, rows or"
    " buckets.",
}

Work = Callable[[Any, Progress], Any]


def serve(work: Work) -> None:
    """Answer the one request. What others write to standard output goes to standard error.

    It is for a process that leads its own group: when the one that asked is gone, the whole group is killed.
    """
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def send(message: Any) -> None:
        data = packed(message)
        out.write(data if len(data) <= MOST_BYTES else packed(TOO_LARGE))
        out.flush()

    request = msgspec.json.decode(_read(int.from_bytes(_read(LENGTH_BYTES), "big")))
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    try:
        send({"result": work(request, _seldom(lambda share, step: send({"progress": [share, step]})))})
    except AnalysisError as error:
        send({"error": error.code, "detail": str(error)})
    except MemoryError:
        send({"error": "memory_limit", "detail": "It needs more memory than it may have."})


def _seldom(tell: Progress) -> Progress:
    told_at = -PROGRESS_SECONDS

    def progress(share: float, step: str) -> None:
        nonlocal told_at
        if time.monotonic() >= told_at + PROGRESS_SECONDS:
            told_at = time.monotonic()
            tell(share, step)

    return progress


def packed(message: Any) -> bytes:
    data = msgspec.json.encode(message)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def _read(size: int) -> bytes:
    """From standard input, unbuffered: another thread goes on reading it."""
    data = b""
    while len(data) < size and (piece := os.read(0, size - len(data))):
        data += piece
    return data


def _end_with_parent() -> None:
    """PR_SET_PDEATHSIG of Linux would not do: it ends one process, and leaves those that it started."""
    if not os.read(0, 1):
        os.killpg(0, signal.SIGKILL)
