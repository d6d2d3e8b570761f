"""Analyses, asked for in a process with the settings of the service and carried out by its worker.

`main` does one step and prints JSON.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import orjson
from django.conf import settings

from data_handler.celery import app
from datasets import analyses, parameters, snapshot
from datasets.doorbell import ring
from datasets.engine.table import literal
from datasets.models import OPEN, AnalysisTask, Dataset, Status

LONGEST_SECONDS = 900.0
POLL_SECONDS = 0.02


def main() -> None:
    app.set_current()
    steps: dict[str, Callable[..., Any]] = {"analyse": analyse, "summarize": summarize}
    step, *words = sys.argv[1:]
    print(orjson.dumps(steps[step](*words)).decode())


def analyse(kind: str, stream: str) -> dict[str, Any]:
    """Of a new dataset of all events of a stream: seconds from asking until its end is seen, and of its snapshot."""
    dataset = Dataset.objects.create(
        name=f"bench {time.time()}", kind="events", definition={"streams": [stream]}, owner="user:0"
    )
    began, began_at = time.monotonic(), time.time()
    task = analyses.request(dataset, parameters.kind_of(kind), parameters.read(parameters.kind_of(kind), {})).task
    ring()
    while AnalysisTask.objects.values_list("status", flat=True).get(pk=task.pk) in OPEN:
        if time.monotonic() > began + LONGEST_SECONDS:
            raise SystemExit(f"The analysis has not ended after {LONGEST_SECONDS:g} s.")
        time.sleep(POLL_SECONDS)
    seconds = time.monotonic() - began
    task.refresh_from_db()
    if task.status != Status.SUCCESS:
        raise SystemExit(f"The analysis ended as {task.status}: {task.error} {task.detail}")
    [described] = task.snapshots
    folder = Path(settings.SNAPSHOTS_DIR) / f"{dataset.pk}-{described['id']}"
    taken = (folder / snapshot.FILE).stat().st_ctime - began_at
    return {"seconds": seconds, "snapshot": taken, "rows": described["rows"], "folder": str(folder)}


def summarize(folder: str) -> dict[str, float]:
    """Seconds of DuckDB's own SUMMARIZE over the Parquet files of a snapshot."""
    files = literal(str(Path(folder) / "*.parquet"))
    with duckdb.connect(config={"threads": settings.ANALYSIS_THREADS}) as connection:
        connection.execute("SET enable_progress_bar = false")
        began = time.perf_counter()
        connection.execute(f"SUMMARIZE SELECT * FROM read_parquet({files}, union_by_name=true)").fetchall()
        return {"seconds": time.perf_counter() - began}
