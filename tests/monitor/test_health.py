"""The probes."""

import asyncio
import time

import pytest
from django.test import AsyncClient, Client

from data_handler import embedded
from ingest import buffer, chunks, feed
from monitor import heartbeat
from tests.monitor.frozen import frozen

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def just_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the tests have been running."""
    monkeypatch.setattr(heartbeat, "_started_at", time.monotonic())


def test_a_process_that_answers_is_alive(client: Client) -> None:
    response = client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


async def test_with_all_services_it_is_ready(async_client: AsyncClient) -> None:
    response = await async_client.get("/health/ready")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "checks": {"database": "ok", "buffer": "ok", "broker": "ok"},
        "warnings": {},
    }


@pytest.mark.parametrize(
    ("check", "server", "setting"),
    [
        ("database", "postgres", "DATABASE_URL"),
        ("buffer", "buffer", "BUFFER_REDIS_URL"),
        ("broker", "broker", "REDIS_URL"),
    ],
)
async def test_a_service_that_hangs_makes_it_unready_within_two_seconds(
    services: embedded.Services, async_client: AsyncClient, check: str, server: str, setting: str
) -> None:
    with frozen(getattr(services, server)):
        started_at = time.monotonic()
        response = await async_client.get("/health/ready")
        assert time.monotonic() - started_at < 2
    told = response.json()
    assert (response.status_code, told["status"]) == (503, "unready")
    assert setting in told["checks"].pop(check)
    assert set(told["checks"].values()) == {"ok"}


async def test_it_is_ready_again_when_the_service_answers_again(
    services: embedded.Services, async_client: AsyncClient
) -> None:
    with frozen(services.buffer):
        assert (await async_client.get("/health/ready")).status_code == 503
    deadline = time.monotonic() + 5
    while (await async_client.get("/health/ready")).status_code != 200:
        assert time.monotonic() < deadline


async def test_events_that_wait_for_long_are_a_warning(async_client: AsyncClient) -> None:
    minute_ago_ms = int((time.time() - 61) * 1000)
    await asyncio.to_thread(buffer.push, 0, chunks.encode(chunks.new_chunk_id(minute_ago_ms), []), 1)
    response = await async_client.get("/health/ready")
    told = response.json()
    assert (response.status_code, told["status"], list(told["warnings"])) == (200, "degraded", ["storing"])
    assert "Events have waited 61 s" in told["warnings"]["storing"]


async def test_a_silent_beat_is_a_warning(async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "_started_at", time.monotonic() - 3600)
    seconds, _ = feed.client().time()
    feed.client().set(heartbeat.KEY, seconds - 45)
    told = (await async_client.get("/health/ready")).json()
    assert (told["status"], list(told["warnings"])) == ("degraded", ["beat"])
    assert "for 45 s" in told["warnings"]["beat"] or "for 46 s" in told["warnings"]["beat"]
    heartbeat.note()
    assert (await async_client.get("/health/ready")).json()["status"] == "ok"


async def test_a_process_that_has_just_started_gives_beat_time(
    async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for up_seconds, status in ((29.0, "ok"), (31.0, "degraded")):
        monkeypatch.setattr(heartbeat, "_started_at", time.monotonic() - up_seconds)
        assert (await async_client.get("/health/ready")).json()["status"] == status


async def test_what_is_away_outweighs_a_warning(
    services: embedded.Services, async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "_started_at", time.monotonic() - 3600)
    with frozen(services.buffer):
        response = await async_client.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (503, "unready")
    assert list(response.json()["warnings"]) == ["beat"]


def test_nothing_but_reading_is_answered(client: Client) -> None:
    assert client.post("/health/ready").status_code == 405
