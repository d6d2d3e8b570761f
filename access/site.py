from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

from access.principals import principal_of


class Site(AdminSite):
    """Django's admin pages: for administrators, and by Django's own rules for staff. One log-in serves all pages."""

    site_header = site_title = "Data Handler"

    def has_permission(self, request: HttpRequest) -> bool:
        return principal_of(request.user).is_admin or super().has_permission(request)

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        if request.user.is_authenticated:
            raise PermissionDenied("The administration is for administrators.")
        return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME) or resolve_url("admin:index"))
