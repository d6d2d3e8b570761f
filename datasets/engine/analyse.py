"""One analysis, in a process of its own: `python -m datasets.engine.analyse`, which `datasets.children` starts.

It knows no secret of the service, imports nothing of Django, and reads nothing but the snapshots that it is given.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from datasets.engine import channel, confinement
from datasets.engine.table import connect, open_table
from datasets.errors import MemoryLimitExceeded
from datasets.kinds import kind as kinds
from datasets.kinds.kind import Progress

NAMES = ("data", "other")
SHARE_OF_DUCKDB = 0.6
"""Of the memory: the rest is for Python, for the result, and for what DuckDB does not count."""


class Request(Struct, frozen=True):
    """`folders` of the snapshots, one for each table; `modules` with further kinds; `temp`: a folder to spill into."""

    kind: str
    parameters: dict[str, Any]
    folders: list[str]
    modules: list[str]
    memory_bytes: int
    threads: int
    temp: str


def analyse(request: Any, progress: Progress) -> dict[str, Any]:
    """The kind's own result. Raises AnalysisError."""
    import duckdb

    asked = msgspec.convert(request, Request)
    kind = kinds.load(asked.modules)[asked.kind]
    parameters = msgspec.convert(asked.parameters, kind.Parameters)
    connection = connect(int(asked.memory_bytes * SHARE_OF_DUCKDB), asked.threads, Path(asked.temp))
    tables = [open_table(connection, Path(folder), name) for folder, name in zip(asked.folders, NAMES, strict=False)]
    try:
        return kind.run(tables, parameters, progress)
    except duckdb.OutOfMemoryException:
        raise MemoryLimitExceeded(
            "It needs more memory than it may have: choose a shorter window or fewer columns, or raise"
            " ANALYSIS_MAX_MEMORY_MB."
        ) from None


def analyse_confined(request: Any, progress: Progress) -> dict[str, Any]:
    """As `analyse`, kept by the kernel to the snapshots and `temp`, where it is one that can."""
    kinds.load(request["modules"])
    import_module("duckdb")
    confinement.confine(readable=map(Path, request["folders"]), writable=[Path(request["temp"])])
    return analyse(request, progress)


if __name__ == "__main__":
    channel.serve(analyse_confined)
