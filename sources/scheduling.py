"""Starting what is due."""

from datetime import datetime

import msgspec
from django.db import transaction
from django.utils import timezone

from sources.definition import Schedule
from sources.models import OPEN, Run, Source, Status, Trigger
from sources.schedule import next_run_at

AT_ONCE = 500


def plan(source: Source, now: datetime | None = None) -> None:
    """Set when the source runs next, by its schedule; saves nothing."""
    schedule = msgspec.convert(source.definition.get("schedule"), Schedule | None)
    if not source.active or schedule is None:
        source.next_run_at = None
    else:
        source.next_run_at = next_run_at(schedule, source.next_run_at, now or timezone.now(), source.pk)


def tick(now: datetime | None = None) -> int:
    """Make a pending run of every source that is due and has none under way; how many. Two at once do no harm."""
    now, made = now or timezone.now(), 0
    while True:
        with transaction.atomic():
            due = list(
                Source.objects.select_for_update(skip_locked=True)
                .filter(active=True, next_run_at__lte=now)
                .order_by("next_run_at")[:AT_ONCE]
            )
            busy = set(
                Run.objects.filter(source__in=due, status__in=OPEN)
                .exclude(trigger=Trigger.BACKFILL)
                .values_list("source_id", flat=True)
            )
            started = [source for source in due if source.pk not in busy]
            for source in due:
                plan(source, now)
            Source.objects.bulk_update(due, ["next_run_at"])
            Run.objects.bulk_create(
                Run(source=source, version=source.version, trigger=Trigger.SCHEDULE, status=Status.PENDING)
                for source in started
            )
        made += len(started)
        if len(due) < AT_ONCE:
            return made
