"""Runs of sources, asked for in a process with the settings of the service and carried out by its workers.

`main` does one step and prints JSON.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import orjson
from django.utils import timezone

from data_handler.celery import app
from sources import runs, saving, scheduling
from sources.doorbell import ring
from sources.models import OPEN, Run, Source, SourceVersion, Status, Trigger

LONGEST_SECONDS = 900.0
POLL_SECONDS = 0.005
TICKS = 20


def main() -> None:
    app.set_current()
    steps: dict[str, Callable[..., Any]] = {"pull": pull, "ticks": ticks, "due": due}
    step, *words = sys.argv[1:]
    print(orjson.dumps(steps[step](*words)).decode())


def pull(name: str, document: str) -> dict[str, Any]:
    """One run, from asking for it until its end is seen; `began`: by the monotonic clock."""
    source = Source.objects.filter(name=name).first()
    if source is None:
        source = Source(name=name)
        saving.save(source, orjson.loads(document))
    began = time.monotonic()
    run = runs.request(source, Trigger.HAND)
    ring()
    while Run.objects.values_list("status", flat=True).get(pk=run.pk) in OPEN:
        if time.monotonic() > began + LONGEST_SECONDS:
            raise SystemExit(f"The run of {name} has not ended after {LONGEST_SECONDS:g} s.")
        time.sleep(POLL_SECONDS)
    seconds = time.monotonic() - began
    run.refresh_from_db()
    if run.status != Status.SUCCESS:
        raise SystemExit(f"The run of {name} ended as {run.status}: {run.error} {run.detail}")
    pid = int(run.worker.rpartition(":")[2])
    return {"began": began, "seconds": seconds, "counts": run.counts, "bytes": run.bytes, "pid": pid}


def ticks(url: str, number: str) -> list[float]:
    """Seconds that each of some ticks takes with so many sources due; nobody else may start them."""
    _make(url, int(number))
    seconds = []
    for _ in range(TICKS):
        Source.objects.update(next_run_at=timezone.now())
        began = time.perf_counter()
        made = scheduling.tick()
        seconds.append(time.perf_counter() - began)
        if made != int(number):
            raise SystemExit(f"{number} sources were due, and {made} runs were made.")
        Run.objects.all().delete()
        Source.objects.update(next_run_at=None)
    return seconds


def _make(url: str, number: int) -> None:
    document = {"version": 1, "load": {"kind": "upsert", "key": ["id"]}, "schedule": {"every_seconds": 86_400}}
    made = Source.objects.bulk_create(
        Source(name=f"due-{at}", definition={**document, "extract": {"kind": "http", "url": f"{url}/small/{at}"}})
        for at in range(number)
    )
    SourceVersion.objects.bulk_create(
        SourceVersion(source=source, version=1, definition=source.definition) for source in made
    )


def due() -> dict[str, Any]:
    """All are due now: seconds until the last run has ended, and runs by source, outcome and worker."""
    began, began_at = time.monotonic(), timezone.now()
    Source.objects.update(next_run_at=began_at)
    while Source.objects.filter(next_run_at__lte=began_at).exists() or Run.objects.filter(status__in=OPEN).exists():
        if time.monotonic() > began + LONGEST_SECONDS:
            raise SystemExit(f"Runs have not ended after {LONGEST_SECONDS:g} s.")
        time.sleep(0.1)
    ended = list(Run.objects.values_list("source_id", "status", "worker", "ended_at"))
    outcomes = [status for _, status, _, _ in ended]
    return {
        "seconds": max((at - began_at).total_seconds() for *_, at in ended if at),
        "runs": len(ended),
        "sources": len({source_id for source_id, *_ in ended}),
        "outcomes": {outcome: outcomes.count(outcome) for outcome in set(outcomes)},
        "workers": len({worker for _, _, worker, _ in ended}),
    }
