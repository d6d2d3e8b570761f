"""Pages of datasets. They are made here; what changes something goes by the API."""

from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import F, Func, Q, QuerySet, TextField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.models import Scope
from access.pages import may, needs
from access.principals import principal_of
from datasets import lines, sampling, visibility
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
    page = Paginator(chosen(visible, asked), DATASETS_A_PAGE).get_page(request.GET.get("page"))
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


def chosen(found: "QuerySet[Dataset]", asked: dict[str, str]) -> "QuerySet[Dataset]":
    """`q`: part of the name or description, or a whole tag."""
    if text := asked.get("q"):
        found = found.filter(Q(name__icontains=text) | Q(description__icontains=text) | Q(tags__contains=[text]))
    if kind := asked.get("kind"):
        found = found.filter(kind=kind)
    return found.filter(tags__contains=[asked["tag"]]) if "tag" in asked else found


def tags(found: "QuerySet[Dataset]") -> list[str]:
    each = Func(F("tags"), function="unnest", output_field=TextField())
    return list(found.order_by().values_list(each, flat=True).distinct().order_by(each)[:TAGS_OFFERED])


@never_cache
@require_safe
@needs(Scope.READ)
def dataset(request: HttpRequest, pk: int) -> HttpResponse:
    found, now = get_object_or_404(visible_datasets(request), pk=pk), timezone.now()
    asker = principal_of(request.user)
    [line] = lines.dataset_lines([found], now)
    tasks = visible_tasks(request).filter(dataset=found)
    history = [lines.task_line(task, now) for task in tasks.defer("result")[:TASKS_SHOWN]]
    profiled = tasks.filter(kind="profile", status=Status.SUCCESS).first()
    taken = sampling.read(found, SAMPLE_ROWS)
    may_operate = visibility.sees(asker, Scope.OPERATE, found)
    context = {
        "dataset": found,
        "line": line,
        "tasks": history,
        "any_open": tasks.filter(status__in=OPEN).exists(),
        "profile_task": profiled,
        "profile": results.shown(profiled) if profiled else None,
        "cards_shown": CARDS_SHOWN,
        "cards_slice": f":{CARDS_SHOWN}",
        "kinds": kind_forms(found, others(request, found)) if may_operate else [],
        "columns": results.columns(found.columns or []),
        "sample": results.sample(taken["columns"], taken["rows"]) if taken else None,
        "may_operate": may_operate,
        "may_change": visibility.may_change(asker, found),
        "nil": NIL,
    }
    return render(request, "datasets/dataset.html", context)


def others(request: HttpRequest, dataset: Dataset) -> list[tuple[str, str]]:
    """Id and name of those that it may be compared with; itself is among them, for another window."""
    found = visible_datasets(request).order_by("name").values_list("pk", "name")[:MOST_OTHERS]
    return [(str(pk), name) for pk, name in found]
