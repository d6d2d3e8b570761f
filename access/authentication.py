"""Django REST framework's view of a key."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from access import guesses
from access.errors import NotAuthenticated
from access.keys import authenticate
from access.principals import Principal, principal_of


class KeyUser(AnonymousUser):
    """Stands where a user would, for a request that came with a key."""

    @property
    def is_authenticated(self) -> Any:
        return True


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`, or Basic with the key as user name.

    What is no key is counted by address (`access.guesses`). A key that works always does, and costs no counting.
    """

    def authenticate(self, request: Request) -> tuple[KeyUser, Principal] | None:
        authorization = request.headers.get("Authorization")
        if not authorization:
            return None
        try:
            return KeyUser(), authenticate(authorization, is_searched=False)
        except NotAuthenticated:
            guesses.check(request._request)
        try:
            return KeyUser(), authenticate(authorization)
        except NotAuthenticated:
            guesses.count(request._request)
            raise

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="data-handler"'


def principal(request: Request) -> Principal:
    """Who sent an authenticated request."""
    if isinstance(request.auth, Principal):
        return request.auth
    return principal_of(request.user)
