"""The page of one run."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.models import Scope
from access.pages import needs, reach
from sources import backfills, lines
from sources.models import Run

CHILDREN_SHOWN = 100
SECRETIVE = ("state_before", "state_after")


@never_cache
@require_safe
@needs(Scope.READ)
def run(request: HttpRequest, pk: UUID) -> HttpResponse:
    runs = Run.objects.filter(reach(request).of_sources("source__name")).select_related("source", "parent")
    found, now = get_object_or_404(runs, pk=pk), timezone.now()
    line = lines.run_line(found, now)
    children = found.children.order_by("window_start").defer("rejected", *SECRETIVE)
    context = {
        "line": line,
        "run": found,
        "rows_per_second": rows_per_second(line),
        "reasons": sorted((found.counts.get("reasons") or {}).items(), key=lambda reason: -reason[1]),
        "log": found.log.all(),
        "is_backfill": found.window_start is not None and found.parent is None,
        "children": [lines.run_line(child, now) for child in children[:CHILDREN_SHOWN]],
        "child_statuses": child_statuses(found),
        "may_operate": reach(request, Scope.OPERATE).has_source(found.source.name),
    }
    return render(request, "sources/run.html", context)


def child_statuses(run: Run) -> list[dict[str, Any]]:
    counted = Counter(backfills.latest(run).values_list("status", flat=True))
    return [{"status": status, "count": count} for status, count in sorted(counted.items())]


def rows_per_second(line: lines.RunLine) -> int | None:
    decoded = line.run.counts.get("decoded")
    return round(decoded / line.duration_seconds) if decoded and line.duration_seconds else None
