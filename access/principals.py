"""Who is asking, and what they may do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from access import roles
from access.errors import PermissionDenied
from access.models import Scope
from access.reach import EVERYWHERE, NOWHERE, Reach


@dataclass(frozen=True, slots=True)
class Principal:
    """A key or a user, with the reach of each scope that it has."""

    name: str
    reaches: Mapping[str, Reach]
    events_per_second: int | None = None

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.reaches)

    @property
    def is_admin(self) -> bool:
        return self.reach(Scope.MANAGE) == EVERYWHERE

    def reach(self, scope: str) -> Reach:
        return self.reaches.get(scope, NOWHERE)

    def may(self, scope: str, *, stream: str | None = None) -> bool:
        """Whether it has the scope: for that stream, else for anything at all."""
        reach = self.reach(scope)
        return bool(reach) if stream is None else reach.has_stream(stream)

    def require(self, scope: str, *, stream: str | None = None, source: str | None = None) -> None:
        """Raises PermissionDenied, saying what is missing."""
        reach = self.reach(scope)
        if not reach:
            raise PermissionDenied(f"This needs the scope '{scope}'; yours: {self._scopes_in_words()}.")
        if stream is not None and not reach.has_stream(stream):
            raise PermissionDenied(f"Your scope '{scope}' is not for the stream '{stream}'.")
        if source is not None and not reach.has_source(source):
            raise PermissionDenied(f"Your scope '{scope}' is not for the source '{source}'.")

    def _scopes_in_words(self) -> str:
        return ", ".join(sorted(self.scopes)) or "none"


def limited(scopes: Iterable[str], reach: Reach) -> dict[str, Reach]:
    """The same reach for each scope. Who may manage may operate; changes of a source's records belong to the source."""
    given = {str(scope) for scope in scopes}
    if Scope.MANAGE in given:
        given.add(Scope.OPERATE.value)
    return {scope: reach if scope == Scope.INGEST else reach.with_changes() for scope in given}


def principal_of(user: AbstractBaseUser | AnonymousUser) -> Principal:
    """What a logged-in user may do now. Asks the database once for each user object."""
    known: Principal | None = getattr(user, "_principal", None)
    if known is None:
        known = Principal(f"user:{user.pk}", _reaches(user))
        user._principal = known  # type: ignore[union-attr]
    return known


def _reaches(user: AbstractBaseUser | AnonymousUser) -> dict[str, Reach]:
    reaches: dict[str, Reach] = {}
    for role, reach in roles.of(user):
        for scope, extent in limited(roles.SCOPES[role], reach).items():
            reaches[scope] = reaches.get(scope, NOWHERE) | extent
    return reaches
