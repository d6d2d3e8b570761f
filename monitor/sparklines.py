"""Events a minute over the last hour, as the points of a small line."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Sum

from ingest.models import RollupMinute

MINUTES = 60
HEIGHT = 20


def read(stream_ids: Iterable[int], now: datetime) -> dict[int, list[int]]:
    """MINUTES counts for each stream that has any, the running minute last."""
    first = now.replace(second=0, microsecond=0) - timedelta(minutes=MINUTES - 1)
    counted = RollupMinute.objects.filter(stream__in=list(stream_ids), minute__gte=first, minute__lte=now)
    lines: dict[int, list[int]] = {}
    for stream_id, minute, events in counted.values_list("stream", "minute").annotate(Sum("events")).order_by():
        line = lines.setdefault(stream_id, [0] * MINUTES)
        line[int((minute - first).total_seconds()) // 60] += events
    return lines


def points(counts: Sequence[int]) -> str:
    """For an SVG polyline, one unit a minute, HEIGHT high."""
    top = max(*counts, 1)
    return " ".join(f"{x},{HEIGHT - HEIGHT * count / top:.1f}" for x, count in enumerate(counts))
