"""`/api/records/`: the current value of every key."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from django.db import transaction
from django.db.models import QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.http import Http404, HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.differences import Changes, difference
from access.errors import PermissionDenied
from access.permissions import reach
from ingest.files import FORMATS
from ingest.reading import time_limit
from ingest.streaming import OwnFormat, download
from sources import export, records
from sources.api.pagination import Ordered
from sources.api.parameters import CONDITIONS, RecordExportParameters, RecordFilter, RecordParameters, query_of
from sources.api.parsing import ExactParser
from sources.api.serializers import RecordSerializer
from sources.decode import json_values
from sources.errors import KeyTaken, LimitExceeded
from sources.models import Record, Source
from sources.reading import ADVICE, select
from sources.selection import RECORDS

MOST_AT_ONCE = 10_000
FILES = {
    (200, "text/csv"): OpenApiTypes.STR,
    (200, "application/x-ndjson"): OpenApiTypes.STR,
    (200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY,
}


@extend_schema(tags=["records"])
class RecordViewSet(viewsets.ModelViewSet[Record]):
    """The current value of every key."""

    queryset = Record.objects.select_related("source")
    serializer_class = RecordSerializer
    filter_backends = ()
    ordering_fields = ["id", "key", "updated_at", "created_at", "starts_at", "ends_at"]
    pagination_class = Ordered
    parser_classes = [ExactParser]

    def get_queryset(self) -> "QuerySet[Record]":
        return records.with_text(Record.objects.filter(reach(self).of_sources("source__name")))

    @extend_schema(parameters=[RecordParameters, CONDITIONS])
    def list(self, request: Request) -> Response:
        asked = _asked(request, RecordParameters)
        line = RECORDS.json_line(asked.get("fields", RECORDS.all))
        found = select(query_of(asked, reach(self))).annotate(line=RawSQL(*line, output_field=TextField()))
        with time_limit(ADVICE):
            page = self.paginate_queryset(found.defer("value"))
        return self.get_paginated_response([orjson.Fragment(record.line) for record in page or ()])

    def perform_create(self, serializer: Any) -> None:
        given = serializer.validated_data
        self._check(given.get("source"))
        with _said(), transaction.atomic():
            pk = records.create(given, timezone.now())
            serializer.instance = records.with_text(Record.objects.all()).get(pk=pk)
            self._note("record.create", serializer.instance, difference({}, _plain(given)))

    def perform_update(self, serializer: Any) -> None:
        record = serializer.instance
        self._check(serializer.validated_data.get("source", record.source))
        given = serializer.validated_data
        with _said(), transaction.atomic():
            records.update(record, given, timezone.now())
            serializer.instance = records.with_text(Record.objects.all()).get(pk=record.pk)
            old = {name: _old(record, name) for name in given}
            self._note("record.update", serializer.instance, difference(old, _plain(given)))

    def perform_destroy(self, instance: Record) -> None:
        with transaction.atomic():
            self._note("record.delete", instance)
            records.delete(instance)

    def _note(self, action: str, record: Record, changes: Changes | None = None) -> None:
        audit.record(self.request, action, "record", record.pk, record.key, changes)

    @extend_schema(parameters=[RecordExportParameters, CONDITIONS], responses=FILES)
    @action(detail=False, url_path="export", content_negotiation_class=OwnFormat, pagination_class=None)
    def export_all(self, request: Request) -> HttpResponseBase:
        """All records that these filters find, the oldest first. In CSV what could be a formula has a ' before it."""
        asked = _asked(request, RecordExportParameters)
        try:
            pieces = export.file(asked["format"], query_of(asked, reach(self)), asked.get("fields"))
            return download(request, pieces, FORMATS[asked["format"]][0], f"records.{asked['format']}")
        except LimitExceeded as error:
            raise ValidationError({"format": [str(error)]}) from error

    @extend_schema(request=RecordSerializer(many=True), responses=dict)
    @action(detail=False, methods=["post"])
    def upsert(self, request: Request) -> Response:
        """Make or change many at once, by source and key: how many were inserted, updated, unchanged."""
        if not isinstance(request.data, list) or len(request.data) > MOST_AT_ONCE:
            raise ValidationError([f"Send an array of at most {MOST_AT_ONCE} records."])
        shared: dict[str, Any] = {"sources": {}}
        given = [RecordSerializer(data=one, context=shared) for one in request.data]
        problems = {str(place): one.errors for place, one in enumerate(given) if not one.is_valid()}
        if problems:
            raise ValidationError(problems)
        for source in {one.validated_data.get("source") for one in given}:
            self._check(source)
        with transaction.atomic():
            written = records.upsert([one.validated_data for one in given], timezone.now())._asdict()
            audit.record(request, "record.upsert", "record", "", "", {"sent": len(given), **written})
        return Response(written)

    def _check(self, source: Source | None) -> None:
        if not reach(self).has_source(source.name if source else None):
            raise PermissionDenied(f"You may not write records of {source or 'no source'}.")


def _asked(request: Request, kind: type[RecordFilter]) -> dict[str, Any]:
    parameters = kind(data=request.query_params)
    parameters.is_valid(raise_exception=True)
    return dict(parameters.validated_data)


def _plain(given: records.Given) -> dict[str, Any]:
    """For the audit log."""
    return {name: member.value if name == "value" else member for name, member in given.items()}


def _old(record: Any, name: str) -> Any:
    return json_values.loads(record.text.encode()) if name == "value" else getattr(record, name)


@contextmanager
def _said() -> Iterator[None]:
    """What may become of a record between reading and writing it, as answers."""
    try:
        yield
    except KeyTaken as error:
        raise ValidationError({"key": ["There is a record of this source and key."]}) from error
    except Record.DoesNotExist as error:
        raise Http404 from error
