"""The API of what is watched: history for the pages, metrics for Prometheus."""

from collections.abc import Iterable
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client.exposition import choose_encoder
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.authentication import principal
from access.errors import PermissionDenied
from access.models import Scope
from monitor import history, metrics


class HistoryParameters(serializers.Serializer[Any]):
    minutes = serializers.IntegerField(min_value=1, max_value=history.MOST_MINUTES, default=60)
    stream = serializers.CharField(required=False, help_text="Name of one stream; without it all that you may read.")


class MinuteSerializer(serializers.Serializer[Any]):
    minute = serializers.DateTimeField()
    type = serializers.CharField(allow_null=True, help_text="null: events without a type.")
    events = serializers.IntegerField()


class LagSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    p50 = serializers.FloatField(help_text="Milliseconds from acceptance to commit.")
    p99 = serializers.FloatField()


class HistorySerializer(serializers.Serializer[Any]):
    """For the API's description."""

    minutes = serializers.IntegerField()
    now = serializers.DateTimeField()
    events = MinuteSerializer(many=True)
    lag = LagSerializer(many=True)


class HistoryView(APIView):
    """Events stored by minute and type, and the lag, over the last minutes."""

    @extend_schema(
        operation_id="stats_history",
        parameters=[HistoryParameters],
        responses=HistorySerializer,
        tags=["statistics"],
    )
    def get(self, request: Request) -> Response:
        parameters = HistoryParameters(data=request.query_params)
        parameters.is_valid(raise_exception=True)
        stream = parameters.validated_data.get("stream")
        asker = principal(request)
        asker.require(Scope.READ, stream=stream)
        streams = asker.reach(Scope.READ).streams if stream is None else frozenset([stream])
        return Response(history.read(parameters.validated_data["minutes"], streams))


class AnyFormat(BaseContentNegotiation):
    """For a view that reads `Accept` itself: errors are JSON, whatever was asked for."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class MetricsView(APIView):
    """In the formats of Prometheus and OpenMetrics; for those who may read all streams."""

    content_negotiation_class = AnyFormat

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        if principal(request).reach(Scope.READ).streams is not None:
            raise PermissionDenied("These figures are of all streams, and you may read some.")
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return HttpResponse(encode(async_to_sync(metrics.scrape)()), content_type=content_type)
