"""Pulling a stretch of the past: one run for each window of it, that can be cancelled, and retried where it failed."""

from datetime import datetime, timedelta

from django.db import transaction

from sources.definition import Definition, Http, Sql
from sources.errors import BadDefinition
from sources.execution import definition_of
from sources.models import OPEN, Run, Source, Status, Trigger

MOST_WINDOWS = 1000


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
    Run.objects.bulk_create(
        Run(
            source=source,
            version=source.version,
            trigger=Trigger.BACKFILL,
            triggered_by=by,
            parent=parent,
            window_start=start,
            window_end=min(start + step, ends_at),
        )
        for start in _starts(starts_at, ends_at, step)
    )
    return parent


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
    done = Run.objects.filter(trigger=Trigger.BACKFILL, parent=None, status__in=OPEN).exclude(children__status__in=OPEN)
    return sum(_settle(parent) for parent in done)


def _settle(parent: Run) -> int:
    ends = list(parent.children.values_list("status", "ended_at", "counts"))
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
