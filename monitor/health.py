"""Probes: does this process answer, and could it do its work."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

from ingest import buffer

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 1.0
OLD_SECONDS = 60.0


@never_cache
@require_safe
async def live(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
async def ready(request: HttpRequest) -> JsonResponse:
    """200 when database, buffer and broker answer within TIMEOUT_SECONDS, else 503 saying which does not."""
    *outcomes, warning = await asyncio.gather(*(_outcome(name) for name in CHECKS), _warning())
    checks = dict(zip(CHECKS, outcomes, strict=True))
    unready = any(outcome != "ok" for outcome in outcomes)
    body = {"status": "unready" if unready else "ok", "checks": checks}
    if warning:
        body["warning"] = warning
    return JsonResponse(body, status=503 if unready else 200)


def check_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def check_buffer() -> None:
    _client(settings.BUFFER_REDIS_URL).ping()


def check_broker() -> None:
    _client(settings.REDIS_URL).ping()


def oldest_age_seconds() -> float | None:
    return buffer.size().oldest_age_seconds


CHECKS: dict[str, tuple[Callable[[], None], str]] = {
    "database": (check_database, "PostgreSQL does not answer. Does it run? Is DATABASE_URL right?"),
    "buffer": (check_buffer, "Redis does not answer. Does it run? Is BUFFER_REDIS_URL right?"),
    "broker": (check_broker, "Redis does not answer. Does it run? Is REDIS_URL right?"),
}

_threads = ThreadPoolExecutor(max_workers=len(CHECKS) + 1, thread_name_prefix="health")
_running: dict[Callable[[], object], "Future[object]"] = {}


async def _outcome(name: str) -> str:
    check, advice = CHECKS[name]
    try:
        await _run(check)
    except Exception as error:
        logger.warning("Not ready: %s: %s", name, error or type(error).__name__)
        return advice
    return "ok"


async def _warning() -> str | None:
    try:
        age = await _run(oldest_age_seconds)
    except Exception:
        return None  # the checks say what is wrong
    if not isinstance(age, float) or age <= OLD_SECONDS:
        return None
    return f"Events have waited {age:.0f} s to be stored: see that a flush worker and beat run."


async def _run(check: Callable[[], object]) -> object:
    """One run of a check at a time, however many ask: a service that hangs takes one thread, not all."""
    future = _running.get(check)
    if future is None or future.done():
        future = _running[check] = _threads.submit(_attempt, check)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        result = await asyncio.shield(asyncio.wrap_future(future))
    if isinstance(result, Exception):
        raise result
    return result


def _attempt(check: Callable[[], object]) -> object:
    """What it returns or raises: by then nobody may be waiting any more, and asyncio would complain of that."""
    try:
        return check()
    except Exception as error:
        return error


@cache
def _client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
