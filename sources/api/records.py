"""`/api/records/`: the current value of every key."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.differences import Changes, difference
from access.errors import PermissionDenied
from access.permissions import reach
from sources import export, records, stats
from sources.api.pagination import Ordered
from sources.api.serializers import RecordSerializer
from sources.errors import LimitExceeded
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


class _OwnFormat(DefaultContentNegotiation):
    """`?format=` is the view's own; errors are JSON."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


@extend_schema(tags=["records"])
class RecordViewSet(viewsets.ModelViewSet[Record]):
    """Filter by `value.<field>=<text>` too, as often as you like."""

    queryset = Record.objects.select_related("source")
    serializer_class = RecordSerializer
    filterset_class = RecordFilter
    filter_backends = [filters.DjangoFilterBackend, OrderingFilter]
    ordering_fields = ["id", "key", "updated_at", "created_at", "starts_at", "ends_at"]
    pagination_class = Ordered

    def get_queryset(self) -> "QuerySet[Record]":
        queryset = Record.objects.filter(reach(self).of_sources("source__name")).select_related("source")
        for name, text in self.request.query_params.items():
            if name.startswith(FIELD):
                queryset = with_field(queryset, name.removeprefix(FIELD), str(text))
        return queryset

    def perform_create(self, serializer: Any) -> None:
        now, given = timezone.now(), serializer.validated_data
        self._check(given.get("source"))
        with transaction.atomic():
            record = serializer.save(hash=records.hash_of(given), created_at=now, updated_at=now)
            self._note("record.create", record, difference({}, given))
        stats.forget()

    def perform_update(self, serializer: Any) -> None:
        record = serializer.instance
        self._check(serializer.validated_data.get("source", record.source))
        given = {name: getattr(record, name) for name in ("value", "starts_at", "ends_at")}
        old = {name: getattr(record, name) for name in serializer.validated_data}
        with transaction.atomic():
            serializer.save(hash=records.hash_of({**given, **serializer.validated_data}), updated_at=timezone.now())
            self._note("record.update", record, difference(old, serializer.validated_data))
        stats.forget()

    def perform_destroy(self, instance: Record) -> None:
        with transaction.atomic():
            self._note("record.delete", instance)
            instance.delete()
        stats.forget()

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
        content_negotiation_class=_OwnFormat,
        filter_backends=[filters.DjangoFilterBackend],
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
        return StreamingHttpResponse(export.streamed(pieces), content_type=content_type, headers=headers)

    @extend_schema(request=RecordSerializer(many=True), responses=dict)
    @action(detail=False, methods=["post"])
    def upsert(self, request: Request) -> Response:
        """Make or change many at once, by source and key: how many were inserted, updated, unchanged."""
        if not isinstance(request.data, list) or len(request.data) > MOST_AT_ONCE:
            raise ValidationError([f"Send an array of at most {MOST_AT_ONCE} records."])
        given = [RecordSerializer(data=one) for one in request.data]
        for one in given:
            one.validators = []  # that it exists is no error here
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


def with_field(queryset: "QuerySet[Record]", path: str, text: str) -> "QuerySet[Record]":
    """Compared as text; of a path with dots, the member of that name or the one within members."""
    if "\x00" in text or "\x00" in path:
        raise ValidationError([f"No value holds NUL: {FIELD}{path!r}."])
    return queryset.extra(where=["coalesce(value ->> %s, value #>> %s) = %s"], params=[path, path.split("."), text])
