from rest_framework.routers import SimpleRouter

from access.views import ApiKeyViewSet

router = SimpleRouter()
router.register("keys", ApiKeyViewSet, basename="key")

urlpatterns = router.urls
