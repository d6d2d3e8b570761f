"""Who may open the live feed."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import LazySettings
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client

from access.keys import create_key, revoke_key
from access.models import ApiKey, Role, Scope
from data_handler import embedded
from monitor import clients, consumers, requests
from monitor.routing import websocket_urlpatterns
from tests.monitor.frozen import frozen
from tests.monitor.watching import PAGE, dialled, publish
from tests.people import person

ADMIN = User(pk=1, is_superuser=True)
needs_keys = pytest.mark.django_db(transaction=True)


def bearer(token: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"events.example"), (b"authorization", f"Bearer {token}".encode())]


@pytest.fixture
def reader(transactional_db: None) -> tuple[ApiKey, str]:
    return create_key("reader", [Scope.READ])


async def test_a_page_of_ours_with_a_session_is_in_at_once() -> None:
    async with dialled(PAGE, user=ADMIN) as watcher:
        assert await watcher.connect() == (True, None)
        hello = await watcher.frame()
        assert (hello["op"], hello["authenticated"], hello["seq"]) == ("hello", True, 0)
        assert hello["limits"]["max_events_per_frame"] == 500


@pytest.mark.parametrize(
    "origin", [b"https://evil.example", b"null", b"https://events.example.evil.example", b"events.example"]
)
async def test_a_foreign_page_is_refused_whoever_is_logged_in(origin: bytes) -> None:
    async with dialled([(b"host", b"events.example"), (b"origin", origin)], user=ADMIN) as watcher:
        assert not (await watcher.connect())[0]


async def test_a_trusted_origin_is_ours(settings: LazySettings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://pages.example"]
    headers = [(b"host", b"events.example"), (b"origin", b"https://pages.example")]
    async with dialled(headers, user=ADMIN) as watcher:
        assert (await watcher.connect())[0]
        assert (await watcher.frame())["authenticated"]


async def test_a_session_without_an_origin_counts_for_nothing() -> None:
    async with dialled([(b"host", b"events.example")], user=ADMIN) as watcher:
        assert (await watcher.connect())[0]
        hello = await watcher.frame()
        assert (hello["authenticated"], hello["epoch"], hello["seq"]) == (False, None, None)


async def test_a_foreign_page_is_refused_even_with_a_key(reader: tuple[ApiKey, str]) -> None:
    headers = [*bearer(reader[1]), (b"origin", b"https://evil.example")]
    async with dialled(headers) as watcher:
        assert not (await watcher.connect())[0]


@pytest.mark.parametrize(
    ("offered", "answer"),
    [(["events.v1"], (True, "events.v1")), (["x", "events.v1"], (True, "events.v1")), ([], (True, None))],
)
async def test_our_subprotocol_or_none_is_taken(offered: list[str], answer: tuple[bool, str | None]) -> None:
    async with dialled(PAGE, user=ADMIN, subprotocols=offered) as watcher:
        assert await watcher.connect() == answer


async def test_a_client_that_speaks_only_other_protocols_is_refused() -> None:
    async with dialled(PAGE, user=ADMIN, subprotocols=["events.v2"]) as watcher:
        assert not (await watcher.connect())[0]


async def test_a_key_in_the_header_is_in_at_once(reader: tuple[ApiKey, str]) -> None:
    async with dialled(bearer(reader[1])) as watcher:
        await watcher.connect()
        assert (await watcher.frame())["authenticated"]


async def test_a_key_may_come_in_a_frame(reader: tuple[ApiKey, str]) -> None:
    await publish([("sensors", None)] * 3)
    async with dialled() as watcher:
        await watcher.connect()
        assert not (await watcher.frame())["authenticated"]
        hello = await watcher.ask("auth", token=reader[1])
        assert (hello["op"], hello["authenticated"], hello["seq"]) == ("hello", True, 3)
        assert (await watcher.ask("auth", token=reader[1]))["code"] == "already_authenticated"
        assert (await watcher.ask("sub", id="a"))["op"] == "ok"


@needs_keys
@pytest.mark.parametrize("token", ["", "nonsense", f"dh_{'0' * 12}_{'0' * 32}"])
async def test_a_wrong_key_closes_with_4401(token: str) -> None:
    async with dialled() as watcher:
        await watcher.connect()
        await watcher.frame()
        await watcher.send_json_to({"op": "auth", "token": token})
        assert await watcher.closing() == ("not_authenticated", 4401)


@needs_keys
async def test_a_wrong_key_in_the_header_closes_with_4401() -> None:
    async with dialled(bearer("nonsense")) as watcher:
        await watcher.connect()
        assert await watcher.closing() == ("not_authenticated", 4401)


async def test_a_key_that_may_only_send_closes_with_4403(transactional_db: None) -> None:
    _, token = await _create_key([Scope.INGEST])
    async with dialled(bearer(token)) as watcher:
        await watcher.connect()
        assert await watcher.closing() == ("permission_denied", 4403)


async def test_nothing_but_auth_is_obeyed_before_it() -> None:
    async with dialled() as watcher:
        await watcher.connect()
        await watcher.frame()
        await watcher.send_json_to({"op": "sub", "id": "a"})
        assert await watcher.closing() == ("not_authenticated", 4401)


async def test_who_does_not_authenticate_in_time_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "AUTHENTICATION_SECONDS", 0.2)
    async with dialled(PAGE, user=AnonymousUser()) as watcher:
        await watcher.connect()
        await watcher.frame()
        assert await watcher.closing() == ("not_authenticated", 4401)


async def test_a_revoked_key_is_closed_while_it_watches(
    reader: tuple[ApiKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "AUTHENTICATION_SECONDS", 1.0)
    monkeypatch.setattr(consumers, "CREDENTIALS_CHECK_SECONDS", 0.1)
    async with dialled(bearer(reader[1])) as watcher:
        await watcher.connect()
        await watcher.frame()
        await _in_thread(revoke_key, reader[0])
        assert await watcher.closing(10) == ("not_authenticated", 4401)


async def test_a_key_that_was_narrowed_is_closed_while_it_watches(
    reader: tuple[ApiKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "AUTHENTICATION_SECONDS", 1.0)
    monkeypatch.setattr(consumers, "CREDENTIALS_CHECK_SECONDS", 0.1)
    async with dialled(bearer(reader[1])) as watcher:
        await watcher.connect()
        await watcher.frame()
        reader[0].streams = ["doors"]
        await _in_thread(reader[0].save)
        assert await watcher.closing(10) == ("not_authenticated", 4401)


async def test_strangers_take_no_place_of_those_who_are_known(
    reader: tuple[ApiKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "MAX_STRANGERS", 1)
    async with dialled() as stranger, dialled() as another, dialled(bearer(reader[1])) as known:
        await stranger.connect()
        await stranger.frame()
        await another.connect()
        assert await another.closing() == ("too_many_clients", 4529)
        await known.connect()
        assert (await known.frame())["authenticated"]


async def test_a_key_for_some_streams_sees_those_alone(transactional_db: None) -> None:
    _, token = await _create_key([Scope.READ], streams=["doors"])
    async with dialled(bearer(token)) as watcher:
        await watcher.connect()
        await watcher.frame()
        refusal = await watcher.ask("sub", id="a", stream="sensors")
        assert (refusal["op"], refusal["code"], refusal["id"]) == ("error", "permission_denied", "a")
        await watcher.ask("sub", id="a")
        await publish([("sensors", None), ("doors", None), ("sensors", None)])
        frame = await watcher.frame()
        assert (frame["matched"], [event["stream"] for event in frame["events"]]) == (1, ["doors"])


async def test_a_session_lets_in_until_it_ends(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "AUTHENTICATION_SECONDS", 1.0)
    monkeypatch.setattr(consumers, "CREDENTIALS_CHECK_SECONDS", 0.1)
    browser = await _in_thread(_log_in)
    cookie = f"data_handler_session={browser.cookies['data_handler_session'].value}"
    application = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
    async with dialled([*PAGE, (b"cookie", cookie.encode())], application=application) as watcher:
        await watcher.connect()
        assert (await watcher.frame())["authenticated"]
        assert await watcher.receive_nothing(0.5)
        await _in_thread(browser.logout)
        assert await watcher.closing(10) == ("not_authenticated", 4401)


async def test_a_user_who_was_disabled_is_closed_while_watching(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "AUTHENTICATION_SECONDS", 1.0)
    monkeypatch.setattr(consumers, "CREDENTIALS_CHECK_SECONDS", 0.1)
    browser = await _in_thread(_log_in)
    cookie = f"data_handler_session={browser.cookies['data_handler_session'].value}"
    application = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
    async with dialled([*PAGE, (b"cookie", cookie.encode())], application=application) as watcher:
        await watcher.connect()
        assert (await watcher.frame())["authenticated"]
        await _in_thread(lambda: User.objects.update(is_active=False))
        assert await watcher.closing(10) == ("not_authenticated", 4401)


async def test_while_redis_hangs_clients_are_asked_to_come_back(
    services: embedded.Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "REDIS_SECONDS", 0.3)
    with frozen(services.broker):
        async with dialled(PAGE, user=ADMIN) as watcher:
            await watcher.connect()
            assert await watcher.closing(10) == ("unavailable", 4503)
    async with dialled(PAGE, user=ADMIN) as watcher:
        await watcher.connect()
        assert (await watcher.frame())["authenticated"]


def _log_in() -> Client:
    browser = Client()
    browser.force_login(person(Role.VIEWER))
    return browser


async def _create_key(scopes: list[Scope], streams: tuple[str, ...] | list[str] = ()) -> tuple[ApiKey, str]:
    key: tuple[ApiKey, str] = await _in_thread(lambda: create_key("test", scopes, streams=streams))
    return key


async def _in_thread(call: Any, *arguments: Any) -> Any:
    return await sync_to_async(call)(*arguments)


async def test_another_address_is_refused() -> None:
    stranger = WebsocketCommunicator(URLRouter(websocket_urlpatterns), "/ws/nothing/", PAGE)
    assert not (await stranger.connect())[0]
    await stranger.disconnect()
