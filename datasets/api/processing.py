"""What one can have done with a dataset."""

from typing import TYPE_CHECKING, Any

import msgspec
from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.authentication import principal
from datasets import parameters, sampling
from datasets.api.answers import Conflict, said
from datasets.api.serializers import KindSerializer, ProcessSerializer, SampleSerializer, TaskDetailSerializer
from datasets.asking import ask
from datasets.doorbell import ring
from datasets.kinds.kind import Kind
from datasets.models import Dataset

if TYPE_CHECKING:
    from rest_framework.viewsets import GenericViewSet

    Base = GenericViewSet[Dataset]
else:
    Base = object


class Processing(Base):
    """A mixin of the view of datasets."""

    @extend_schema(request=ProcessSerializer, responses={200: TaskDetailSerializer, 202: TaskDetailSerializer})
    @action(detail=True, methods=["post"])
    def process(self, request: Request, pk: str) -> Response:
        """Have it analysed. 202: the task, to be asked for until it has ended; 200: its result was there already."""
        dataset, asked = self.get_object(), ProcessSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        kind, given, fresh = (asked.validated_data[name] for name in ("kind", "parameters", "fresh"))
        with said(), transaction.atomic():
            task, is_new = ask(principal(request), audit.actor(request)[1], dataset, kind, given, fresh=fresh)
            if is_new:
                noted = {"kind": kind, "parameters": task.parameters}
                audit.record(request, "analysis.request", "analysis", task.pk, dataset.name, noted)
        if is_new:
            ring()
        answer = TaskDetailSerializer(task, context=self.get_serializer_context())
        return Response(answer.data, status.HTTP_200_OK if task.ended_at else status.HTTP_202_ACCEPTED)

    @extend_schema(
        parameters=[OpenApiParameter("limit", OpenApiTypes.INT, description="At most 100. Default: 20.")],
        responses=SampleSerializer,
        filters=False,
    )
    @action(detail=True, pagination_class=None)
    def sample(self, request: Request, pk: str) -> Response:
        """Some rows, of the snapshot that was taken when it was made or changed. 409 while there is none."""
        found = sampling.read(self.get_object(), _limit(request.query_params.get("limit", "20")))
        if found is None:
            raise Conflict("Its first snapshot is not taken yet, or could not be: see its tasks.", "no_snapshot")
        return Response(found)

    @extend_schema(responses=KindSerializer(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def kinds(self, request: Request) -> Response:
        """The kinds of analysis, with the JSON Schema of their parameters."""
        return Response([_described(kind) for _, kind in sorted(parameters.kinds().items())])


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 0 < int(text) <= sampling.MOST_ROWS):
        raise ValidationError({"limit": [f"It is a number from 1 to {sampling.MOST_ROWS}."]})
    return int(text)


def _described(kind: Kind[Any]) -> dict[str, Any]:
    shown = {name: getattr(kind, name) for name in ("name", "title", "version", "takes_other")}
    return {**shown, "parameters": msgspec.json.schema(kind.Parameters)}
