"""Sources and runs as the pages show them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.timesince import timesince, timeuntil

from sources import uploads
from sources.models import OPEN, Run, Source, Status, Upload
from sources.runs import BACKFILL

WRITTEN = ("appended", "inserted", "updated", "deleted")
ORDER = (
    *("outside_window", "decoded", "rejected", "filtered", "duplicates"),
    *("appended", "inserted", "updated", "unchanged", "superseded", "deleted"),
)
UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Count:
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class SourceLine:
    """`open`: the run under way, `last`: the one that ended last."""

    source: Source
    place: str
    open: Run | None
    last: Run | None
    last_ago: str
    next_in: str

    @property
    def state(self) -> str:
        if self.open is not None:
            return self.open.status
        if not self.source.active:
            return "paused"
        return self.last.status if self.last else "new"

    @property
    def rows(self) -> list[Count]:
        return counts_of(self.last) if self.last else []


def source_lines(sources: Iterable[Source], now: datetime) -> list[SourceLine]:
    found = list(sources)
    opened, ended = _newest(found, status__in=OPEN), _newest(found, exclude_open=True)
    named = {source.pk: upload for source in found if (upload := uploads.named_by(source.definition["extract"]))}
    files: dict[UUID, str] = dict(Upload.objects.filter(pk__in=named.values()).values_list("pk", "name"))
    return [
        SourceLine(
            source,
            place(source.definition, files.get(named[source.pk]) if source.pk in named else None),
            opened.get(source.pk),
            last := ended.get(source.pk),
            ago(last.ended_at, now) if last else "",
            until(source.next_run_at, now),
        )
        for source in found
    ]


def _newest(sources: list[Source], *, exclude_open: bool = False, **filters: Any) -> dict[int, Run]:
    """By source. A backfill as a whole is nothing that runs."""
    runs: QuerySet[Run] = Run.objects.filter(source=OuterRef("pk"), **filters)
    if exclude_open:
        runs = runs.exclude(status__in=OPEN)
    one = runs.exclude(BACKFILL).order_by("-created_at").values("pk")[:1]
    keys = Source.objects.filter(pk__in=[source.pk for source in sources]).values_list(Subquery(one), flat=True)
    return {run.source_id: run for run in Run.objects.filter(pk__in=[key for key in keys if key])}


def kind(definition: Mapping[str, Any]) -> str:
    return str(definition["extract"]["kind"])


def place(definition: Mapping[str, Any], file: str | None) -> str:
    """Host or file, never with credentials."""
    extract = definition["extract"]
    if kind(definition) == "file" or uploads.named_by(extract):
        return file or "a file that is gone"
    address = urlsplit(str(extract["url"]))
    if address.netloc:
        return address.netloc.rpartition("@")[2]
    return address.path.rpartition("/")[2]


def counts_of(run: Run) -> list[Count]:
    """Those of a run that are not zero, in the order in which rows meet them."""
    counts: Mapping[str, Any] = run.counts
    return [Count(name, counts[name]) for name in ORDER if isinstance(counts.get(name), int) and counts[name]]


def rows_written(run: Run) -> int:
    return sum(count.number for count in counts_of(run) if count.name in WRITTEN)


def duration_seconds(run: Run, now: datetime) -> float | None:
    """Of one under way: so far."""
    if run.started_at is None:
        return None
    return ((run.ended_at or now) - run.started_at).total_seconds()


def in_words(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def ago(time: datetime | None, now: datetime) -> str:
    if time is None:
        return ""
    seconds = (now - time).total_seconds()
    if seconds < 60:
        return f"{max(seconds, 0):.0f} s ago"
    return f"{timesince(time, now, depth=1)} ago"


def until(time: datetime | None, now: datetime) -> str:
    if time is None:
        return ""
    seconds = (time - now).total_seconds()
    if seconds <= 0:
        return "now"
    return f"in {seconds:.0f} s" if seconds < 60 else f"in {timeuntil(time, now, depth=1)}"


def schedule_in_words(definition: Mapping[str, Any]) -> str:
    schedule = definition.get("schedule") or {}
    if cron := schedule.get("cron"):
        return f"cron {cron}, {schedule.get('time_zone', 'UTC')}"
    if seconds := schedule.get("every_seconds"):
        for size, unit in UNITS:
            if seconds % size == 0:
                number = int(seconds // size)
                return f"every {unit}" if number == 1 else f"every {number} {unit}s"
        return f"every {seconds:g} seconds"
    return "when asked"


@dataclass(frozen=True, slots=True)
class RunLine:
    run: Run
    duration_seconds: float | None
    ago: str

    @property
    def duration(self) -> str:
        return in_words(self.duration_seconds)

    @property
    def rows(self) -> list[Count]:
        return counts_of(self.run)

    @property
    def is_open(self) -> bool:
        return self.run.status in OPEN

    @property
    def may_retry(self) -> bool:
        return self.run.status in (Status.FAILED, Status.CANCELLED)


def run_line(run: Run, now: datetime) -> RunLine:
    return RunLine(run, duration_seconds(run, now), ago(run.ended_at or run.started_at or run.created_at, now))
