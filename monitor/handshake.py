"""Who may open the feed: the page's origin, the subprotocol, the credentials."""

from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError

from access.errors import DirectoryUnavailable, NotAuthenticated, PermissionDenied
from access.keys import aauthenticate
from access.models import Scope
from access.principals import Principal, principal_of
from access.sessions import aprincipal_of_session_key
from monitor.errors import Unauthenticated, Unavailable, Unreadable

SUBPROTOCOL = "events.v1"


def header(scope: dict[str, Any], name: bytes) -> str | None:
    """The value of a header; of a repeated one, the last."""
    return dict(scope["headers"]).get(name, b"").decode("latin-1") or None


def speaks_our_protocol(scope: dict[str, Any]) -> bool:
    """A client that names no subprotocol is taken for one that does."""
    return not scope["subprotocols"] or SUBPROTOCOL in scope["subprotocols"]


def origin_is_allowed(scope: dict[str, Any]) -> bool:
    """Browsers always say where a page comes from; programs do not, and then have to bring a key."""
    origin = header(scope, b"origin")
    if origin is None:
        return True
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    return urlsplit(origin).netloc != "" and urlsplit(origin).netloc == header(scope, b"host")


async def principal_of_handshake(scope: dict[str, Any]) -> Principal | None:
    """By the Authorization header, else by the session of a page that said its origin; None for neither.

    Raises Unauthenticated, Unreadable or Unavailable.
    """
    if authorization := header(scope, b"authorization"):
        return await principal_of_authorization(authorization)
    user = scope.get("user")
    if user is None or not user.is_authenticated or header(scope, b"origin") is None:
        return None
    try:
        return _reader(await database_sync_to_async(principal_of)(user))
    except DatabaseError as error:
        raise Unavailable("The database cannot be reached.") from error


async def principal_of_authorization(authorization: str) -> Principal:
    """Who holds the key of an Authorization header. Raises Unauthenticated, Unreadable or Unavailable."""
    try:
        return _reader(await aauthenticate(authorization))
    except NotAuthenticated as error:
        raise Unauthenticated(error.detail) from error
    except DirectoryUnavailable as error:
        raise Unavailable(error.detail) from error


async def principal_now(scope: dict[str, Any], authorization: str | None) -> Principal:
    """Who a client is by what let it in, as of now: its key, else the session of its page.

    Raises Unauthenticated, Unreadable or Unavailable.
    """
    if authorization is not None:
        return await principal_of_authorization(authorization)
    try:
        principal = await aprincipal_of_session_key(scope["session"].session_key)
    except DatabaseError as error:
        raise Unavailable("The database cannot be reached.") from error
    if principal is None:
        raise Unauthenticated("The session has ended; log in again.")
    return _reader(principal)


def _reader(principal: Principal) -> Principal:
    try:
        principal.require(Scope.READ)
    except PermissionDenied as error:
        raise Unreadable(error.detail) from error
    return principal
