"""Logged-in people of each role."""

from django.contrib.auth.models import Group, User
from django.test import Client

from access.models import Grant, Role


def person(*roles: Role, stream: str = "", source: str = "", name: str = "someone", password: str = "p") -> User:
    """Somebody with these roles: everywhere, or for one stream or source."""
    user = User.objects.create_user(name, password=password)
    for role in roles:
        if stream or source:
            group = Group.objects.create(name=f"{role} of {stream or source}")
            Grant.objects.create(group=group, role=role, stream=stream, source=source)
        else:
            group = Group.objects.get(name=role.value)
        group.user_set.add(user)
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
