"""The audit log: who changed what. Entries are written in the transaction of the change, where it has one."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.http import HttpRequest
from rest_framework.request import Request

from access import errors
from access.addresses import client_address
from access.differences import Changes, storable
from access.models import ApiKey, AuditEntry
from access.principals import Principal

ANONYMOUS = "anonymous"
COMMAND = "command"


def record(
    request: HttpRequest | Request | None,
    action: str,
    object_type: str,
    object_id: object = "",
    object_name: str = "",
    changes: Changes | None = None,
) -> AuditEntry:
    """One entry. `action`: `<object type>.<verb>`. `changes`: what `access.differences` makes of it, free of secrets.

    `request` is None for what a command of the service does.
    """
    plain = request._request if isinstance(request, Request) else request
    name, shown_name = actor(request)
    return AuditEntry.objects.create(
        actor=name,
        actor_name=_stored(shown_name),
        action=action,
        object_type=object_type,
        object_id=_stored(str(object_id)),
        object_name=_stored(object_name),
        changes=storable(changes or {}),
        address=client_address(plain) if plain is not None else None,
        request_id=_request_id(plain) if plain is not None else "",
    )


def expired_before(now: datetime) -> datetime | None:
    """Entries made before that are to be deleted; None when all are kept."""
    days = settings.AUDIT_RETENTION_DAYS
    return now - timedelta(days=days) if days else None


def actor(request: HttpRequest | Request | None) -> tuple[str, str]:
    """Who sent it, as entries name them: `user:<id>`, `key:<id>`…, and the name that people know."""
    if request is None:
        return COMMAND, ""
    asker = getattr(request, "auth", None)
    if isinstance(asker, Principal) and asker.name.startswith("key:"):
        key = ApiKey.objects.filter(pk=asker.name.removeprefix("key:")).values_list("name", flat=True).first()
        return asker.name, key or ""
    user = getattr(request, "user", None)
    if isinstance(user, AbstractBaseUser) and user.is_authenticated:
        return f"user:{user.pk}", user.get_username()
    return ANONYMOUS, ""


def _request_id(request: HttpRequest) -> str:
    """The client's own, or one that all entries of this request share."""
    if not hasattr(request, "audit_id"):
        request.audit_id = errors.request_id(request.headers.get("X-Request-ID"))  # type: ignore[attr-defined]
    return str(request.audit_id)  # type: ignore[attr-defined]


def _stored(text: str) -> str:
    """What a column takes."""
    return storable(text)[:200]  # type: ignore[no-any-return]


def note_log_in(sender: object, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> None:
    record(request, "user.log_in", "user", user.pk, user.get_username())


def note_failed_log_in(
    sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    if request is not None:
        record(request, "user.log_in_failed", "user", "", str(credentials.get("username") or ""))


user_logged_in.connect(note_log_in, dispatch_uid="access.audit.logged_in")
user_login_failed.connect(note_failed_log_in, dispatch_uid="access.audit.log_in_failed")
