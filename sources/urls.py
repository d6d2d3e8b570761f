from django.urls import include, path
from rest_framework.routers import SimpleRouter

from sources.api.data_sources import SourceViewSet
from sources.api.records import RecordViewSet
from sources.api.runs import RunViewSet
from sources.api.stats import Stats, TopRecords
from sources.api.uploads import UploadViewSet

router = SimpleRouter()
router.register("data_sources", SourceViewSet, basename="source")
router.register("runs", RunViewSet, basename="run")
router.register("records", RecordViewSet, basename="record")
router.register("uploads", UploadViewSet, basename="upload")

urlpatterns = [
    path("stats/", Stats.as_view(), name="stats"),
    path("stats/top-records/", TopRecords.as_view(), name="top-records"),
    path("", include(router.urls)),
]
