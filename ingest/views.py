"""The management API of events, streams and dead letters. Taking events in is `ingest.endpoint`'s."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, IntegerField, Max, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.authentication import principal
from access.models import Scope
from access.principals import Principal
from ingest import dead_letters, reading
from ingest.filters import DeadLetterFilter, EventParameters
from ingest.models import STREAM_NAME, DeadLetter, RollupMinute, Stream
from ingest.receipts import receipt
from ingest.serializers import (
    DeadLetterSerializer,
    DiscardedSerializer,
    EventPageSerializer,
    ReceiptSerializer,
    ReplayedSerializer,
    StreamSerializer,
)


class EventList(APIView):
    """Events of all streams that you may read, newest first."""

    @extend_schema(
        operation_id="events_list",
        parameters=[EventParameters],
        responses=EventPageSerializer,
        tags=["events"],
    )
    def get(self, request: Request) -> Response:
        return _page(request, {})


class StreamEventList(APIView):
    """Events of one stream, newest first."""

    @extend_schema(
        operation_id="stream_events_list",
        parameters=[EventParameters],
        responses=EventPageSerializer,
        tags=["events"],
    )
    def get(self, request: Request, stream: str) -> Response:
        return _page(request, {"stream": stream})


def _page(request: Request, fixed: dict[str, Any]) -> Response:
    parameters = EventParameters(data=request.query_params)
    parameters.is_valid(raise_exception=True)
    asked = {**parameters.validated_data, **fixed}
    query = _query(asked, principal(request))
    events, cursor = reading.read_page(query, asked["limit"], asked.get("cursor"))
    return Response({"next": _next(request, cursor), "results": reading.as_dicts(events)})


def _query(asked: dict[str, Any], asker: Principal) -> reading.EventQuery:
    """Raises PermissionDenied for a stream that the asker may not read; without one, all that it may."""
    stream = asked.get("stream")
    asker.require(Scope.READ, stream)
    return reading.EventQuery(
        streams=asker.streams if stream is None else frozenset([stream]),
        type=asked.get("type"),
        key=asked.get("key"),
        starts_at=asked.get("starts_at"),
        ends_at=asked.get("ends_at"),
        oldest_first=asked["order"] == "oldest",
    )


def _next(request: Request, cursor: UUID | None) -> str | None:
    if cursor is None:
        return None
    parameters = {**request.query_params.dict(), "cursor": str(cursor)}
    return request.build_absolute_uri(f"{request.path}?{urlencode(parameters)}")


class EventDetail(APIView):
    """The receipt of an event, and the event once it is stored; for keys that may read or send."""

    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="events_retrieve", responses=ReceiptSerializer, tags=["events"])
    def get(self, request: Request, id: UUID) -> Response:
        found = receipt(id, principal(request))
        if found is None:
            raise Http404
        return Response(found)


@extend_schema(tags=["streams"])
class StreamViewSet(
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet[Stream],
):
    """Streams, their settings and counts. A stream is made by its first event, or here; its data goes by retention."""

    queryset = Stream.objects.all()
    serializer_class = StreamSerializer
    lookup_field = "name"
    lookup_value_regex = STREAM_NAME
    http_method_names = ["get", "post", "patch", "head", "options"]

    def get_queryset(self) -> "QuerySet[Stream]":
        streams = with_counts(Stream.objects.all())
        allowed = principal(self.request).streams
        return streams if allowed is None else streams.filter(name__in=allowed)

    def perform_create(self, serializer: Any) -> None:
        principal(self.request).require(Scope.MANAGE, serializer.validated_data["name"])
        serializer.instance = with_counts(Stream.objects.all()).get(pk=serializer.save().pk)


def with_counts(streams: "QuerySet[Stream]") -> "QuerySet[Stream]":
    def total(column: str) -> Coalesce:
        sums = RollupMinute.objects.filter(stream=OuterRef("pk")).order_by().values("stream")
        return Coalesce(Subquery(sums.annotate(total=Sum(column)).values("total"), output_field=IntegerField()), 0)

    letters = DeadLetter.objects.filter(stream=OuterRef("pk")).order_by().values("stream")
    newest = RollupMinute.objects.filter(stream=OuterRef("pk"), events__gt=0).order_by().values("stream")
    return streams.annotate(
        events=total("events"),
        bytes=total("bytes"),
        duplicates=total("duplicates"),
        dead_letters=Coalesce(Subquery(letters.annotate(n=Count("pk")).values("n")), 0),
        last_minute=Subquery(newest.annotate(at=Max("minute")).values("at")),
    )


class DeadLetterPagination(CursorPagination):
    ordering = "-id"
    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000


@extend_schema(tags=["dead letters"])
class DeadLetterViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[DeadLetter],
):
    """Events that could not be stored. DELETE discards one for good."""

    queryset = DeadLetter.objects.all()
    serializer_class = DeadLetterSerializer
    filterset_class = DeadLetterFilter
    pagination_class = DeadLetterPagination

    def get_queryset(self) -> "QuerySet[DeadLetter]":
        letters = DeadLetter.objects.select_related("stream")
        allowed = principal(self.request).streams
        return letters if allowed is None else letters.filter(stream__name__in=allowed)

    @extend_schema(request=None, responses=ReplayedSerializer)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Try to store this one again; it keeps its id."""
        return _replayed(DeadLetter.objects.filter(pk=self.get_object().pk))

    @extend_schema(request=None, responses=ReplayedSerializer, operation_id="dead_letters_replay_many", filters=True)
    @action(detail=False, methods=["post"], url_path="replay", url_name="replay-many", pagination_class=None)
    def replay_many(self, request: Request) -> Response:
        """Try to store again all that the query parameters select (those of the listing; none: all)."""
        return _replayed(DeadLetter.objects.filter(pk__in=self._selected()))

    @extend_schema(request=None, responses=DiscardedSerializer, filters=True)
    @action(detail=False, methods=["post"], url_path="discard", pagination_class=None)
    def discard_many(self, request: Request) -> Response:
        """Discard for good all that the query parameters select (those of the listing; none: all)."""
        letters = DeadLetter.objects.filter(pk__in=self._selected())
        return Response({"discarded": dead_letters.discard(letters)})

    def _selected(self) -> Any:
        return self.filter_queryset(self.get_queryset()).order_by().values("pk")


def _replayed(letters: "QuerySet[DeadLetter]") -> Response:
    written = dead_letters.replay(letters)
    return Response({"stored": written.stored, "duplicates": written.duplicates, "dead": written.dead})
