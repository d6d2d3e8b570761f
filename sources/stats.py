"""Totals of sources and records, cached in Redis until a run or a write changes them."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import redis
from django.conf import settings
from django.db import transaction
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Max, Q, TextField
from django.db.models.functions import Cast

from access.connections import connections
from access.reach import EVERYWHERE, Reach
from ingest.rendering import as_json
from sources.decode import json_values
from sources.models import Record, Run, Source, Status

KEY = "{dh:sources}:stats"
TOP_KEY = "{dh:sources}:top"
EXPIRY_SECONDS = 60
TIMEOUT_SECONDS = 1.0
TOP = 10


def read(reach: Reach = EVERYWHERE) -> dict[str, Any]:
    """`average_update_time`: seconds that a successful run takes, over the last thousand."""
    return dict(_cached(KEY, _totals, reach))


def top_records(reach: Reach = EVERYWHERE) -> list[dict[str, Any]]:
    """Those updated most recently, the newest first."""
    return list(_cached(TOP_KEY, _top, reach))


def forget() -> None:
    """Call when what they tell of has changed; it takes effect with the commit."""
    transaction.on_commit(_forget)


def _forget() -> None:
    with suppress(redis.RedisError):  # they expire by themselves
        _client().delete(KEY, TOP_KEY)


def _cached(key: str, make: Callable[[Reach], Any], reach: Reach) -> Any:
    """As JSON says it, the first time too."""
    if reach.sources is not None:
        return json_values.loads(as_json(make(reach)))
    try:
        text: Any = _client().get(key)
        if text is None:
            text = as_json(make(reach))
            _client().set(key, text, ex=EXPIRY_SECONDS)
    except redis.RedisError:
        text = as_json(make(reach))
    return json_values.loads(text)


def _totals(reach: Reach) -> dict[str, Any]:
    of = reach.of_sources("source__name")
    sources = Source.objects.filter(reach.of_sources()).aggregate(
        total=Count("pk"), active=Count("pk", filter=Q(active=True))
    )
    records = Record.objects.filter(of).aggregate(total=Count("pk"), updated_at=Max("updated_at"))
    latest = Run.objects.filter(of, status=Status.SUCCESS, started_at__isnull=False).order_by("-created_at")[:1000]
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    average = Run.objects.filter(pk__in=latest.values("pk")).aggregate(took=Avg(took))["took"]
    return {
        "total_sources": sources["total"],
        "active_sources": sources["active"],
        "total_records": records["total"],
        "last_update": records["updated_at"],
        "average_update_time": average.total_seconds() if average is not None else None,
    }


def _top(reach: Reach) -> list[dict[str, Any]]:
    newest = Record.objects.filter(reach.of_sources("source__name")).order_by("-updated_at", "-pk")[:TOP]
    names = ("id", "source_name", "key", "value", "updated_at")
    fields = ("id", "source__name", "key", Cast("value", TextField()), "updated_at")
    found = [dict(zip(names, line, strict=True)) for line in newest.values_list(*fields)]
    return [{**record, "value": orjson.Fragment(record["value"])} for record in found]


def _client() -> "redis.Redis":
    return connections(settings.REDIS_URL, TIMEOUT_SECONDS)
