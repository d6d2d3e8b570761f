"""The management API of streams, dead letters and single events. `ingest.event_views` reads many."""

import json
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.http.request import RawPostDataException
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import UnsupportedMediaType, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access import audit
from access.authentication import principal
from access.differences import Changes, difference
from access.models import Scope
from access.permissions import reach
from ingest import dead_letters
from ingest.errors import BadRequest
from ingest.filters import BatchParameters, DeadLetterFilter
from ingest.models import STREAM_NAME, DeadLetter, Stream
from ingest.receipts import receipt
from ingest.serializers import (
    DeadLetterSerializer,
    DiscardedSerializer,
    EditedSerializer,
    ReceiptSerializer,
    ReplayedManySerializer,
    ReplayedSerializer,
    StreamSerializer,
)
from ingest.writer import Written


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
        return with_counts(Stream.objects.filter(reach(self).of_streams()))

    def perform_create(self, serializer: Any) -> None:
        principal(self.request).require(Scope.MANAGE, stream=serializer.validated_data["name"])
        with transaction.atomic():
            made = serializer.save()
            changes = difference({}, serializer.validated_data)
            audit.record(self.request, "stream.create", "stream", made.pk, made.name, changes)
        serializer.instance = with_counts(Stream.objects.all()).get(pk=made.pk)

    @transaction.atomic
    def perform_update(self, serializer: Any) -> None:
        old = {name: getattr(serializer.instance, name) for name in serializer.validated_data}
        stream = serializer.save()
        changes = difference(old, serializer.validated_data)
        audit.record(self.request, "stream.update", "stream", stream.pk, stream.name, changes)


def with_counts(streams: "QuerySet[Stream]") -> "QuerySet[Stream]":
    letters = DeadLetter.objects.filter(stream=OuterRef("pk")).order_by().values("stream")
    return streams.annotate(
        events=Coalesce("total__events", 0),
        bytes=Coalesce("total__bytes", 0),
        duplicates=Coalesce("total__duplicates", 0),
        dead_letters=Coalesce(Subquery(letters.annotate(n=Count("pk")).values("n")), 0),
        last_minute=F("total__last_minute"),
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
    write_scope = Scope.OPERATE

    def get_queryset(self) -> "QuerySet[DeadLetter]":
        return DeadLetter.objects.select_related("stream").filter(reach(self).of_streams("stream__name"))

    @transaction.atomic
    def perform_destroy(self, instance: DeadLetter) -> None:
        discarded = dead_letters.discard(DeadLetter.objects.filter(pk=instance.pk))
        audit.record(self.request, "dead_letter.discard", "dead_letter", instance.pk, "", {"discarded": discarded})

    @extend_schema(request=EditedSerializer, responses=ReplayedSerializer)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Try to store this one again, with another payload if one is sent; it keeps its id."""
        letter, payload = self.get_object(), _edited_payload(request)
        with transaction.atomic():
            if payload is None:
                counts = _counts(dead_letters.replay(DeadLetter.objects.filter(pk=letter.pk)))
                audit.record(request, "dead_letter.replay", "dead_letter", letter.pk, "", {**counts})
            else:
                counts = _counts(dead_letters.replay_edited(letter.pk, payload))
                changes = {**counts, "payload": _edit(letter.payload, payload)}
                audit.record(request, "dead_letter.edit", "dead_letter", letter.pk, "", changes)
        return Response(counts)

    @extend_schema(
        request=None,
        parameters=[BatchParameters],
        responses=ReplayedManySerializer,
        operation_id="dead_letters_replay_many",
        filters=True,
    )
    @action(detail=False, methods=["post"], url_path="replay", url_name="replay-many", pagination_class=None)
    def replay_many(self, request: Request) -> Response:
        """Try to store again what the query parameters select (those of the listing; none: all).

        In batches: repeat with a `limit`, and with the time of the first request as `ends_at`, so that what was refused
        again is not tried again, until none remains.
        """
        counts = _counts(dead_letters.replay(self._selected(), _limit(request)))
        changes = {"filter": request.query_params.dict(), **counts}
        audit.record(request, "dead_letter.replay", "dead_letter", "", "", changes)
        return Response({**counts, "remaining": self._selected().count()})

    @extend_schema(request=None, parameters=[BatchParameters], responses=DiscardedSerializer, filters=True)
    @action(detail=False, methods=["post"], url_path="discard", pagination_class=None)
    def discard_many(self, request: Request) -> Response:
        """Discard for good what the query parameters select (those of the listing; none: all)."""
        with transaction.atomic():
            discarded = dead_letters.discard(self._selected(), _limit(request))
            changes = {"filter": request.query_params.dict(), "discarded": discarded}
            audit.record(request, "dead_letter.discard", "dead_letter", "", "", changes)
        return Response({"discarded": discarded, "remaining": self._selected().count()})

    def _selected(self) -> "QuerySet[DeadLetter]":
        """A mistyped parameter must not select everything."""
        known = {*DeadLetterFilter.base_filters, "limit"}
        if unknown := sorted(set(self.request.query_params) - known):
            raise ValidationError(
                {name: [f"No such parameter; there are {', '.join(sorted(known))}."] for name in unknown}
            )
        selected = self.filter_queryset(self.get_queryset()).order_by().values("pk")
        return DeadLetter.objects.filter(pk__in=selected)


def _limit(request: Request) -> int | None:
    parameters = BatchParameters(data=request.query_params)
    parameters.is_valid(raise_exception=True)
    limit: int | None = parameters.validated_data.get("limit")
    return limit


class Edit(msgspec.Struct, forbid_unknown_fields=True):
    payload: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def _edited_payload(request: Request) -> bytes | None:
    """The payload's own bytes, for a parsed number may not be the number that was sent. Raises BadRequest."""
    body = _json_body(request)
    try:
        edit = msgspec.json.decode(body or b"{}", type=Edit)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest("malformed_json", f'The body should be empty or {{"payload": {{…}}}}: {error}') from None
    return None if isinstance(edit.payload, msgspec.UnsetType) else bytes(edit.payload)


def _edit(old: str, new: bytes) -> Changes:
    """What was edited, as far as both can be read."""
    try:
        before, after = json.loads(old), json.loads(new)
    except (ValueError, RecursionError):
        return {}
    return difference(before, after) if isinstance(before, dict) and isinstance(after, dict) else {}


def _json_body(request: Request) -> bytes:
    """A form is not taken for an empty body: that would replay what somebody meant to have replaced."""
    try:
        body = bytes(request.body)
    except RawPostDataException:  # the check of the session's token has read a form
        raise UnsupportedMediaType(str(request.content_type)) from None
    if body and not str(request.content_type).startswith("application/json"):
        raise UnsupportedMediaType(str(request.content_type))
    return body


def _counts(written: Written) -> dict[str, int]:
    return {"stored": written.stored, "duplicates": written.duplicates, "dead": written.dead}
