"""The life of an analysis task: pending, running, and one of three ends.

Who carries out a task holds no lock for it: it writes a heartbeat, and a task whose heartbeat has stopped is begun
again by `reap`, as the next attempt. The result is committed with the task's success, by the attempt that is under way
alone: so there is one, whatever process dies when.
"""

import hashlib
import os
import socket
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from datasets import announcements, selections, snapshots
from datasets.kinds.kind import Kind
from datasets.models import OPEN, AnalysisTask, Dataset, Status
from datasets.selections import Selection
from ingest.reading import time_limit

LOST_SECONDS = 60.0
MOST_ATTEMPTS = 3


class Asked(NamedTuple):
    """`is_new`: the task was made for this request."""

    task: AnalysisTask
    is_new: bool


@transaction.atomic
def request(
    dataset: Dataset,
    kind: Kind[Any],
    parameters: dict[str, Any],
    by: str = "",
    *,
    other: Dataset | None = None,
    fresh: bool = False,
    now: datetime | None = None,
) -> Asked:
    """A task that is to have, or unless `fresh` already has, the result of these parameters (`parameters.read`).

    Whoever asks for the same while it is pending or running gets the same task.
    """
    now = now or timezone.now()
    tables = [dataset, *([other] if other else [])]
    with time_limit():
        fingerprints = [_fingerprint(table, now) for table in tables]
    dataset = Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
    if dataset.version != tables[0].version:  # it was changed a moment ago
        fingerprints[0] = _fingerprint(dataset, now)
    chosen = [selections.of(table) for table in (dataset, *tables[1:])]
    key = cache_key(chosen, kind, parameters, fingerprints)
    if known := _known(dataset, key, fresh):
        return Asked(known, False)
    task = AnalysisTask.objects.create(
        dataset=dataset,
        dataset_version=dataset.version,
        kind=kind.name,
        kind_version=kind.version,
        parameters=parameters,
        selections=msgspec.to_builtins(chosen),
        cache_key=key,
        created_at=now,
        created_by=by[:200],
    )
    announcements.announce(task)
    return Asked(task, True)


def _fingerprint(dataset: Dataset, now: datetime) -> str:
    return snapshots.fingerprint(dataset, snapshots.period(dataset, now))


def _known(dataset: Dataset, key: str, fresh: bool) -> AnalysisTask | None:
    of_key = dataset.tasks.filter(cache_key=key)
    waiting = of_key.filter(status__in=OPEN, cancel_requested=False).first()
    return waiting or (None if fresh else of_key.filter(status=Status.SUCCESS).first())


def cache_key(
    chosen: Iterable[Selection],
    kind: Kind[Any],
    parameters: Mapping[str, Any],
    fingerprints: Iterable[str],
) -> str:
    """`fingerprints` of the snapshots, one for each selection."""
    tables = [[one.dataset, one.definition] for one in chosen]
    whole = [tables, kind.name, kind.version, parameters, list(fingerprints)]
    return hashlib.sha256(msgspec.json.encode(whole, order="deterministic")).hexdigest()


def pending() -> "QuerySet[AnalysisTask]":
    """Those that wait, the longest waiting first."""
    return AnalysisTask.objects.filter(status=Status.PENDING).order_by("created_at", "pk")


@transaction.atomic
def claim(now: datetime | None = None) -> AnalysisTask | None:
    """The pending task that has waited longest, running from here on by this process; None when there is none.

    Two processes never get the same one.
    """
    now = now or timezone.now()
    task = pending().select_for_update(skip_locked=True, of=("self",)).select_related("dataset").first()
    if task is not None:
        task.status, task.started_at, task.heartbeat_at = Status.RUNNING, task.started_at or now, now
        task.worker = f"{socket.gethostname()}:{os.getpid()}"
        task.attempt += 1
        task.progress, task.step = 0.0, ""
        task.save()
        announcements.announce(task)
    return task


def beat(task: AnalysisTask, now: datetime | None = None, **progress: Any) -> bool:
    """Say that the task is alive and how far it is; False when it shall end: cancelled, given up as lost, or gone."""
    mine = AnalysisTask.objects.filter(pk=task.pk, status=Status.RUNNING, attempt=task.attempt)
    mine.update(heartbeat_at=now or timezone.now(), **progress)
    return mine.filter(cancel_requested=False).exists()


@transaction.atomic
def finish(task: AnalysisTask, status: Status, *, now: datetime | None = None, **fields: Any) -> bool:
    """End the task that this process carries out; False when it was ended, or begun again, by somebody else."""
    mine = AnalysisTask.objects.filter(pk=task.pk, status=Status.RUNNING, attempt=task.attempt)
    changes = {"status": status, "ended_at": now or timezone.now(), "step": "", **fields}
    if not mine.update(**changes):
        return False
    for name, value in changes.items():
        setattr(task, name, value)
    announcements.announce(task)
    return True


@transaction.atomic
def cancel(task: AnalysisTask, now: datetime | None = None) -> AnalysisTask:
    """A pending task ends at once, a running one within seconds; one that has ended stays as it is."""
    task = AnalysisTask.objects.select_for_update(of=("self",)).select_related("dataset").get(pk=task.pk)
    if task.status == Status.PENDING:
        task.status, task.ended_at, task.cancel_requested = Status.CANCELLED, now or timezone.now(), True
        task.save(update_fields=["status", "ended_at", "cancel_requested"])
        announcements.announce(task)
    elif task.status == Status.RUNNING:
        task.cancel_requested = True
        task.save(update_fields=["cancel_requested"])
    return task


@transaction.atomic
def reap(now: datetime | None = None) -> int:
    """Tasks whose worker has died: begun again, and failed after MOST_ATTEMPTS, unless cancelled; how many."""
    now = now or timezone.now()
    silent = AnalysisTask.objects.filter(status=Status.RUNNING, heartbeat_at__lt=now - timedelta(seconds=LOST_SECONDS))
    found = list(silent.select_for_update(skip_locked=True, of=("self",)).select_related("dataset"))
    for task in found:
        if task.cancel_requested:
            task.status, task.ended_at = Status.CANCELLED, now
        elif task.attempt < MOST_ATTEMPTS:
            task.status = Status.PENDING
        else:
            task.status, task.ended_at, task.error = Status.FAILED, now, "worker_lost"
            task.detail = "The worker that carried it out died, or was cut off from the database, again and again."
        task.step = ""
        task.save(update_fields=["status", "ended_at", "error", "detail", "step"])
        announcements.announce(task)
    return len(found)
