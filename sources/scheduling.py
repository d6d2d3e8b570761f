"""Starting what is due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from sources.definition import Schedule
from sources.models import OPEN, Run, Source, Status, Trigger
from sources.runs import LIVE
from sources.schedule import next_run_at

AT_ONCE = 500

# For a thousand sources the ORM's bulk_update and bulk_create take most of a second.
POSTPONE = """
UPDATE source SET next_run_at = planned.at FROM unnest(%s::bigint[], %s::timestamptz[]) AS planned (id, at)
WHERE source.id = planned.id
"""
START = """
INSERT INTO source_run (id, source_id, version, {columns})
SELECT gen_random_uuid(), due.id, due.version, {values}
FROM unnest(%s::bigint[], %s::integer[]) AS due (id, version)
"""


def plan(source: Source, now: datetime | None = None) -> None:
    """Set when the source runs first by a schedule that is new; saves nothing."""
    source.next_run_at = _next(source.active, source.definition.get("schedule"), None, source.pk, now)


def _next(active: bool, document: Any, last: datetime | None, source_id: int, now: datetime | None) -> datetime | None:
    schedule = msgspec.convert(document, Schedule | None)
    if not active or schedule is None:
        return None
    return next_run_at(schedule, last, now or timezone.now(), source_id)


def tick(now: datetime | None = None) -> int:
    """Make a pending run of every source that is due and has none under way; how many. Two at once do no harm."""
    now, made = now or timezone.now(), 0
    while True:
        with transaction.atomic():
            due = list(
                Source.objects.select_for_update(skip_locked=True)
                .filter(active=True, next_run_at__lte=now)
                .order_by("next_run_at")
                .values_list("pk", "version", "definition__schedule", "next_run_at")[:AT_ONCE]
            )
            if due:
                made += _start([(source_id, version) for source_id, version, *_ in due])
                _postpone({id: _next(True, schedule, last, id, now) for id, _, schedule, last in due})
        if len(due) < AT_ONCE:
            return made


def _start(due: Sequence[tuple[int, int]]) -> int:
    busy = set(
        Run.objects.filter(LIVE, source__in=[source_id for source_id, _ in due], status__in=OPEN).values_list(
            "source_id", flat=True
        )
    )
    started = [one for one in due if one[0] not in busy]
    alike = _what_all_runs_have()
    statement = START.format(columns=", ".join(alike), values=", ".join(["%s"] * len(alike)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*alike.values(), [id for id, _ in started], [version for _, version in started]])
    return len(started)


def _what_all_runs_have() -> dict[str, Any]:
    """Values by column, of all but id, source and version."""
    run = Run(trigger=Trigger.SCHEDULE, status=Status.PENDING)
    fields = [field for field in Run._meta.concrete_fields if field.name not in ("id", "source", "version")]
    return {str(field.column): field.get_db_prep_save(field.pre_save(run, True), connection) for field in fields}


def _postpone(next_by_id: dict[int, datetime | None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(POSTPONE, [list(next_by_id), list(next_by_id.values())])
