"""Django REST framework's view of scopes.

A view names the scope that reading needs in `read_scope` (default: `read`) and the one for anything else in
`write_scope` (default: `manage`); an action of a view set may have its own. What it then does is limited to the
`reach` of that scope: what lies beyond it is not found.
"""

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from access.authentication import principal
from access.models import Scope
from access.principals import principal_of
from access.reach import Reach

if TYPE_CHECKING:  # the framework's views import this module by way of the settings
    from rest_framework.views import APIView


def scope_of(request: Request, view: "APIView") -> str:
    """The scope that this request of this view needs."""
    if request.method in SAFE_METHODS:
        return str(getattr(view, "read_scope", Scope.READ))
    return str(getattr(view, "write_scope", Scope.MANAGE))


def reach(view: Any) -> Reach:
    """How far the asker's permission to do what was asked for goes."""
    return principal(view.request).reach(scope_of(view.request, view))


class HasScope(BasePermission):
    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not request.user.is_authenticated:
            return False
        principal(request).require(scope_of(request, view))
        return True


class IsAdmin(BasePermission):
    """An administrator who is logged in: no key may do this."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return request.auth is None and principal_of(request.user).is_admin
