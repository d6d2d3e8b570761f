"""Making and dropping the indexes on members of payloads, beside everything else that goes on.

One step is one index of one partition. Each is looked for anew in wishes and catalogue, so this may die at any point
and be run again: what was left half made is invalid, and begun anew.

With each index stand statistics of what it indexes. PostgreSQL keeps none for an index of some rows only, and without
them it takes any value for one that one event in 400 has, and reads on backwards in time instead of looking into the
index for the one event in ten million.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import Error as DatabaseError
from django.db import connection

from ingest.field_indexes import Part, definition, name_of, parts
from ingest.models import FieldIndex
from ingest.partitions import DEFAULT_PARTITION, partition_names

logger = logging.getLogger(__name__)

RETRY = timedelta(minutes=10)
LOCK = 7_403_161_540_272_118_401  # of PostgreSQL's advisory locks, for the session that builds


class _Step(NamedTuple):
    """Of a part that is there: drop it. Else make it for the wish."""

    part: Part
    wish: FieldIndex | None


def build(now: datetime) -> int:
    """Make what is wished for and drop what is not, until nothing is left to do; how many steps that took.

    Nothing while another process does so. A wish that fails is tried again RETRY later. Not inside a transaction.
    """
    done = 0
    with _alone() as is_alone:
        while is_alone and (step := _next_step(now)):
            _carry_out(step, now)
            done += 1
    return done


@contextmanager
def _alone() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        [is_alone] = cursor.fetchone()
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _next_step(now: datetime) -> _Step | None:
    wishes = {wish.pk: wish for wish in FieldIndex.objects.order_by("pk")}
    there = {(part.partition, part.wish): part for part in parts()}
    for part in there.values():
        wish = wishes.get(part.wish)
        if wish is None or not (part.is_valid or _is_resting(wish, now)):
            return _Step(part, None)
    newest_first = sorted(partition_names(), key=lambda name: (name != DEFAULT_PARTITION, name), reverse=True)
    for wish in wishes.values():
        for partition in [] if _is_resting(wish, now) else newest_first:
            if (partition, wish.pk) not in there:
                return _Step(Part(partition, wish.pk, False, 0), wish)
    return None


def _is_resting(wish: FieldIndex, now: datetime) -> bool:
    return wish.failed_at is not None and wish.failed_at > now - RETRY


def _carry_out(step: _Step, now: datetime) -> None:
    """A wish whose index cannot be made is told so."""
    if step.wish is None:
        return _drop(step.part)
    wish = FieldIndex.objects.filter(pk=step.wish.pk)
    try:
        _make(step.part.partition, step.wish)
    except DatabaseError as error:
        logger.warning("The index %s cannot be made now: %s", step.part.name, str(error).strip())
        wish.update(error=str(error).strip(), failed_at=now)
    else:
        wish.exclude(failed_at=None).update(error="", failed_at=None)


def _make(partition: str, wish: FieldIndex) -> None:
    name, (expression, condition) = name_of(partition, wish.pk), definition(wish)
    with connection.cursor() as cursor:
        statistics = f"CREATE STATISTICS IF NOT EXISTS {name} ON ({expression.text}) FROM {partition}"
        cursor.execute(statistics, expression.parameters)
        cursor.execute(f"ANALYZE {partition}")
        cursor.execute(
            f"CREATE INDEX CONCURRENTLY {name} ON {partition} (({expression.text})) WHERE {condition.text}",
            [*expression.parameters, *condition.parameters],
        )


def _drop(part: Part) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {part.name}")
        cursor.execute(f"DROP STATISTICS IF EXISTS {part.name}")
