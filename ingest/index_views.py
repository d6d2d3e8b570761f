"""`/api/streams/{stream}/indexes/`: indexes on members of payloads."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.differences import difference
from access.permissions import reach
from ingest import field_indexes
from ingest.models import FieldIndex, Stream
from ingest.serializers import FieldIndexSerializer


@extend_schema(tags=["streams"])
class FieldIndexViewSet(viewsets.ViewSet):
    """Indexes on fields of a stream's payloads: filters by these fields find few events among many at once.

    They are made beside everything else that goes on, one partition after the other; `state` says how far it is.
    """

    @extend_schema(operation_id="stream_indexes_list", responses=FieldIndexSerializer(many=True))
    def list(self, request: Request, stream: str) -> Response:
        described = field_indexes.described(self._stream(stream).field_indexes.all())
        return Response(FieldIndexSerializer(described, many=True).data)

    @extend_schema(
        operation_id="stream_indexes_create", request=FieldIndexSerializer, responses={201: FieldIndexSerializer}
    )
    def create(self, request: Request, stream: str) -> Response:
        of = self._stream(stream)
        given = FieldIndexSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with transaction.atomic():
            wish = self._wish(of, given.validated_data)
            audit.record(request, "index.create", "index", wish.pk, f"{stream}: {wish}", _changes(wish))
            transaction.on_commit(field_indexes.ring)
        [described] = field_indexes.described([wish])
        return Response(FieldIndexSerializer(described).data, status=201)

    @extend_schema(operation_id="stream_indexes_destroy", responses={204: None})
    def destroy(self, request: Request, stream: str, index: str) -> Response:
        """It is dropped beside everything else that goes on, too."""
        wish = get_object_or_404(self._stream(stream).field_indexes, pk=int(index))
        with transaction.atomic():
            audit.record(request, "index.delete", "index", wish.pk, f"{stream}: {wish}")
            wish.delete()
            transaction.on_commit(field_indexes.ring)
        return Response(status=204)

    def _stream(self, name: str) -> Stream:
        return get_object_or_404(Stream.objects.filter(reach(self).of_streams()), name=name)

    def _wish(self, stream: Stream, given: dict[str, Any]) -> FieldIndex:
        """Those who wish for one in the same moment come one after the other."""
        Stream.objects.select_for_update().get(pk=stream.pk)
        if stream.field_indexes.filter(**given).exists():
            raise ValidationError({"path": ["There is this index already."]})
        if stream.field_indexes.count() >= field_indexes.MOST_OF_A_STREAM:
            raise ValidationError(
                {"path": [f"A stream has at most {field_indexes.MOST_OF_A_STREAM} indexes: delete one first."]}
            )
        return FieldIndex.objects.create(stream=stream, **given)


def _changes(wish: FieldIndex) -> dict[str, Any]:
    return difference({}, {"path": wish.path, "kind": wish.kind})
