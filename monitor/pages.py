"""Pages for people: streams and dead letters. They are made here; what changes something goes by the API."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.admin import site
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.timesince import timesince
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.models import Scope
from access.pages import may, needs, reach
from access.reach import Reach
from ingest import dead_letters as letters_of
from ingest import field_indexes, reading
from ingest.filters import DeadLetterFilter
from ingest.models import DeadLetter, SchemaMode, Stream
from ingest.views import with_counts
from monitor import sparklines

MOST_COUNTED = 1000
MOST_GROUPS = 200
STREAMS_A_PAGE = 100
LETTERS_A_PAGE = 50
EVENTS_SHOWN = 20
PREVIEW_CHARACTERS = 2000
LETTER_FILTERS = ("stream", "reason", "type", "key")


def navigation(request: HttpRequest) -> dict[str, Any]:
    """A context processor; what costs a query is a function, so that templates without navigation pay nothing."""
    return {
        "dead_letters_waiting": lambda: dead_letters_waiting(reach(request)),
        "may_administrate": lambda: site.has_permission(request),
        "assets_missing": not settings.STATICFILES_DIRS,
    }


def dead_letters_waiting(reach: Reach) -> str:
    """How many, up to MOST_COUNTED; "" for none."""
    count = visible_letters(reach).order_by()[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "")


# Streams


@dataclass(frozen=True, slots=True)
class StreamLine:
    """A stream as a line of the table: `stream` with its counts, how long ago its last event came, its sparkline."""

    stream: Any
    last: str
    points: str
    last_hour: int


def stream_lines(streams: Iterable[Any], now: datetime) -> list[StreamLine]:
    found = list(streams)
    hours = sparklines.read([stream.pk for stream in found], now)
    return [
        StreamLine(stream, ago(stream.last_minute, now), sparklines.points(hour), sum(hour))
        for stream in found
        for hour in [hours.get(stream.pk, [0] * sparklines.MINUTES)]
    ]


def ago(minute: datetime | None, now: datetime) -> str:
    """How long ago that minute was."""
    if minute is None:
        return "never"
    return f"{timesince(minute, now, depth=1)} ago" if (now - minute).total_seconds() >= 60 else "just now"


@never_cache
@require_safe
@needs(Scope.READ)
def streams(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()
    found = (
        Stream.objects.filter(reach(request).of_streams(), name__icontains=search)
        .order_by("name")
        .values_list("pk", flat=True)
    )
    page = Paginator(found, STREAMS_A_PAGE).get_page(request.GET.get("page"))
    shown = with_counts(Stream.objects.filter(pk__in=list(page.object_list)).order_by("name"))
    context = {
        "search": search,
        "page": page,
        "lines": stream_lines(shown, timezone.now()),
        "address": request.build_absolute_uri("/api/streams/sensors/events/"),
        "service_retention_days": settings.RETENTION_DAYS,
    }
    return render(request, "monitor/streams.html", context)


@never_cache
@require_safe
@needs(Scope.READ)
def stream(request: HttpRequest, name: str) -> HttpResponse:
    found = get_object_or_404(with_counts(Stream.objects.filter(reach(request).of_streams())), name=name)
    events, _ = reading.read_page(reading.EventQuery(streams=frozenset([name])), EVENTS_SHOWN)
    [line] = stream_lines([found], timezone.now())
    context = {
        "line": line,
        "fields": [path_field(found, name) for name in ("key_path", "type_path", "time_path")],
        "schema": "" if found.schema is None else json.dumps(found.schema, indent=2, ensure_ascii=False),
        "schema_modes": SchemaMode.choices,
        "may_operate": reach(request, Scope.OPERATE).has_stream(name),
        "may_manage": reach(request, Scope.MANAGE).has_stream(name),
        "events": events,
        "indexes": field_indexes.described(found.field_indexes.all()),
        "service_retention_days": settings.RETENTION_DAYS,
    }
    return render(request, "monitor/stream.html", context)


def path_field(stream: Stream, name: str) -> tuple[str, str, str, str]:
    """Name, label, value and help of one of the paths."""
    field = Stream._meta.get_field(name)
    label, help_text = str(getattr(field, "verbose_name", name)), str(getattr(field, "help_text", ""))
    return name, label[:1].upper() + label[1:], getattr(stream, name), help_text


# Dead letters


@never_cache
@require_safe
@needs(Scope.READ)
def dead_letters(request: HttpRequest) -> HttpResponse:
    """All groups; with a filter, its letters. Payloads are cut short: a page of them may be many megabytes."""
    asked = {name: value for name in LETTER_FILTERS if (value := request.GET.get(name))}
    found: QuerySet[DeadLetter] = DeadLetterFilter(asked, visible_letters(reach(request))).qs
    letters, older = page_of_letters(found, request.GET.get("before", "")) if asked else ([], None)
    context = {
        "asked": asked,
        "query": urlencode(asked),
        "count": found.count(),
        "groups": letters_of.groups(visible_letters(reach(request)), MOST_GROUPS),
        "letters": letters,
        "older": older,
        "may_operate": may(request, Scope.OPERATE),
        "preview_characters": PREVIEW_CHARACTERS,
        "batches": {"query": asked, "ends_at": timezone.now().isoformat()},
    }
    return render(request, "monitor/dead_letters.html", context)


def visible_letters(reach: Reach) -> "QuerySet[DeadLetter]":
    return DeadLetter.objects.filter(reach.of_streams("stream__name"))


def page_of_letters(found: "QuerySet[DeadLetter]", before: str) -> tuple[list[Any], UUID | None]:
    """The newest letters, or those before an id, and the id before which the next page begins."""
    if cursor := _uuid(before):
        found = found.filter(id__lt=cursor)
    previewed = found.select_related("stream").annotate(preview=Left("payload", PREVIEW_CHARACTERS)).defer("payload")
    letters: list[Any] = list(previewed.order_by("-id")[: LETTERS_A_PAGE + 1])
    shown = letters[:LETTERS_A_PAGE]
    return shown, shown[-1].id if len(letters) > LETTERS_A_PAGE else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
