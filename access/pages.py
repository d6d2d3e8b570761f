"""Pages for those who may see them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from access.models import Scope
from access.principals import principal_of
from access.reach import Reach

Page = Callable[..., HttpResponseBase]


def needs(scope: Scope) -> Callable[[Page], Page]:
    """Of a page: strangers are sent to the log-in, and who has the scope nowhere is told so."""

    def decorate(page: Page) -> Page:
        @login_required
        @wraps(page)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(request, scope):
                raise PermissionDenied(f"This needs the scope '{scope}'. Ask an administrator for a role.")
            return page(request, *args, **kwargs)

        return guarded

    return decorate


def reach(request: HttpRequest, scope: Scope = Scope.READ) -> Reach:
    return principal_of(request.user).reach(scope)


def may(request: HttpRequest, scope: Scope) -> bool:
    return bool(reach(request, scope))
