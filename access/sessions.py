"""A browser's session as credentials of a request that does not pass through Django's middleware."""

import io
from collections.abc import MutableMapping
from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.base import SessionBase
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from access.errors import NotAuthenticated, PermissionDenied
from access.principals import Principal, principal_of

SESSION_COOKIE = settings.SESSION_COOKIE_NAME.encode()


class CsrfFailed(PermissionDenied):
    code = "csrf_failed"


async def aprincipal_of_session(scope: MutableMapping[str, Any]) -> Principal:
    """Who is logged in, for a request that changes something and so needs the X-CSRFToken header.

    Raises NotAuthenticated without a valid session, CsrfFailed without a valid token.
    """
    if not any(name == b"cookie" and SESSION_COOKIE in value for name, value in scope["headers"]):
        raise NotAuthenticated("Send an API key: 'Authorization: Bearer <key>'.")
    return await sync_to_async(_principal_of_session, thread_sensitive=False)(scope)


def _principal_of_session(scope: MutableMapping[str, Any]) -> Principal:
    request = ASGIRequest(dict(scope), io.BytesIO())
    try:
        return _authenticate(request)
    finally:
        connection.close()


async def aprincipal_of_session_key(key: str | None) -> Principal | None:
    """Who is logged in by that session now; None when it ended, or its user was disabled or changed the password."""
    return await sync_to_async(_principal_of_session_key, thread_sensitive=False)(key)


def _principal_of_session_key(key: str | None) -> Principal | None:
    request = HttpRequest()
    request.session = session_store()(key)
    try:
        user = get_user(request)
        return principal_of(user) if user.is_authenticated else None
    finally:
        connection.close()


def session_store() -> type[SessionBase]:
    store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    return store


def _authenticate(request: ASGIRequest) -> Principal:
    request.session = session_store()(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    user = get_user(request)
    if not user.is_authenticated or not user.is_active:
        raise NotAuthenticated("Your session has ended: log in again, or send an API key.")
    checker = CsrfViewMiddleware(lambda _: HttpResponse())
    checker.process_request(request)
    if checker.process_view(request, lambda _: HttpResponse(), (), {}) is not None:
        raise CsrfFailed("Send the CSRF token of your session in the header X-CSRFToken.")
    return principal_of(user)
