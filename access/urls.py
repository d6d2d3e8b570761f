from rest_framework.routers import SimpleRouter

from access.audit_api import AuditViewSet
from access.views import ApiKeyViewSet

router = SimpleRouter()
router.register("keys", ApiKeyViewSet, basename="key")
router.register("audit", AuditViewSet, basename="audit-entry")

urlpatterns = router.urls
