"""Pages of sources. They are made here; what changes something goes by the API."""

from collections.abc import Iterable
from typing import Any

import msgspec
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.models import Scope
from access.pages import may, needs, reach
from access.reach import Reach
from sources import backfills, document, lines, secrets, uploads
from sources.definition import Definition
from sources.models import OPEN, Run, Source, Upload
from sources.record_pages import shown_records

SOURCES_A_PAGE = 100
RUNS_SHOWN = 30
RUNS_CHARTED = 60
RECORDS_SHOWN = 10
VERSIONS_SHOWN = 20
MOST_COUNTED = 10_000
BEGINNING: dict[str, Any] = {
    "version": 1,
    "extract": {"kind": "http", "url": ""},
    "load": {"kind": "upsert", "key": ["id"]},
    "schedule": {"every_seconds": 1800},
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "api": {
        "version": 1,
        "extract": {"kind": "http", "url": "https://api.example.org/products"},
        "decode": {"format": "json", "path": "data.items"},
        "load": {"kind": "upsert", "key": ["id"]},
        "schedule": {"every_seconds": 1800},
    },
    "csv": {
        "version": 1,
        "extract": {"kind": "http", "url": "https://example.org/readings.csv"},
        "decode": {"format": "csv"},
        "map": [
            {"to": "station", "from": "station", "required": True},
            {"to": "celsius", "from": "temperature", "type": "number"},
        ],
        "load": {"kind": "append", "stream": "readings"},
        "schedule": {"cron": "0 6 * * *", "time_zone": "Europe/Madrid"},
    },
}


def names(sources: Iterable[Source], reach: Reach) -> set[str]:
    return {source.name for source in sources if reach.has_source(source.name)}


def visible_sources(request: HttpRequest, scope: Scope = Scope.READ) -> "QuerySet[Source]":
    return Source.objects.filter(reach(request, scope).of_sources())


@never_cache
@require_safe
@needs(Scope.READ)
def sources(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("q", "").replace("\x00", "").strip()
    pages = Paginator(visible_sources(request).filter(name__icontains=search), SOURCES_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    context = {
        "search": search,
        "page": page,
        "lines": lines.source_lines(page.object_list, timezone.now()),
        "examples": {name: document.text(example) for name, example in EXAMPLES.items()},
        "operable": names(page.object_list, reach(request, Scope.OPERATE)),
        "manageable": names(page.object_list, reach(request, Scope.MANAGE)),
        "may_manage": may(request, Scope.MANAGE),
    }
    return render(request, "sources/sources.html", context)


@never_cache
@require_safe
@needs(Scope.READ)
def source(request: HttpRequest, pk: int) -> HttpResponse:
    found, now = get_object_or_404(visible_sources(request), pk=pk), timezone.now()
    [line] = lines.source_lines([found], now)
    history = found.runs.filter(parent=None).defer("rejected", "state_before", "state_after")
    count = found.records.order_by()[: MOST_COUNTED + 1].count()
    definition = msgspec.convert(found.definition, Definition)
    context = {
        "line": line,
        "source": found,
        "kind": lines.kind(found.definition),
        "schedule": lines.schedule_in_words(found.definition),
        "definition": document.text(found.definition),
        "versions": [(version, document.text(version.definition)) for version in found.versions.all()[:VERSIONS_SHOWN]],
        "runs": [lines.run_line(run, now) for run in history[:RUNS_SHOWN]],
        "charted": charted(found),
        "records": shown_records(found.records.all(), RECORDS_SHOWN),
        "record_count": f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}",
        "missing_secrets": sorted(set(secrets.asked_by(definition)) - set(secrets.names(found))),
        "has_cursor": backfills.has_cursor(definition),
        "may_operate": reach(request, Scope.OPERATE).has_source(found.name),
        "may_manage": reach(request, Scope.MANAGE).has_source(found.name),
    }
    return render(request, "sources/source.html", context)


def charted(source: Source) -> list[dict[str, Any]]:
    """The latest runs that have ended and began, the oldest first."""
    ended = source.runs.exclude(status__in=OPEN).exclude(started_at=None)[:RUNS_CHARTED]
    return [_point(run) for run in reversed(ended.defer("rejected", "state_before", "state_after"))]


def _point(run: Run) -> dict[str, Any]:
    assert run.started_at is not None
    return {
        "at": run.started_at.timestamp(),
        "status": run.status,
        "rows": run.counts.get("decoded", 0),
        "seconds": round((run.ended_at - run.started_at).total_seconds(), 3) if run.ended_at else None,
    }


@never_cache
@require_safe
@needs(Scope.MANAGE)
def new(request: HttpRequest) -> HttpResponse:
    """`?example=`: begins with one of EXAMPLES."""
    return _editor(request, None, EXAMPLES.get(request.GET.get("example", ""), BEGINNING))


@never_cache
@require_safe
@needs(Scope.MANAGE)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """`?version=`: begins with what an older version said."""
    found = get_object_or_404(visible_sources(request, Scope.MANAGE), pk=pk)
    asked = request.GET.get("version", "")
    if not asked.isdecimal():
        return _editor(request, found, found.definition)
    version = get_object_or_404(found.versions, version=int(asked))
    return _editor(request, found, version.definition, version.version)


def _editor(
    request: HttpRequest, source: Source | None, definition: dict[str, Any], old_version: int | None = None
) -> HttpResponse:
    file = uploads.named_by(definition["extract"])
    upload = Upload.objects.filter(pk=file).first() if file else None
    context = {
        "source": source,
        "definition": document.text(definition),
        "old_version": old_version,
        "upload": upload,
        "secret_names": secrets.names(source) if source else [],
    }
    return render(request, "sources/editor.html", context)


@never_cache
@require_safe
@needs(Scope.READ)
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """A document that `POST /api/data_sources/` takes; secrets stay here."""
    found = get_object_or_404(visible_sources(request), pk=pk)
    whole = document.text({"name": found.name, "active": found.active, "definition": found.definition})
    answer = HttpResponse(whole + "\n", content_type="application/json")
    name = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in found.name)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name.encode("ascii", "ignore").decode()}.json"'
    return answer
