"""The life of a run: pending, running, and one of four ends. At most one run of a source is under way.

Who carries out a run holds no lock for it: it writes a heartbeat, and a run whose heartbeat has stopped is begun again
by `reap`, as the next attempt. The source's state is committed with the run's success, so whoever comes second finds it
as the last successful run left it. Progress and counts are those of the last attempt.

A backfill is a run that is not carried out itself: its children are, window by window, and it ends when they have.
What has a window belongs to one, whatever its trigger: it goes after the live runs of its source, keeps none of them
waiting, and leaves the source's state and failures alone.
"""

import os
import socket
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from sources.models import OPEN, Run, Source, Status, Trigger

LOST_SECONDS = 60.0
MOST_ATTEMPTS = 3


LIVE = Q(window_start=None)
BACKFILL = Q(window_start__isnull=False, parent=None)


class Failures(NamedTuple):
    """Of a source in a row, before a run ended and after."""

    before: int
    after: int


class AlreadyRunning(Exception):
    """A run of this source is pending or running."""


def request(source: Source, trigger: Trigger, by: str = "", **fields: Any) -> Run:
    """A new pending run of the source's present version. Raises AlreadyRunning."""
    with transaction.atomic():
        source = Source.objects.select_for_update().get(pk=source.pk)
        require_idle(source)
        return Run.objects.create(source=source, version=source.version, trigger=trigger, triggered_by=by, **fields)


def require_idle(source: Source) -> None:
    """Raises AlreadyRunning, backfills aside."""
    if source.runs.filter(LIVE, status__in=OPEN).exists():
        raise AlreadyRunning(f"A run of {source.name} is pending or running already.")


def startable(now: datetime) -> "QuerySet[Run]":
    waiting = Run.objects.filter(Q(not_before=None) | Q(not_before__lte=now), status=Status.PENDING)
    return waiting.exclude(BACKFILL).exclude(source__runs__status=Status.RUNNING)


def claim(now: datetime | None = None) -> Run | None:
    """The pending run that has waited longest, running from here on by this process; None when none may start.

    Two processes never get the same run, nor two runs of one source.
    """
    now = now or timezone.now()
    found = startable(now).order_by(F("window_start").asc(nulls_first=True), "created_at")
    while True:
        try:
            with transaction.atomic():
                run = found.select_for_update(skip_locked=True, of=("self",)).select_related("source").first()
                if run is not None:
                    _start(run, now)
                return run
        except IntegrityError:  # another process started one of this source a moment ago
            continue


def _start(run: Run, now: datetime) -> None:
    run.status, run.started_at, run.heartbeat_at = Status.RUNNING, run.started_at or now, now
    run.worker = f"{socket.gethostname()}:{os.getpid()}"
    run.attempt += 1
    run.state_before = run.source.state
    run.counts, run.statuses, run.rejected = {}, {}, []
    run.bytes = run.pages = 0
    run.detail = ""
    run.save()


def beat(run: Run, progress: Mapping[str, Any], now: datetime | None = None) -> bool:
    """Say that the run is alive and how far it is; False when it shall end: cancelled, or given up as lost."""
    mine = Run.objects.filter(pk=run.pk, status=Status.RUNNING, attempt=run.attempt)
    mine.update(heartbeat_at=now or timezone.now(), **progress)
    return mine.filter(cancel_requested=False).exists()


def hold(run: Run) -> bool:
    """Whether this process carries out the run still; in a transaction, nobody else begins it before the commit."""
    mine = Run.objects.filter(pk=run.pk, status=Status.RUNNING, attempt=run.attempt)
    return bool(mine.select_for_update(no_key=True).values_list("pk"))


def finish(run: Run, status: Status, *, now: datetime | None = None, **fields: Any) -> bool:
    """End the run that this process carries out; False when it was ended by somebody else meanwhile."""
    ended = Run.objects.filter(pk=run.pk, status=Status.RUNNING, attempt=run.attempt)
    return bool(ended.update(status=status, ended_at=now or timezone.now(), **fields))


def postpone(run: Run, until: datetime, reason: str, now: datetime | None = None) -> None:
    """Back to pending until then, in the same attempt: a rate limit is no reason to keep a worker, or to give up.

    A run that somebody cancelled meanwhile ends instead.
    """
    cancelled = When(cancel_requested=True, then=Value(Status.CANCELLED.value))
    ended = When(cancel_requested=True, then=Value(now or timezone.now()))
    Run.objects.filter(pk=run.pk, status=Status.RUNNING, attempt=run.attempt).update(
        status=Case(cancelled, default=Value(Status.PENDING.value)),
        ended_at=Case(ended, default=None),
        not_before=until,
        detail=reason,
        attempt=F("attempt") - 1,
    )


def cancel(run: Run, now: datetime | None = None) -> Run:
    """A pending run ends at once, a running one at its next heartbeat; one that has ended stays as it is."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run.pk)
        if run.status == Status.PENDING:
            run.status, run.ended_at, run.cancel_requested = Status.CANCELLED, now or timezone.now(), True
            run.save()
        elif run.status == Status.RUNNING:
            run.cancel_requested = True
            run.save(update_fields=["cancel_requested"])
    for child in run.children.filter(status__in=OPEN):
        cancel(child, now)
    return run


def reap(now: datetime | None = None, on_failed: Callable[[Run, Failures], object] | None = None) -> int:
    """Runs whose worker has died: tried again, and failed after MOST_ATTEMPTS, unless they were cancelled; how many.

    `on_failed` is told of those that failed, after the commit.
    """
    now = now or timezone.now()
    lost = Run.objects.filter(status=Status.RUNNING, heartbeat_at__lt=now - timedelta(seconds=LOST_SECONDS))
    cancelled = lost.filter(cancel_requested=True).update(status=Status.CANCELLED, ended_at=now)
    lost = lost.filter(cancel_requested=False)
    failed = _give_up(lost.filter(attempt__gte=MOST_ATTEMPTS), now)
    again = lost.filter(attempt__lt=MOST_ATTEMPTS).update(status=Status.PENDING, not_before=None)
    for run, failures in failed:
        if on_failed is not None and failures is not None:
            on_failed(run, failures)
    return cancelled + len(failed) + again


@transaction.atomic
def _give_up(lost: "QuerySet[Run]", now: datetime) -> list[tuple[Run, Failures | None]]:
    found = list(lost.select_for_update(skip_locked=True, of=("self",)).select_related("source"))
    for run in found:
        run.status, run.ended_at, run.error = Status.FAILED, now, "worker_lost"
        run.detail = "The worker that carried it out died, or was cut off from the database."
        run.save(update_fields=["status", "ended_at", "error", "detail"])
    return [(run, note_outcome(run, succeeded=False)) for run in found]


def note_outcome(run: Run, succeeded: bool) -> Failures | None:
    """Count failures in a row, in the transaction in which the run ends; None for a part of a backfill."""
    if run.window_start is not None:
        return None
    source = Source.objects.filter(pk=run.source_id)
    before = source.select_for_update(no_key=True).values_list("failures", flat=True).get()
    after = 0 if succeeded else before + 1
    source.update(failures=after)
    return Failures(before, after)
