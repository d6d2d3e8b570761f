"""Health: does this process answer, and could it do its work."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.connections import connections
from ingest import buffer
from monitor import heartbeat, probes

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 1.0
OLD_SECONDS = 60.0
SILENT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Health:
    """`checks`: of each part that accepting events needs, "ok" or what to do. `warnings`: what else is amiss."""

    checks: dict[str, str]
    warnings: dict[str, str]

    @property
    def ready(self) -> bool:
        return set(self.checks.values()) == {"ok"}

    @property
    def status(self) -> str:
        if not self.ready:
            return "unready"
        return "degraded" if self.warnings else "ok"


@never_cache
@require_safe
async def live(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
async def ready(request: HttpRequest) -> JsonResponse:
    """200 when database, buffer and broker answer within TIMEOUT_SECONDS, else 503 saying which does not.

    That storing lags is a warning and still 200: this process takes events in, and no other would store them sooner.
    """
    health = await examine()
    body = {"status": health.status, "checks": health.checks, "warnings": health.warnings}
    return JsonResponse(body, status=200 if health.ready else 503)


async def examine() -> Health:
    """Ask everything at once; at most TIMEOUT_SECONDS."""
    outcomes, warnings = await asyncio.gather(
        asyncio.gather(*(_outcome(name) for name in CHECKS)), asyncio.gather(*(_warning(name) for name in WARNINGS))
    )
    return Health(
        checks=dict(zip(CHECKS, outcomes, strict=True)),
        warnings={name: text for name, text in zip(WARNINGS, warnings, strict=True) if text},
    )


def check_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def check_buffer() -> None:
    connections(settings.BUFFER_REDIS_URL, TIMEOUT_SECONDS).ping()


def check_broker() -> None:
    connections(settings.REDIS_URL, TIMEOUT_SECONDS).ping()


def storing_lags() -> str | None:
    age_seconds = buffer.size().oldest_age_seconds or 0.0
    if age_seconds <= OLD_SECONDS:
        return None
    return f"Events have waited {age_seconds:.0f} s to be stored: see that a flush worker and beat run."


def beat_is_silent() -> str | None:
    silent_seconds = heartbeat.silent_seconds()
    if silent_seconds <= SILENT_SECONDS:
        return None
    return f"Nothing was heard of beat for {silent_seconds:.0f} s: see that beat and a notify worker run."


CHECKS: dict[str, tuple[Callable[[], None], str]] = {
    "database": (check_database, "PostgreSQL does not answer. Does it run? Is DATABASE_URL right?"),
    "buffer": (check_buffer, "Redis does not answer. Does it run? Is BUFFER_REDIS_URL right?"),
    "broker": (check_broker, "Redis does not answer. Does it run? Is REDIS_URL right?"),
}
WARNINGS: dict[str, Callable[[], str | None]] = {"storing": storing_lags, "beat": beat_is_silent}


async def _outcome(name: str) -> str:
    check, advice = CHECKS[name]
    try:
        await probes.run(check, TIMEOUT_SECONDS)
    except Exception as error:
        logger.warning("Not ready: %s: %s", name, str(error) or type(error).__name__)
        return advice
    return "ok"


async def _warning(name: str) -> str | None:
    try:
        warning: str | None = await probes.run(WARNINGS[name], TIMEOUT_SECONDS)
    except Exception:
        return None  # the checks say what is wrong
    return warning
