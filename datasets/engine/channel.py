"""How a process that does work for another talks with it: JSON on standard input and output.

The request comes whole on standard input. Messages go to standard output, each four bytes of length, most significant
first, and JSON: {"progress": [share, step]}, then one of {"result": …} and {"error", "detail"}. A process that ends
without either ran out of memory or time, or was killed.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from datasets.errors import AnalysisError
from datasets.kinds.kind import Progress

Work = Callable[[Any, Progress], Any]


def serve(work: Work) -> None:
    """Answer the one request. What others write to standard output goes to standard error."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def send(message: Any) -> None:
        data = msgspec.json.encode(message)
        out.write(len(data).to_bytes(4, "big") + data)
        out.flush()

    request = msgspec.json.decode(sys.stdin.buffer.read())
    try:
        send({"result": work(request, lambda share, step: send({"progress": [share, step]}))})
    except AnalysisError as error:
        send({"error": error.code, "detail": str(error)})
    except MemoryError:
        send({"error": "memory_limit", "detail": "It needs more memory than it may have."})
