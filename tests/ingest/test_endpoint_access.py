"""Who may send what."""

import asyncio
import base64
from datetime import timedelta
from unittest.mock import Mock

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from access.keys import create_key, known_keys, revoke_key
from access.models import Role, Scope
from tests.ingest.posting import Poster
from tests.people import person

make_key = sync_to_async(create_key)


async def with_key(post: Poster, **settings: object) -> Poster:
    _, token = await make_key("another", **{"scopes": [Scope.INGEST], **settings})  # type: ignore[arg-type]
    return Poster(post.endpoint, token)


async def test_a_key_works_as_soon_as_it_was_made(post: Poster) -> None:
    await post({})
    assert (await (await with_key(post))({})).status == 202


async def test_basic_authentication_takes_the_key_as_user_name(post: Poster) -> None:
    basic = base64.b64encode(f"{post.token}:".encode()).decode()
    assert (await post({}, authorization=f"Basic {basic}")).status == 202


@pytest.mark.parametrize("value", ["Basic !!!", "Basic /w==", "Basic"])
async def test_broken_basic_authentication_is_refused(post: Poster, value: str) -> None:
    assert (await post({}, authorization=value)).status == 401


async def test_a_right_id_with_a_wrong_secret_is_refused(post: Poster) -> None:
    answer = await post({}, authorization=f"Bearer {post.token[:-4]}0000")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="data-handler"')


async def test_a_key_without_the_scope_is_refused(post: Poster) -> None:
    answer = await (await with_key(post, scopes=[Scope.READ]))({})
    assert (answer.status, answer.body["error"]) == (403, "permission_denied")
    assert "'ingest'" in answer.body["detail"]


async def test_a_key_for_other_streams_is_refused(post: Poster) -> None:
    answer = await (await with_key(post, streams=["mine"]))({})
    assert (answer.status, answer.body["detail"]) == (403, "Your scope 'ingest' is not for the stream 'sensors'.")


async def test_the_only_stream_of_a_key_is_its_default(post: Poster) -> None:
    assert (await (await with_key(post, streams=["mine"]))({}, path="/api/events/")).status == 202
    two = await with_key(post, streams=["mine", "yours"])
    assert (await two({}, path="/api/events/")).status == 403


async def test_an_expired_key_is_refused(post: Poster) -> None:
    expired = await with_key(post, expires_at=timezone.now() - timedelta(seconds=1))
    answer = await expired({})
    assert answer.status == 401
    assert "expired on" in answer.body["detail"]


async def test_a_revoked_key_is_refused(post: Poster) -> None:
    key, token = await make_key("short-lived")
    revoked = Poster(post.endpoint, token)
    assert (await revoked({})).status == 202
    await sync_to_async(revoke_key)(key)
    assert (await revoked({})).status == 401


async def test_a_known_key_costs_no_query(post: Poster, monkeypatch: pytest.MonkeyPatch) -> None:
    await post({})
    load = Mock(wraps=known_keys._load)
    monkeypatch.setattr(known_keys, "_load", load)
    for _ in range(20):
        assert (await post({})).status == 202
    assert load.call_count == 0


async def test_guessed_keys_share_one_reading_of_the_table(post: Poster, monkeypatch: pytest.MonkeyPatch) -> None:
    await post({})
    load = Mock(wraps=known_keys._load)
    monkeypatch.setattr(known_keys, "_load", load)
    guesses = [post({}, authorization=f"Bearer dh_{n:012x}_{n:032x}") for n in range(50)]
    assert {answer.status for answer in await asyncio.gather(*guesses)} == {401}
    assert load.call_count == 1


async def test_a_session_needs_its_csrf_token(post: Poster) -> None:
    client = Client(enforce_csrf_checks=True)
    user = await sync_to_async(person)(Role.ADMIN)
    await sync_to_async(client.force_login)(user)
    await sync_to_async(client.get)("/admin/password_change/")
    csrf = client.cookies["data_handler_csrf"].value
    cookie = f"data_handler_session={client.cookies['data_handler_session'].value}; data_handler_csrf={csrf}"
    refused = await post({}, authorization=None, cookie=cookie)
    assert (refused.status, refused.body["error"]) == (403, "csrf_failed")
    assert (await post({}, authorization=None, cookie=cookie, x_csrftoken=csrf)).status == 202


async def test_a_session_that_is_none_is_refused(post: Poster) -> None:
    answer = await post({}, authorization=None, cookie="data_handler_session=nonsense")
    assert answer.status == 401


async def test_a_reader_may_not_send(post: Poster) -> None:
    client = Client(enforce_csrf_checks=True)
    user = await sync_to_async(get_user_model().objects.create_user)("reader", password="p")
    await sync_to_async(client.force_login)(user)
    cookie = f"data_handler_session={client.cookies['data_handler_session'].value}; data_handler_csrf={'a' * 32}"
    answer = await post({}, authorization=None, cookie=cookie, x_csrftoken="a" * 32)
    assert (answer.status, answer.body["error"]) == (403, "permission_denied")


async def test_a_key_over_its_quota_is_told_when_to_come_back(post: Poster) -> None:
    limited = await with_key(post, events_per_second=2)
    assert (await limited([{}] * 21)).body["error"] == "too_many_events"
    assert (await limited([{}] * 20)).status == 202
    answer = await limited([{}])
    assert (answer.status, answer.body["error"]) == (429, "quota_exceeded")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert answer.headers["ratelimit-policy"] == '"events";q=20;w=10'
    assert answer.headers["ratelimit"].startswith('"events";r=0;t=')
