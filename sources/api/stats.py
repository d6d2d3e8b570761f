from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.permissions import reach
from sources import stats


class Stats(APIView):
    """Totals of what is stored: of sources, records and runs as they are, of all else at most five seconds old."""

    @extend_schema(responses=dict, tags=["stats"])
    def get(self, request: Request) -> Response:
        return Response(stats.read(reach(self)))


class TopRecords(APIView):
    """The ten records updated most recently."""

    @extend_schema(responses={200: {"type": "array", "items": {"type": "object"}}}, tags=["stats"])
    def get(self, request: Request) -> Response:
        return Response(stats.top_records(reach(self)))
