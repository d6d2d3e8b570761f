"""Who is asking, and what they may do."""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from access.errors import PermissionDenied
from access.models import Scope

EVERYTHING = frozenset(str(scope) for scope in Scope)


@dataclass(frozen=True, slots=True)
class Principal:
    """A key or a user. `streams` is None for all streams."""

    name: str
    scopes: frozenset[str]
    streams: frozenset[str] | None = None
    events_per_second: int | None = None

    def may(self, scope: str, stream: str | None = None) -> bool:
        return scope in self.scopes and (stream is None or self.streams is None or stream in self.streams)

    def require(self, scope: str, stream: str | None = None) -> None:
        """Raises PermissionDenied, saying what is missing."""
        if scope not in self.scopes:
            raise PermissionDenied(
                f"This needs the scope '{scope}'; yours: {', '.join(sorted(self.scopes)) or 'none'}."
            )
        if not self.may(scope, stream):
            raise PermissionDenied(f"This key is not for the stream '{stream}'.")


def principal_of(user: AbstractBaseUser | AnonymousUser) -> Principal:
    """What a logged-in user may do: staff everything, others read."""
    scopes = EVERYTHING if getattr(user, "is_staff", False) else frozenset({str(Scope.READ)})
    return Principal(name=f"user:{user.pk}", scopes=scopes)
