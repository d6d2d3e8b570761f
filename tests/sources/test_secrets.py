import io
import logging
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.core.serializers import serialize
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from sources.definition import Definition
from sources.errors import BadDefinition, Forbidden, SourceError
from sources.models import Secret, Source
from sources.secrets import SecretUnreadable, clear_if_host_changed, host_of, names, reveal, rotate, set_secret

pytestmark = pytest.mark.django_db

VALUE = "hunter2-and-ümlaut"
HTTP = {"kind": "http", "url": "https://api.example.org/events?x=1"}
OAUTH = {"kind": "oauth2", "token_url": "https://login.example.org:8443/token", "client_id": "me", "secret": "s"}
SQL = {"kind": "sql", "url": "postgresql://me@db.example.org/shop", "table": "t"}


def document(**extract: Any) -> dict[str, Any]:
    return {"version": 1, "extract": extract, "load": {"kind": "append", "stream": "s"}}


def definition(**extract: Any) -> Definition:
    return msgspec.convert(document(**extract), Definition)


@pytest.fixture
def source() -> Source:
    return Source.objects.create(name="events", definition=document(**HTTP))


@pytest.fixture
def secret(source: Source) -> Secret:
    set_secret(source, "token", VALUE, "api.example.org")
    return Secret.objects.get()


def test_a_secret_comes_back_for_the_run(source: Source, secret: Secret) -> None:
    assert reveal(source) == {"token": VALUE}
    assert names(source) == ["token"]
    set_secret(source, "token", "another", "api.example.org")
    assert reveal(source)["token"] == "another"


def test_a_secret_is_nowhere_else(source: Source, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), CaptureQueriesContext(connection) as queries:
        set_secret(source, "token", VALUE, "api.example.org")
        revealed = reveal(source)
        rotate()
        shown = [serialize("json", [*Secret.objects.all(), source]), repr(revealed), str(revealed), repr(source)]
        shown += [repr(Secret.objects.get()), repr(Secret.objects.get().__dict__), caplog.text]
        shown += [query["sql"] for query in queries.captured_queries]
    for text in shown:
        assert "hunter2" not in text
        assert VALUE.encode().hex() not in text
    assert "token" in repr(revealed)


def test_a_secret_is_not_revealed_for_another_host(source: Source, secret: Secret) -> None:
    source.definition = document(kind="http", url="https://evil.example/events")
    with pytest.raises(Forbidden, match=r"set for api\.example\.org and the source now asks evil\.example"):
        reveal(source)
    with pytest.raises(Forbidden):
        reveal(source, definition(kind="http", url="http://api.example.org/events"))
    assert reveal(source, definition(**HTTP)) == {"token": VALUE}


def test_secrets_are_cleared_when_the_host_changes(source: Source, secret: Secret) -> None:
    assert clear_if_host_changed(source, "api.example.org") == []
    set_secret(source, "new", "x", "evil.example")
    assert clear_if_host_changed(source, "evil.example") == ["token"]
    assert names(source) == ["new"]


def test_a_missing_secret_is_named(source: Source) -> None:
    with pytest.raises(BadDefinition, match="no secret 'token'"):
        reveal(source)["token"]
    with pytest.raises(BadDefinition, match="empty"):
        set_secret(source, "token", "", "api.example.org")


@pytest.mark.parametrize(
    ("extract", "host"),
    [
        (HTTP, "api.example.org"),
        ({"kind": "http", "url": "https://API.example.org:443"}, "api.example.org"),
        ({"kind": "http", "url": "https://api.example.org:8443/x"}, "api.example.org:8443"),
        ({"kind": "http", "url": "http://api.example.org/x"}, "http://api.example.org"),
        ({"kind": "http", "url": "https://[2001:db8::1]:8443/x"}, "[2001:db8::1]:8443"),
        ({"kind": "http", "url": "https://bücher.example/"}, "xn--bcher-kva.example"),
        ({**HTTP, "auth": OAUTH}, "api.example.org login.example.org:8443"),
        ({**SQL, "url": "postgresql://me@DB.example.org/shop"}, "db.example.org:5432"),
        ({"kind": "sql", "url": "mysql://me@[2001:db8::1]/shop", "table": "t"}, "[2001:db8::1]:3306"),
        ({"kind": "sql", "url": "sqlite:x", "table": "t"}, ""),
        ({"kind": "file", "upload": "x"}, ""),
    ],
)
def test_the_hosts_that_secrets_are_sent_to(extract: dict[str, Any], host: str) -> None:
    assert host_of(definition(**extract)) == host


def test_the_longest_hosts_can_be_kept(source: Source) -> None:
    name = f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 61}"
    auth = {**OAUTH, "token_url": f"http://{name[::-1]}:65535/"}
    host = host_of(definition(kind="http", url=f"http://{name}:65535/", auth=auth))
    assert len(host) == 533
    set_secret(source, "token", VALUE, host)
    for extract in ({"kind": "http", "url": f"https://{name}a/"}, {**SQL, "url": f"postgresql://me@{name}a/x"}):
        with pytest.raises(BadDefinition, match="host"):
            host_of(definition(**extract))


@pytest.mark.parametrize("url", ["https://", "https://user:s3cret@api.example.org/", f"https://{'a' * 400}.example/"])
def test_a_url_without_a_clear_host_is_a_bad_definition(url: str) -> None:
    with pytest.raises(BadDefinition) as caught:
        host_of(definition(kind="http", url=url))
    assert "s3cret" not in str(caught.value)


def test_keys_are_changed_without_losing_secrets(source: Source, secret: Secret, settings: Settings) -> None:
    settings.SOURCES_SECRET_KEYS = ["new key"]
    assert reveal(source) == {"token": VALUE}
    assert rotate() == (1, [])
    settings.SECRET_KEY = "another"
    assert reveal(source) == {"token": VALUE}
    settings.SOURCES_SECRET_KEYS = ["newer key", "new key"]
    output = io.StringIO()
    call_command("rotate_secrets", stdout=output)
    assert output.getvalue() == "1 secrets are encrypted with the first key.\n"
    settings.SOURCES_SECRET_KEYS = ["newer key"]
    assert reveal(source) == {"token": VALUE}
    assert bytes(Secret.objects.get().ciphertext) != bytes(secret.ciphertext)


def test_a_fallback_of_the_secret_key_still_decrypts(source: Source, secret: Secret, settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert reveal(source) == {"token": VALUE}


def test_a_lost_key_is_said(source: Source, secret: Secret, settings: Settings) -> None:
    settings.SECRET_KEY = "another"
    with pytest.raises(SecretUnreadable, match="'token' cannot be decrypted"):
        reveal(source)
    set_secret(source, "readable", "x", "api.example.org")
    assert rotate() == (1, ["events: token"])
    with pytest.raises(CommandError, match="events: token"):
        call_command("rotate_secrets", stdout=io.StringIO())
    assert issubclass(SecretUnreadable, SourceError)
