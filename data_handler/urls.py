from http import HTTPStatus

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from access import audit_pages
from access.answers import page_error
from access.log_in import LimitedForm, limited, password_change
from access.models import Scope
from access.pages import needs

swagger_ui = SpectacularSwaggerSplitView.as_view(
    url_name="schema", template_name="data_handler/swagger_ui.html", throttle_classes=[]
)
log_in = LoginView.as_view(
    template_name="data_handler/login.html", redirect_authenticated_user=True, authentication_form=LimitedForm
)

urlpatterns = [
    path("", include("monitor.urls")),
    path("", include("sources.page_urls")),
    path("", include("datasets.page_urls")),
    path("audit/", audit_pages.audit, name="audit"),
    path("login/", limited(log_in), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("favicon.ico", RedirectView.as_view(url=static("data_handler/icon.svg"))),
    path("admin/password_change/", admin.site.admin_view(password_change, cacheable=True)),  # ahead of the site's own
    path("admin/", admin.site.urls),
    path("api/", include("access.urls")),
    path("api/", include("ingest.urls")),
    path("api/", include("sources.urls")),
    path("api/", include("datasets.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/schema/swagger-ui/", needs(Scope.READ)(swagger_ui), name="swagger-ui"),
]


def handler400(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if isinstance(exception, DisallowedHost):
        return error_page(request, 400, "The service does not go by the host name of this request. See ALLOWED_HOSTS.")
    return error_page(request, 400, "This is no request that the service can read.")


def handler403(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return error_page(request, 403, str(exception) or "You may not do this.")


def handler404(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return error_page(
        request, 404, "There is nothing at this address. The API is described at /api/schema/swagger-ui/."
    )


def handler500(request: HttpRequest) -> HttpResponseBase:
    return error_page(request, 500, "Something broke on our side; the log says more.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    return error_page(
        request, 403, "The form was out of date, or came from elsewhere. Load its page again, then send it."
    )


def error_page(request: HttpRequest, status: int, detail: str) -> HttpResponseBase:
    """A page for browsers, made without database and session, which may be what is broken; JSON for all others."""
    answer = page_error(request, status, detail)
    if request.get_preferred_type(["application/json", "text/html"]) != "text/html":
        return answer
    shown = {"status": status, "title": HTTPStatus(status).phrase, "detail": detail, "number": answer["X-Request-ID"]}
    page = HttpResponse(render_to_string("data_handler/error.html", shown), status=status)
    page["X-Request-ID"] = answer["X-Request-ID"]
    return page
