"""When a source runs next.

`every_seconds`: on a grid that never drifts. Each source has a place of its own on it, found from its id, so that
sources with one interval do not all start together.

`cron`: five fields as in crontab(5), in the schedule's time zone. When clocks change, a fixed hour and minute that the
clock skips runs as soon as the skipped hour is over, and one that it shows twice runs at the first of the two; patterns
with `*` for the minute or hour follow the time that really passes.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from sources.definition import Schedule
from sources.errors import BadDefinition

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MOST_SECONDS = 366 * 86_400


def next_run_at(
    schedule: Schedule | None, after: datetime | None, now: datetime, source_id: int | str
) -> datetime | None:
    """The first time of the schedule later than `now` and than `after`, the time of the last run.

    Without a last run it is `now` for an interval. None: it runs when asked only. Times that passed unused are not made
    up for. Raises BadDefinition.
    """
    if schedule is None or (schedule.every_seconds is None and not schedule.cron):
        return None
    check_schedule(schedule)
    latest = max(now, after) if after else now
    if schedule.cron:
        return _next_of_cron(schedule.cron, _zone(schedule.time_zone), latest)
    if after is None:
        return now
    return _next_of_grid(timedelta(seconds=schedule.every_seconds or 0), latest, source_id)


def check_schedule(schedule: Schedule | None) -> None:
    """Raises BadDefinition when there are no times, or two ways to find them."""
    if schedule is None:
        return
    zone = _zone(schedule.time_zone)
    if schedule.every_seconds is not None and schedule.cron:
        raise BadDefinition("give either every_seconds or cron, not both.")
    if schedule.every_seconds is not None and not 1 <= schedule.every_seconds <= MOST_SECONDS:
        raise BadDefinition(f"every_seconds: {schedule.every_seconds:g} is not from 1 to {MOST_SECONDS}, a year.")
    if schedule.cron:
        _next_of_cron(schedule.cron, zone, EPOCH)


def _next_of_grid(interval: timedelta, latest: datetime, source_id: int | str) -> datetime:
    passed = latest - EPOCH - _place(interval, source_id)
    return latest + interval - passed % interval


def _place(interval: timedelta, source_id: int | str) -> timedelta:
    """Where on the grid, at least 0 and less than the interval; the same in every process."""
    number = int.from_bytes(hashlib.sha256(str(source_id).encode()).digest()[:8], "big")
    return number % (interval // MICROSECOND) * MICROSECOND


def _next_of_cron(expression: str, zone: ZoneInfo, latest: datetime) -> datetime:
    for time in _times(expression, latest.astimezone(zone)):
        # in the hour that clocks show twice the first answers may have passed
        if (found := time.astimezone(UTC)) > latest:
            return found
    raise BadDefinition(f"cron: {expression[:80]!r} names no day that exists.")


def _times(expression: str, start: datetime) -> Iterator[datetime]:
    if len(expression.split()) != 5:
        raise BadDefinition(
            f"cron: {expression[:80]!r} has not five fields: minute, hour, day of month, month, day of week."
        )
    try:
        return CronSim(expression, start)
    except CronSimError as error:
        raise BadDefinition(f"cron: {expression[:80]!r} is not understood: {error}.") from error


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadDefinition(
            f"time_zone: {name[:80]!r} is no time zone: write one like Europe/Madrid, or UTC."
        ) from error
