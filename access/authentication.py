"""Django REST framework's view of a key."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from access.keys import authenticate
from access.principals import Principal, principal_of


class KeyUser(AnonymousUser):
    """Stands where a user would, for a request that came with a key."""

    @property
    def is_authenticated(self) -> Any:
        return True


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`, or Basic with the key as user name."""

    def authenticate(self, request: Request) -> tuple[KeyUser, Principal] | None:
        authorization = request.headers.get("Authorization")
        if not authorization:
            return None
        return KeyUser(), authenticate(authorization)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="data-handler"'


def principal(request: Request) -> Principal:
    """Who sent an authenticated request."""
    if isinstance(request.auth, Principal):
        return request.auth
    return principal_of(request.user)
