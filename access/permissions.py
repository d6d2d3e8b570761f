"""Django REST framework's view of scopes."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from access.authentication import principal
from access.models import Scope

if TYPE_CHECKING:  # the framework's views import this module by way of the settings
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Reading needs `read`, anything else what the view names in `write_scope` (default: `manage`)."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not request.user.is_authenticated:
            return False
        reading = request.method in SAFE_METHODS
        scope = getattr(view, "read_scope", Scope.READ) if reading else getattr(view, "write_scope", Scope.MANAGE)
        principal(request).require(scope)
        return True


class IsStaff(BasePermission):
    """A logged-in member of staff: no key may do this."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return bool(getattr(request.user, "is_staff", False))
