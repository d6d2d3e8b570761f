from django.urls import path, re_path

from ingest.models import STREAM_NAME
from monitor import health, live, pages, views

urlpatterns = [
    path("", live.page, name="live"),
    path("streams/", pages.streams, name="streams"),
    re_path(rf"^streams/(?P<name>{STREAM_NAME})/\Z", pages.stream, name="stream-page"),
    path("dead-letters/", pages.dead_letters, name="dead-letters"),
    path("api/stats/history/", views.HistoryView.as_view(), name="stats-history"),
    path("metrics", views.MetricsView.as_view(), name="metrics"),
    path("health/live", health.live),
    path("health/ready", health.ready),
]
