"""Passwords and tokens of sources: encrypted where they are kept, given to a run for the hosts they were set for.

The first of SOURCES_SECRET_KEYS encrypts; all of them decrypt, and after them SECRET_KEY and its fallbacks, which do
both when there are none. To change the key: put the new one first, run `manage.py rotate_secrets`, remove the old one.
"""

from base64 import urlsafe_b64encode
from functools import lru_cache

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

from sources.definition import Definition, Http, NoAuth, OAuth2Auth, Sql
from sources.errors import BadDefinition, Forbidden, SourceError
from sources.http.urls import checked_url, origin
from sources.models import Secret, Source

KEY_PURPOSE = b"data-handler: secrets of sources, 1"
DEFAULT_PORTS = {"http": 80, "https": 443}


class SecretUnreadable(SourceError):
    code = "secret_unreadable"


class Secrets(dict[str, str]):
    """By name. Does not show what it holds; asked for what it does not hold, it says so with BadDefinition."""

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self)})"

    def __missing__(self, name: str) -> str:
        raise BadDefinition(f"The source has no secret {name!r}: set it, or leave it out of the definition.")


def set_secret(source: Source, name: str, value: str, host: str) -> None:
    """`host`: what `host_of` says of the definition that the secret is for."""
    if not value:
        raise BadDefinition(f"The secret {name!r} is empty.")
    ciphertext = _fernet().encrypt(value.encode())
    Secret.objects.update_or_create(source=source, name=name, defaults={"ciphertext": ciphertext, "host": host})


def reveal(source: Source, definition: Definition | None = None) -> Secrets:
    """For the worker that runs `definition`, the source's own when not given.

    Raises Forbidden when a secret was set for other hosts, SecretUnreadable when its key is gone.
    """
    host = host_of(definition or msgspec.convert(source.definition, Definition))
    secrets = Secrets()
    for secret in Secret.objects.filter(source=source):
        if secret.host != host:
            raise Forbidden(
                f"The secret {secret.name!r} was set for {secret.host or 'no host'} and the source now asks"
                f" {host or 'no host'}: set it again.",
                "secret_for_other_host",
            )
        secrets[secret.name] = _decrypted(secret)
    return secrets


def _decrypted(secret: Secret) -> str:
    try:
        return _fernet().decrypt(bytes(secret.ciphertext)).decode()
    except InvalidToken:
        raise SecretUnreadable(
            f"The secret {secret.name!r} cannot be decrypted: its key is no longer among SOURCES_SECRET_KEYS,"
            " SECRET_KEY and SECRET_KEY_FALLBACKS. Put that key back behind the others, or set the secret again."
        ) from None


def asked_by(definition: Definition) -> list[str]:
    """The names of the secrets that a definition needs."""
    extract = definition.extract
    if isinstance(extract, Sql):
        return [extract.secret] if extract.secret else []
    return [extract.auth.secret] if isinstance(extract, Http) and not isinstance(extract.auth, NoAuth) else []


def names(source: Source) -> list[str]:
    return list(Secret.objects.filter(source=source).values_list("name", flat=True))


def clear_if_host_changed(source: Source, new_host: str) -> list[str]:
    """Delete the secrets that were set for other hosts; their names."""
    with transaction.atomic():
        others = Secret.objects.select_for_update().filter(source=source).exclude(host=new_host)
        cleared = [secret.name for secret in others]
        others.delete()
    return cleared


def host_of(definition: Definition) -> str:
    """All hosts that secrets of the source are sent to, sorted, separated by spaces; empty for a file.

    `host[:port]` with https, `http://host[:port]` without encryption, `host:port` of a database: leaving encryption
    counts as another host. At most 533 characters. Raises BadDefinition when a URL cannot be read.
    """
    return " ".join(sorted(_hosts(definition)))


def _hosts(definition: Definition) -> set[str]:
    extract = definition.extract
    if isinstance(extract, Http):
        hosts = {_web_host(extract.url)}
        return hosts | {_web_host(extract.auth.token_url)} if isinstance(extract.auth, OAuth2Auth) else hosts
    return _database_host(extract) if isinstance(extract, Sql) else set()


def _database_host(extract: Sql) -> set[str]:
    from sources.sql.place import Server, place_of  # brings SQLAlchemy: 15 MB that most workers never need

    server = place_of(extract.url)
    return {f"{_bracketed(server.host)}:{server.port}"} if isinstance(server, Server) else set()


def _web_host(text: str) -> str:
    try:
        scheme, host, port = origin(checked_url(text))
    except SourceError as error:
        raise BadDefinition(str(error)) from None
    shown = _bracketed(host) if port == DEFAULT_PORTS[scheme] else f"{_bracketed(host)}:{port}"
    return shown if scheme == "https" else f"{scheme}://{shown}"


def _bracketed(host: str) -> str:
    return f"[{host.strip('[]').lower()}]" if ":" in host else host.lower()


def rotate() -> tuple[int, list[str]]:
    """Encrypt all secrets with the first key: how many, and which could not be decrypted (`source: name`)."""
    rotated, unreadable = 0, []
    for key in Secret.objects.order_by("id").values_list("id", flat=True):
        with transaction.atomic():
            secret = Secret.objects.select_for_update(of=["self"]).select_related("source").filter(id=key).first()
            if secret is None:
                continue
            try:
                ciphertext = _fernet().rotate(bytes(secret.ciphertext))
            except InvalidToken:
                unreadable.append(f"{secret.source.name}: {secret.name}")
                continue
            Secret.objects.filter(id=key).update(ciphertext=ciphertext)
            rotated += 1
    return rotated, unreadable


def _fernet() -> MultiFernet:
    return _fernet_of((*settings.SOURCES_SECRET_KEYS, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _fernet_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(_derived(key))) for key in keys])


def _derived(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=KEY_PURPOSE).derive(key.encode())
