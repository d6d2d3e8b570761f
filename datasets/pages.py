"""Pages of datasets. They are made here; what changes something goes by the API."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import F, Func, QuerySet, TextField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.models import Scope
from access.pages import may, needs
from access.principals import principal_of
from datasets import lines, sampling, visibility
from datasets.api.filters import filtered
from datasets.drawing import results
from datasets.kind_forms import kind_forms
from datasets.models import OPEN, AnalysisTask, Dataset, DatasetKind, Status

DATASETS_A_PAGE = 100
TASKS_SHOWN = 30
CARDS_SHOWN = 12
SAMPLE_ROWS = 20
TAGS_OFFERED = 200
MOST_OTHERS = 500
FILTERS = ("q", "kind", "tag")
KINDS = {DatasetKind.EVENTS: "Events", DatasetKind.RECORDS: "Records", DatasetKind.UPLOAD: "A file"}
NIL = UUID(int=0)
"""Stands in addresses for an id that is not known yet."""


def visible_datasets(request: HttpRequest, scope: Scope = Scope.READ) -> "QuerySet[Dataset]":
    return Dataset.objects.filter(visibility.seen(principal_of(request.user), scope))


def visible_tasks(request: HttpRequest, scope: Scope = Scope.READ) -> "QuerySet[AnalysisTask]":
    return AnalysisTask.objects.filter(visibility.tasks_seen(principal_of(request.user), scope))


@never_cache
@require_safe
@needs(Scope.READ)
def datasets(request: HttpRequest) -> HttpResponse:
    asked = {name: value for name in FILTERS if (value := request.GET.get(name, "").replace("\x00", "").strip())}
    visible = visible_datasets(request)
    page = Paginator(filtered(visible, asked), DATASETS_A_PAGE).get_page(request.GET.get("page"))
    shown = lines.dataset_lines(page.object_list, timezone.now())
    context = {
        "asked": asked,
        "query": urlencode(asked),
        "page": page,
        "lines": shown,
        "any_open": any(line.last and line.last.is_open for line in shown),
        "kinds": KINDS.items(),
        "tags": tags(visible),
        "may_operate": may(request, Scope.OPERATE),
    }
    return render(request, "datasets/datasets.html", context)


def tags(found: "QuerySet[Dataset]") -> list[str]:
    each = Func(F("tags"), function="unnest", output_field=TextField())
    return list(found.order_by().values_list(each, flat=True).distinct().order_by(each)[:TAGS_OFFERED])


@never_cache
@require_safe
@needs(Scope.READ)
def dataset(request: HttpRequest, pk: int) -> HttpResponse:
    is_open = visible_tasks(request).filter(dataset=pk, status__in=OPEN).exists()  # first: what ends meanwhile is shown
    found, asker, now = get_object_or_404(visible_datasets(request), pk=pk), principal_of(request.user), timezone.now()
    [line] = lines.dataset_lines([found], now)
    tasks = visible_tasks(request).filter(dataset=found)
    may_operate = visibility.sees(asker, Scope.OPERATE, found)
    context = {
        "dataset": found,
        "line": line,
        "any_open": is_open,
        "tasks": [lines.task_line(task, now) for task in tasks.defer("result")[:TASKS_SHOWN]],
        "kinds": kind_forms(found, others(request)) if may_operate else [],
        "may_operate": may_operate,
        "may_change": visibility.may_change(asker, found),
        "nil": NIL,
        **latest_profile(tasks),
        **first_rows(found),
    }
    return render(request, "datasets/dataset.html", context)


def latest_profile(tasks: "QuerySet[AnalysisTask]") -> dict[str, Any]:
    """`cards_slice`: which cards of it are shown."""
    task = tasks.filter(kind="profile", status=Status.SUCCESS).first()
    shown = results.shown(task) if task else None
    return {
        "profile_task": task,
        "profile": shown if shown and "cards" in shown else None,
        "cards_shown": CARDS_SHOWN,
        "cards_slice": f":{CARDS_SHOWN}",
    }


def first_rows(dataset: Dataset) -> dict[str, Any]:
    taken = sampling.read(dataset, SAMPLE_ROWS)
    return {
        "columns": results.columns(dataset.columns or []),
        "sample": results.sample(taken["columns"], taken["rows"]) if taken else None,
    }


def others(request: HttpRequest) -> list[tuple[str, str]]:
    """Id and name of the datasets that one may be compared with; itself too, for another window."""
    found = visible_datasets(request, Scope.OPERATE).order_by("name").values_list("pk", "name")[:MOST_OTHERS]
    return [(str(pk), name) for pk, name in found]
