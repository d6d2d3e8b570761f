"""`/api/records/`: the current value of every key."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.differences import Changes, difference
from access.errors import PermissionDenied
from access.permissions import reach
from ingest.streaming import OwnFormat, streamed
from sources import export, records
from sources.api.pagination import Ordered
from sources.api.parsing import ExactParser
from sources.api.serializers import RecordSerializer
from sources.decode import json_values
from sources.errors import KeyTaken, LimitExceeded
from sources.models import Record, Source

MOST_AT_ONCE = 10_000
FIELD = "value."


class RecordFilter(filters.FilterSet):  # type: ignore[misc]
    """`starts_at`, `ends_at`: records that lie between. `search`: in the key or anywhere in the value."""

    starts_at = filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="gte")
    ends_at = filters.IsoDateTimeFilter(field_name="ends_at", lookup_expr="lte")
    updated_after = filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gt")
    source_name = filters.CharFilter(field_name="source__name")
    search = filters.CharFilter(method="holds")

    class Meta:
        model = Record
        fields = ["source", "key"]

    def holds(self, queryset: "QuerySet[Record]", name: str, value: str) -> "QuerySet[Record]":
        return queryset.extra(
            where=["record.key ILIKE %s OR record.value::text ILIKE %s"], params=[_pattern(value)] * 2
        )


def _pattern(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


@extend_schema(tags=["records"])
class RecordViewSet(viewsets.ModelViewSet[Record]):
    """Filter by `value.<field>=<text>` too, as often as you like."""

    queryset = Record.objects.select_related("source")
    serializer_class = RecordSerializer
    filterset_class = RecordFilter
    ordering_fields = ["id", "key", "updated_at", "created_at", "starts_at", "ends_at"]
    pagination_class = Ordered
    parser_classes = [ExactParser]

    def get_queryset(self) -> "QuerySet[Record]":
        queryset = records.with_text(Record.objects.filter(reach(self).of_sources("source__name")))
        for name, text in self.request.query_params.items():
            if name.startswith(FIELD):
                queryset = with_field(queryset, name.removeprefix(FIELD), str(text))
        return queryset

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

    @extend_schema(
        parameters=[OpenApiParameter("format", enum=sorted(export.FORMATS), default="csv")],
        responses={(200, "text/csv"): OpenApiTypes.STR, (200, "application/x-ndjson"): OpenApiTypes.STR},
        filters=True,
    )
    @action(
        detail=False,
        url_path="export",
        content_negotiation_class=OwnFormat,
        pagination_class=None,
    )
    def export_all(self, request: Request) -> StreamingHttpResponse:
        """All records that these filters find, the oldest first. In CSV what could be a formula has a ' before it."""
        chosen = request.query_params.get("format", "csv")
        if chosen not in export.FORMATS:
            raise ValidationError({"format": [f"It is one of {', '.join(export.FORMATS)}."]})
        content_type, make = export.FORMATS[chosen]
        try:
            pieces = make(self.filter_queryset(self.get_queryset()))
        except LimitExceeded as error:
            raise ValidationError({"format": [str(error)]}) from error
        headers = {"Content-Disposition": f'attachment; filename="records.{chosen}"'}
        return StreamingHttpResponse(streamed(pieces), content_type=content_type, headers=headers)

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


def with_field(queryset: "QuerySet[Record]", path: str, text: str) -> "QuerySet[Record]":
    """Compared as text; of a path with dots, the member of that name or the one within members."""
    if "\x00" in text or "\x00" in path:
        raise ValidationError([f"No value holds NUL: {FIELD}{path!r}."])
    return queryset.extra(where=["coalesce(value ->> %s, value #>> %s) = %s"], params=[path, path.split("."), text])
