from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from ingest.event_views import (
    EventAggregate,
    EventExport,
    EventList,
    StreamEventAggregate,
    StreamEventExport,
    StreamEventList,
)
from ingest.index_views import FieldIndexViewSet
from ingest.models import STREAM_NAME
from ingest.views import DeadLetterViewSet, EventDetail, StreamViewSet

router = SimpleRouter()
router.register("streams", StreamViewSet, basename="stream")
router.register("dead-letters", DeadLetterViewSet, basename="dead-letter")

OF_STREAM = rf"^streams/(?P<stream>{STREAM_NAME})/events/"
INDEXES = rf"^streams/(?P<stream>{STREAM_NAME})/indexes/"
ID = r"(?P<index>\d{1,18})"

urlpatterns = [
    path("events/", EventList.as_view(), name="events"),
    path("events/export/", EventExport.as_view(), name="events-export"),
    path("events/aggregate/", EventAggregate.as_view(), name="events-aggregate"),
    path("events/<uuid:id>/", EventDetail.as_view(), name="event"),
    re_path(rf"{OF_STREAM}\Z", StreamEventList.as_view(), name="stream-events"),
    re_path(rf"{OF_STREAM}export/\Z", StreamEventExport.as_view(), name="stream-events-export"),
    re_path(rf"{OF_STREAM}aggregate/\Z", StreamEventAggregate.as_view(), name="stream-events-aggregate"),
    re_path(rf"{INDEXES}\Z", FieldIndexViewSet.as_view({"get": "list", "post": "create"}), name="stream-indexes"),
    re_path(
        rf"{INDEXES}(?P<index>\d{{1,18}})/\Z", FieldIndexViewSet.as_view({"delete": "destroy"}), name="stream-index"
    ),
    path("", include(router.urls)),
]
