"""Reading many events: pages, files and figures of them. Taking events in is `ingest.endpoint`'s."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.authentication import principal
from access.models import Scope
from access.principals import Principal
from ingest import aggregates, export, files, reading
from ingest.aggregate_query import COUNT
from ingest.conditions import InvalidCondition
from ingest.parameters import (
    CONDITIONS,
    AggregateParameters,
    EventFilter,
    EventParameters,
    ExportParameters,
    StreamAggregateParameters,
    StreamEventParameters,
    StreamExportParameters,
)
from ingest.reading import EventQuery
from ingest.selection import EVENTS
from ingest.serializers import AggregateSerializer, EventPageSerializer
from ingest.streaming import OwnFormat, download

REFUSALS = {
    400: OpenApiResponse({"$ref": "#/components/schemas/Error"}, "An unknown or wrong parameter; `fields` names it"),
    503: OpenApiResponse({"$ref": "#/components/schemas/Error"}, "`query_too_slow`: see QUERY_TIMEOUT_SECONDS"),
}
FILES = {
    (200, "application/x-ndjson"): OpenApiTypes.STR,
    (200, "text/csv"): OpenApiTypes.STR,
    (200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY,
}


def _described(name: str, parameters: type[EventFilter], answers: dict[Any, Any]) -> Callable[[Any], Any]:
    return extend_schema(
        operation_id=name, parameters=[parameters, CONDITIONS], responses={**answers, **REFUSALS}, tags=["events"]
    )


class ReadingView(APIView):
    content_negotiation_class = OwnFormat


class AcceptingView(ReadingView):
    """At an address that takes events in too, which is not this view's doing: see `ingest.endpoint`."""

    @property
    def default_response_headers(self) -> dict[str, str]:
        headers: dict[str, str] = super().default_response_headers
        return {**headers, "Allow": ", ".join([*self.allowed_methods, "POST"])}


class EventList(AcceptingView):
    """Events of all streams that you may read, newest first."""

    @_described("events_list", EventParameters, {200: EventPageSerializer})
    def get(self, request: Request) -> Response:
        return _page(request, _asked(request, EventParameters))


class StreamEventList(AcceptingView):
    """Events of one stream, newest first."""

    @_described("stream_events_list", StreamEventParameters, {200: EventPageSerializer})
    def get(self, request: Request, stream: str) -> Response:
        return _page(request, _asked(request, StreamEventParameters, stream))


class EventExport(ReadingView):
    """All events that the parameters select, as a file, oldest first, up to those of now."""

    @_described("events_export", ExportParameters, FILES)
    def get(self, request: Request) -> HttpResponseBase:
        return _file(request, _asked(request, ExportParameters), "events")


class StreamEventExport(ReadingView):
    """All events of one stream that the parameters select, as a file, oldest first, up to those of now."""

    @_described("stream_events_export", StreamExportParameters, FILES)
    def get(self, request: Request, stream: str) -> HttpResponseBase:
        return _file(request, _asked(request, StreamExportParameters, stream), stream)


class EventAggregate(ReadingView):
    """Counts and figures of the events that the parameters select; without times, of the last 24 hours."""

    @_described("events_aggregate", AggregateParameters, {200: AggregateSerializer})
    def get(self, request: Request) -> Response:
        return _aggregate(request, _asked(request, AggregateParameters))


class StreamEventAggregate(ReadingView):
    """Counts and figures of events of one stream; without times, of the last 24 hours."""

    @_described("stream_events_aggregate", StreamAggregateParameters, {200: AggregateSerializer})
    def get(self, request: Request, stream: str) -> Response:
        return _aggregate(request, _asked(request, StreamAggregateParameters, stream))


# What is asked


def _asked(request: Request, kind: type[EventFilter], stream: str | None = None) -> dict[str, Any]:
    parameters = kind(data=request.query_params)
    parameters.is_valid(raise_exception=True)
    fixed = {} if stream is None else {"stream": [stream]}
    return {**parameters.validated_data, **fixed}


def _query(asked: dict[str, Any], asker: Principal) -> EventQuery:
    """Raises PermissionDenied for a stream that the asker may not read; without one, all that it may."""
    for stream in asked.get("stream", [None]):
        asker.require(Scope.READ, stream=stream)
    return EventQuery(
        streams=frozenset(asked["stream"]) if "stream" in asked else asker.reach(Scope.READ).streams,
        types=frozenset(asked["type"]) if "type" in asked else None,
        key=asked.get("key"),
        starts_at=asked.get("starts_at"),
        ends_at=asked.get("ends_at"),
        conditions=asked["conditions"],
        oldest_first=asked.get("order") == "oldest",
    )


# What is answered


def _page(request: Request, asked: dict[str, Any]) -> Response:
    query = _query(asked, principal(request))
    lines, cursor = reading.read_lines(query, asked.get("fields", EVENTS.all), asked["limit"], asked.get("cursor"))
    return Response({"next": _next(request, cursor), "results": lines})


def _next(request: Request, cursor: UUID | None) -> str | None:
    if cursor is None:
        return None
    parameters = request.query_params.copy()
    parameters["cursor"] = str(cursor)
    return request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")


def _file(request: Request, asked: dict[str, Any], name: str) -> HttpResponseBase:
    content_type, make = files.FORMATS[asked["format"]]
    query = _query({"ends_at": timezone.now(), **asked}, principal(request))
    pieces = make(export.reader(query), asked.get("fields", EVENTS.all))
    return download(request, pieces, content_type, f"{name}.{asked['format']}")


def _aggregate(request: Request, asked: dict[str, Any]) -> Response:
    now = timezone.now()
    try:
        start, until = aggregates.period(asked.get("starts_at"), asked.get("ends_at"), now)
    except InvalidCondition as error:
        raise ValidationError({"ends_at": [str(error)]}) from error
    query = _query({**asked, "starts_at": start, "ends_at": until}, principal(request))
    bucket, measures = asked.get("bucket"), asked.get("measure", (COUNT,))
    found = aggregates.aggregate(aggregates.Aggregation(query, bucket, asked.get("group_by", ()), measures), now)
    return Response({"from": start, "until": until, "bucket": bucket.name if bucket else None, **found._asdict()})
