"""Roles of people: the groups `viewer`, `operator` and `admin`, and what other groups are granted of single objects."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group

from access.models import Role, Scope
from access.reach import EVERYWHERE, Reach

SCOPES: Mapping[str, frozenset[Scope]] = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.OPERATOR: frozenset({Scope.READ, Scope.OPERATE}),
    Role.ADMIN: frozenset(Scope),
}


def of(user: AbstractBaseUser | AnonymousUser) -> Iterator[tuple[str, Reach]]:
    """The roles that somebody has, each with its reach. A superuser has all; who is in no group has none."""
    if not user.is_active:
        return
    if getattr(user, "is_superuser", False):
        yield Role.ADMIN, EVERYWHERE
        return
    groups = Group.objects.filter(user__pk=user.pk)
    for name, role, stream, source in groups.values_list("name", "grant__role", "grant__stream", "grant__source"):
        if name in SCOPES:
            yield name, EVERYWHERE
        if role is not None:
            yield role, Reach(frozenset({stream} - {""}), frozenset({source} - {""}))


def make_groups(**kwargs: Any) -> None:
    """After each migration: the three groups are there."""
    for role in Role:
        Group.objects.get_or_create(name=role.value)
