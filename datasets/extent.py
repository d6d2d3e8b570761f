"""How much data a dataset selects: quickly asked, and another answer when the data is another."""

from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Sum
from django.db.models.functions import Extract
from msgspec import Struct

from datasets import announcements
from datasets.definition import Definition, Events, File, Period, Records
from datasets.errors import SnapshotFailed
from ingest.models import RollupMinute, RollupTotal, Stream
from sources.models import Record, Source, Upload

NOT_AMONG_ALL = announcements.STREAM
"""Analyses themselves make its events: with them, data would be other data after each."""
EVER = datetime.min.replace(tzinfo=UTC)
ENDS = """
SELECT stream.id,
  (SELECT id FROM event WHERE stream_id = stream.id AND received_at >= %(from)s AND received_at < %(to)s
   ORDER BY received_at, id LIMIT 1),
  (SELECT id FROM event WHERE stream_id = stream.id AND received_at >= %(from)s AND received_at < %(to)s
   ORDER BY received_at DESC, id DESC LIMIT 1)
FROM unnest(%(streams)s::bigint[]) AS stream (id) ORDER BY stream.id
"""
"""Arrivals change the newest event, retention and windows that slide the oldest."""


class Extent(Struct, frozen=True):
    """`rows`: at most so many; of a file 0. `names` of the streams or sources, by their ids; `state`: the rest."""

    rows: int
    names: dict[int, str]
    state: Any


def extent(definition: Definition, period: Period | None) -> Extent:
    """Raises SnapshotFailed when the upload is gone. `period`: of events."""
    if isinstance(definition, Events):
        assert period is not None
        return _of_events(definition, period)
    return _of_records(definition) if isinstance(definition, Records) else _of_file(definition)


def _of_events(definition: Events, period: Period) -> Extent:
    streams = Stream.objects.order_by("pk")
    named = definition.streams
    streams = streams.exclude(name=NOT_AMONG_ALL) if named is None else streams.filter(name__in=named)
    names = dict(streams.values_list("pk", "name"))
    bounds: dict[str, Any] = {"streams": list(names), "from": period.starts_at or EVER, "to": period.ends_at}
    with connection.cursor() as cursor:
        cursor.execute(ENDS, bounds)
        ends = cursor.fetchall()
    rows = _events(list(names), period, is_open=definition.window.ends_at is None)
    return Extent(rows, names, [rows, ends])


def _events(streams: list[int], period: Period, is_open: bool) -> int:
    """As counted by minute, or since the beginning: what retention has removed is counted, too."""
    if period.starts_at is None and is_open:
        found = RollupTotal.objects.filter(stream_id__in=streams).aggregate(all=Sum("events"))
    else:
        since = (period.starts_at or EVER).replace(second=0, microsecond=0)
        minutes = RollupMinute.objects.filter(stream_id__in=streams, minute__gte=since, minute__lt=period.ends_at)
        found = minutes.aggregate(all=Sum("events"))
    return int(found["all"] or 0)


def _of_records(definition: Records) -> Extent:
    records, sources = Record.objects.order_by(), Source.objects.order_by("pk")
    if definition.source is not None:
        sources = sources.filter(name=definition.source)
        records = records.filter(source_id__in=list(sources.values_list("pk", flat=True)) or [0])
    # The sum too: of two writers the one with the later time may commit first.
    found = records.aggregate(rows=Count("pk"), newest=Max("updated_at"), sum=Sum(Extract("updated_at", "epoch")))
    state = [found["rows"], found["newest"], str(found["sum"])]
    return Extent(found["rows"], dict(sources.values_list("pk", "name")), state)


def _of_file(definition: File) -> Extent:
    digest = Upload.objects.filter(pk=definition.upload, complete=True).values_list("sha256", flat=True).first()
    if digest is None:
        raise SnapshotFailed("The uploaded file of this dataset is gone: send it again, and make it the dataset's.")
    return Extent(0, {}, bytes(digest).hex())
