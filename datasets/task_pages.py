"""The page of one analysis."""

import json
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.models import Scope
from access.pages import needs
from access.principals import principal_of
from datasets import lines, visibility
from datasets.drawing import results
from datasets.pages import NIL, visible_tasks


@never_cache
@require_safe
@needs(Scope.READ)
def task(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(visible_tasks(request).select_related("dataset"), pk=pk)
    context = {
        "line": lines.task_line(found, timezone.now()),
        "task": found,
        "dataset": found.dataset,
        "parameters": json.dumps(found.parameters, indent=2, ensure_ascii=False),
        "result": results.shown(found),
        "has_table": results.is_table(found),
        "may_operate": visibility.sees(principal_of(request.user), Scope.OPERATE, found.dataset),
        "nil": NIL,
    }
    return render(request, "datasets/task.html", context)
