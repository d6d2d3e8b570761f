"""The form of a dataset, new or there already. What it saves goes by the API."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.models import Scope
from access.pages import needs, reach
from access.principals import principal_of
from datasets import definition, lines, visibility
from datasets.definition import PARQUET, File, Records, Window
from datasets.models import Dataset, DatasetKind
from datasets.pages import KINDS, visible_datasets
from ingest.models import Stream
from sources.models import Source, Upload

MOST_OFFERED = 500
FORMATS = {"csv": "CSV", "xlsx": "Excel", "json": "JSON", "ndjson": "NDJSON", PARQUET: "Parquet"}
NOT_YOURS = "A dataset is changed by its owner, and by who may manage what it is made of."


@never_cache
@require_safe
@needs(Scope.OPERATE)
def new(request: HttpRequest) -> HttpResponse:
    """`?kind=`; `?stream=` and `?source=` are chosen already."""
    stream, source = request.GET.get("stream"), request.GET.get("source")
    kind = request.GET.get("kind") or (DatasetKind.RECORDS if source else DatasetKind.EVENTS)
    if kind not in KINDS:
        kind = DatasetKind.EVENTS
    given = {**EMPTY, "name": stream or source or "", "streams": [stream] if stream else [], "source": source}
    return _form(request, None, kind, given)


@never_cache
@require_safe
@needs(Scope.OPERATE)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(visible_datasets(request), pk=pk)
    if not visibility.may_change(principal_of(request.user), found):
        raise PermissionDenied(NOT_YOURS)
    said = {"name": found.name, "description": found.description, "tags": found.tags}
    return _form(request, found, found.kind, {**EMPTY, **said, **_given(lines.read(found))})


EMPTY: dict[str, Any] = {"window": "last", "last": "24h", "conditions": []}


def _given(found: definition.Definition) -> dict[str, Any]:
    """What the fields hold."""
    if isinstance(found, File):
        return {"upload": str(found.upload), **found.decode}
    conditions = list(found.conditions.items())
    if isinstance(found, Records):
        return {"source": found.source, "conditions": conditions}
    return {
        "streams": found.streams or [],
        "types": found.types or [],
        "conditions": conditions,
        **_window(found.window),
    }


def _window(window: Window) -> dict[str, str]:
    if window.last:
        return {"window": "last", "last": window.last}
    kind = "fixed" if window.starts_at or window.ends_at else "all"
    return {"window": kind, "last": "", "starts_at": _local(window.starts_at), "ends_at": _local(window.ends_at)}


def _local(time: datetime | None) -> str:
    """As a field of the browser takes it, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}" if time else ""


def _form(request: HttpRequest, dataset: Dataset | None, kind: str, given: dict[str, Any]) -> HttpResponse:
    near = reach(request, Scope.OPERATE)
    file = given.get("upload")
    context = {
        "dataset": dataset,
        "definition": dataset.definition if dataset else {},
        "kind": kind,
        "kinds": KINDS.items(),
        "given": given,
        "prefix": "value" if kind == DatasetKind.RECORDS else "payload",
        "streams": Stream.objects.filter(near.of_streams())
        .order_by("name")
        .values_list("name", flat=True)[:MOST_OFFERED],
        "sources": Source.objects.filter(near.of_sources())
        .order_by("name")
        .values_list("name", flat=True)[:MOST_OFFERED],
        "upload": Upload.objects.filter(pk=file).first() if file else None,
        "formats": FORMATS.items(),
        "most_bytes": settings.SOURCES_MAX_UPLOAD_BYTES,
    }
    return render(request, "datasets/form.html", context)
