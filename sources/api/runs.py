"""`/api/runs/`: what sources have done and are doing."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.authentication import principal
from access.models import Scope
from access.permissions import reach
from sources import backfills, runs
from sources.api.data_sources import Conflict
from sources.api.pagination import Newest
from sources.api.serializers import RunDetailSerializer, RunSerializer
from sources.doorbell import ring
from sources.models import Run, Status, Trigger


@extend_schema(tags=["runs"])
class RunViewSet(viewsets.ReadOnlyModelViewSet[Run]):
    """Newest first."""

    queryset = Run.objects.select_related("source")
    filterset_fields = ["source", "status", "trigger", "parent"]
    pagination_class = Newest
    write_scope = Scope.OPERATE

    def get_queryset(self) -> "QuerySet[Run]":
        return Run.objects.filter(reach(self).of_sources("source__name")).select_related("source")

    def get_serializer_class(self) -> Any:
        return RunDetailSerializer if self.action == "retrieve" else RunSerializer

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """A pending run ends at once, a running one within seconds, one that has ended stays as it is."""
        with transaction.atomic():
            run = runs.cancel(self.get_object())
            audit.record(request, "run.cancel", "run", run.pk, run.source.name, {"status": run.status})
        return Response(RunSerializer(run).data)

    @extend_schema(request=None, responses={202: RunSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Begin a run that failed or was cancelled once more; of a backfill, the windows that did.

        409 for one that has not, or while another is at work.
        """
        old = self.get_object()
        if old.status not in (Status.FAILED, Status.CANCELLED):
            raise Conflict(f"The run is {old.status}: only one that failed or was cancelled can be tried again.")
        by = principal(request).name
        try:
            with transaction.atomic():
                run = (
                    runs.request(old.source, Trigger.RETRY, by)
                    if old.window_start is None
                    else backfills.retry(old, by)
                )
                audit.record(request, "run.retry", "run", run.pk, run.source.name, {"of": str(old.pk)})
        except runs.AlreadyRunning as error:
            raise Conflict(str(error)) from error
        ring()
        return Response(RunSerializer(run).data, status=status.HTTP_202_ACCEPTED)
