from rest_framework.routers import SimpleRouter

from datasets.api.datasets import DatasetViewSet
from datasets.api.tasks import TaskViewSet

router = SimpleRouter()
router.register("datasets", DatasetViewSet, basename="dataset")
router.register("tasks", TaskViewSet, basename="task")

urlpatterns = router.urls
