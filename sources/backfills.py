"""Pulling a stretch of the past: one run for each window of it, that can be cancelled, and retried where it failed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from sources.definition import Definition, Http, Sql
from sources.errors import BadDefinition
from sources.execution import definition_of
from sources.models import OPEN, Run, Source, Status, Trigger
from sources.runs import BACKFILL, AlreadyRunning

MOST_WINDOWS = 1000
AGAIN = (Status.FAILED, Status.CANCELLED)

Window = tuple[datetime | None, datetime | None]


@transaction.atomic
def begin(source: Source, *, starts_at: datetime, ends_at: datetime, step: timedelta, by: str = "") -> Run:
    """The parent of the pending runs. Raises BadDefinition for a source without a cursor, or a window that is none."""
    if ends_at <= starts_at or step <= timedelta(0):
        raise BadDefinition("ends_at must be later than starts_at, and a step longer than nothing.")
    if (ends_at - starts_at) / step > MOST_WINDOWS:
        raise BadDefinition(f"That makes more than {MOST_WINDOWS} windows: take longer steps.")
    parent = Run(
        source=source,
        version=source.version,
        trigger=Trigger.BACKFILL,
        triggered_by=by,
        window_start=starts_at,
        window_end=ends_at,
    )
    if not has_cursor(definition_of(parent)):
        raise BadDefinition("A backfill needs a source that asks by time: give its definition a cursor.")
    parent.save()
    windows = [(start, min(start + step, ends_at)) for start in _starts(starts_at, ends_at, step)]
    _pull(parent, windows, Trigger.BACKFILL, by)
    return parent


@transaction.atomic
def retry(run: Run, by: str = "") -> Run:
    """Pull a window once more; of a backfill all that failed or were cancelled. The pending run; the backfill is open.

    Raises AlreadyRunning where a later run of the window is there.
    """
    parent = Run.objects.select_for_update(of=("self",)).select_related("source").get(pk=run.parent_id or run.pk)
    chosen = [one for one in latest(parent) if one.status in AGAIN and run.pk in (one.pk, parent.pk)]
    if not chosen:
        raise AlreadyRunning("This window was tried again already: see the later run.")
    parent.status, parent.ended_at, parent.cancel_requested = Status.PENDING, None, False
    parent.save(update_fields=["status", "ended_at", "cancel_requested"])
    made = _pull(parent, [(one.window_start, one.window_end) for one in chosen], Trigger.RETRY, by)
    return parent if run.pk == parent.pk else made[0]


def _pull(parent: Run, windows: Iterable[Window], trigger: Trigger, by: str) -> list[Run]:
    common = {"source": parent.source, "version": parent.source.version, "trigger": trigger, "triggered_by": by}
    return Run.objects.bulk_create(
        Run(**common, parent=parent, window_start=start, window_end=end) for start, end in windows
    )


def latest(parent: Run) -> "QuerySet[Run]":
    """The last run of each window."""
    return parent.children.order_by("window_start", "-created_at").distinct("window_start")


def has_cursor(definition: Definition) -> bool:
    """Whether a backfill can ask for a stretch of time."""
    extract = definition.extract
    if isinstance(extract, Http):
        return extract.cursor is not None
    return isinstance(extract, Sql) and bool(extract.cursor_column or extract.query)


def _starts(starts_at: datetime, ends_at: datetime, step: timedelta) -> list[datetime]:
    starts = [starts_at]
    while starts[-1] + step < ends_at:
        starts.append(starts[-1] + step)
    return starts


def settle() -> int:
    """End backfills whose windows have all ended; how many."""
    done = Run.objects.filter(BACKFILL, status__in=OPEN).exclude(children__status__in=OPEN)
    return sum(_settle(parent) for parent in done)


def _settle(parent: Run) -> int:
    ends = list(latest(parent).values_list("status", "ended_at", "counts"))
    statuses = {status for status, *_ in ends}
    order = (Status.FAILED, Status.CANCELLED, Status.SUCCESS, Status.SKIPPED)
    status = next((status for status in order if status in statuses), Status.SUCCESS)
    counts: dict[str, int] = {}
    for _, _, counted in ends:
        for name, count in counted.items():
            if isinstance(count, int):
                counts[name] = counts.get(name, 0) + count
    times = [ended_at for _, ended_at, _ in ends if ended_at]
    return Run.objects.filter(pk=parent.pk, status__in=OPEN).update(
        status=status, counts=counts, ended_at=max(times, default=parent.created_at), started_at=parent.created_at
    )
