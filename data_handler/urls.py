from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from access.answers import page_error

urlpatterns = [
    path("", login_required(RedirectView.as_view(pattern_name="swagger-ui")), name="home"),
    path("", include("monitor.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("access.urls")),
    path("api/", include("ingest.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/schema/swagger-ui/",
        login_required(SpectacularSwaggerView.as_view(url_name="schema")),
        name="swagger-ui",
    ),
]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return page_error(
        request, 404, "There is nothing at this address. The API is described at /api/schema/swagger-ui/."
    )


def handler500(request: HttpRequest) -> HttpResponseBase:
    return page_error(request, 500, "Something broke on our side; the log says more.")
