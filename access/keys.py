"""API keys: making, recognising, revoking."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from access.differences import Changes, difference
from access.errors import NotAuthenticated
from access.models import ApiKey, Scope
from access.principals import Principal, limited
from access.reach import reach_of
from access.snapshot import Snapshot

AUDITED = ("name", "scopes", "streams", "sources", "events_per_second", "expires_at")
TOKEN = re.compile(r"dh_([0-9a-f]{12})_([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class KnownKey:
    secret_hash: bytes
    expires_at: datetime | None
    principal: Principal


def create_key(
    name: str,
    scopes: Iterable[str] = (Scope.INGEST, Scope.READ),
    *,
    streams: Iterable[str] = (),
    sources: Iterable[str] = (),
    events_per_second: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its token, `dh_<id>_<secret>`; the token cannot be had again."""
    secret = new_secret()
    key = ApiKey.objects.create(
        name=name,
        scopes=[str(scope) for scope in scopes],
        streams=list(streams),
        sources=list(sources),
        events_per_second=events_per_second,
        expires_at=expires_at,
        secret_hash=hash_secret(secret),
    )
    return key, token(key, secret)


def new_secret() -> str:
    return secrets.token_hex(16)


def token(key: ApiKey, secret: str) -> str:
    return f"dh_{key.id}_{secret}"


def revoke_key(key: ApiKey, now: datetime | None = None) -> None:
    """End a key. Every process stops taking it within DIRECTORY_REFRESH_SECONDS."""
    key.revoked_at = now or timezone.now()
    key.save(update_fields=["revoked_at"])


def described(key: ApiKey) -> Changes:
    """A new key, for the audit log."""
    return difference({}, {name: getattr(key, name) for name in AUDITED})


def hash_secret(secret: str) -> bytes:
    """A plain SHA-256: 128 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def load_known_keys() -> dict[str, KnownKey]:
    return {key.id: _known(key) for key in ApiKey.objects.filter(revoked_at=None)}


def _known(key: ApiKey) -> KnownKey:
    principal = Principal(
        name=f"key:{key.id}",
        reaches=limited(key.scopes, reach_of(key.streams, key.sources)),
        events_per_second=key.events_per_second,
    )
    return KnownKey(bytes(key.secret_hash), key.expires_at, principal)


known_keys: Snapshot[KnownKey] = Snapshot(load_known_keys, lambda: settings.DIRECTORY_REFRESH_SECONDS)


def _forget(**kwargs: Any) -> None:
    known_keys.expire()


post_save.connect(_forget, sender=ApiKey, dispatch_uid="access.keys.saved")
post_delete.connect(_forget, sender=ApiKey, dispatch_uid="access.keys.deleted")


def token_of(authorization: str) -> str:
    """The token in an Authorization header: `Bearer <key>`, or Basic with the key as user name.

    Raises NotAuthenticated when there is none in it.
    """
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode("ascii").partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            raise NotAuthenticated("The Authorization header is not valid Basic authentication.") from None
    raise NotAuthenticated(
        "Send the API key as 'Authorization: Bearer <key>' or as the user name of Basic authentication."
    )


def authenticate(authorization: str, *, is_searched: bool = True) -> Principal:
    """Who sent this Authorization header. Raises NotAuthenticated. For synchronous code.

    A key that this process does not know is looked for in the database, if `is_searched`.
    """
    key_id, secret = _split(token_of(authorization))
    return _verify(known_keys.find(key_id) if is_searched else known_keys.known(key_id), secret)


async def aauthenticate(authorization: str) -> Principal:
    """As `authenticate`, for the event loop; costs no query."""
    key_id, secret = _split(token_of(authorization))
    return _verify(await known_keys.afind(key_id), secret)


def _split(token: str) -> tuple[str, str]:
    if match := TOKEN.fullmatch(token):
        return match[1], match[2]
    raise NotAuthenticated("This is not an API key: keys look like dh_<12 hexadecimal digits>_<32 hexadecimal digits>.")


def _verify(known: KnownKey | None, secret: str) -> Principal:
    if known is None or not hmac.compare_digest(known.secret_hash, hash_secret(secret)):
        raise NotAuthenticated("This API key is unknown or was revoked.")
    if known.expires_at is not None and known.expires_at <= timezone.now():
        raise NotAuthenticated(f"This API key expired on {known.expires_at:%Y-%m-%d %H:%M} UTC.")
    return known.principal
