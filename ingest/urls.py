from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from ingest.models import STREAM_NAME
from ingest.views import DeadLetterViewSet, EventDetail, EventList, StreamEventList, StreamViewSet

router = SimpleRouter()
router.register("streams", StreamViewSet, basename="stream")
router.register("dead-letters", DeadLetterViewSet, basename="dead-letter")

urlpatterns = [
    path("events/", EventList.as_view(), name="events"),
    path("events/<uuid:id>/", EventDetail.as_view(), name="event"),
    re_path(rf"^streams/(?P<stream>{STREAM_NAME})/events/\Z", StreamEventList.as_view(), name="stream-events"),
    path("", include(router.urls)),
]
