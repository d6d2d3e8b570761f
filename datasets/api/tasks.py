"""`/api/tasks/`: analyses, how they go and what came of them."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.authentication import principal
from access.models import Scope
from access.permissions import scope_of
from datasets import analyses, downloads, visibility
from datasets.api.answers import Conflict, said
from datasets.api.filters import Strict
from datasets.api.serializers import TaskDetailSerializer, TaskSerializer
from datasets.asking import ask
from datasets.doorbell import ring
from datasets.models import AnalysisTask, Status
from ingest.streaming import OwnFormat
from sources.api.pagination import Newest


@extend_schema(tags=["analyses"])
class TaskViewSet(viewsets.ReadOnlyModelViewSet[AnalysisTask]):
    """Newest first."""

    queryset = AnalysisTask.objects.select_related("dataset")
    filter_backends = [Strict]
    filterset_fields = ["dataset", "kind", "status"]
    pagination_class = Newest
    write_scope = Scope.OPERATE

    def get_queryset(self) -> "QuerySet[AnalysisTask]":
        seen = visibility.tasks_seen(principal(self.request), scope_of(self.request, self))
        found = AnalysisTask.objects.filter(seen).select_related("dataset")
        return found if self.action in ("retrieve", "result") else found.defer("result", "dataset__columns")

    def get_serializer_class(self) -> Any:
        return TaskDetailSerializer if self.action == "retrieve" else TaskSerializer

    @extend_schema(request=None, responses=TaskSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """A pending task ends at once, a running one within seconds, one that has ended stays as it is."""
        with transaction.atomic():
            task = analyses.cancel(self.get_object())
            audit.record(
                request, "analysis.cancel", "analysis", task.pk, task.dataset.name, {"status": str(task.status)}
            )
        return Response(TaskSerializer(task).data)

    @extend_schema(request=None, responses={202: TaskSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Ask for the same again, of the dataset as it is now. 409 for a task that neither failed nor was cancelled."""
        old = self.get_object()
        if old.status not in (Status.FAILED, Status.CANCELLED):
            raise Conflict(f"The task is {old.status}: only one that failed or was cancelled can be tried again.")
        with said(), transaction.atomic():
            by = audit.actor(request)[1]
            task, is_new = ask(principal(request), by, old.dataset, old.kind, old.parameters)
            if is_new:
                noted = {"of": str(old.pk)}
                audit.record(request, "analysis.retry", "analysis", task.pk, task.dataset.name, noted)
        ring()
        return Response(TaskSerializer(task).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        parameters=[OpenApiParameter("format", enum=["json", "csv"], default="json")],
        responses={(200, "application/json"): OpenApiTypes.OBJECT, (200, "text/csv"): OpenApiTypes.STR},
        filters=False,
    )
    @action(detail=True, content_negotiation_class=OwnFormat, pagination_class=None)
    def result(self, request: Request, pk: str) -> HttpResponse:
        """The result as a file. CSV is for those that are a table, and has a ' before what could be a formula."""
        task = self.get_object()
        if task.status != Status.SUCCESS:
            raise Conflict(f"The task is {task.status}: it has no result.", "no_result")
        chosen = request.query_params.get("format", "json")
        if chosen not in downloads.FORMATS:
            raise ValidationError({"format": [f"It is one of {', '.join(downloads.FORMATS)}."]})
        content_type, make = downloads.FORMATS[chosen]
        content = make(task.result)
        if content is None:
            raise ValidationError({"format": [f"The result of {task.kind} is no table: ask for json."]})
        headers = {"Content-Disposition": f'attachment; filename="{task.kind}-{task.pk}.{chosen}"'}
        return HttpResponse(content, content_type=content_type, headers=headers)
