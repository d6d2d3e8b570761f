"""The live page. Its first paint has the numbers of now; from then on it follows the feed."""

from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.template.defaultfilters import filesizeformat
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.models import Scope
from access.pages import needs, reach
from ingest import feed, progress
from ingest.progress import Progress
from monitor import history

UNKNOWN = "–"
HISTORY_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the service as people read it; `name` is what the page's scripts call it."""

    name: str
    label: str
    value: str
    note: str = ""


@never_cache
@require_safe
@needs(Scope.READ)
def page(request: HttpRequest) -> HttpResponse:
    streams = reach(request).streams
    context = {
        "figures": figures(streams is None),
        "history": _history(streams),
        "login_url": resolve_url(settings.LOGIN_URL),
    }
    return render(request, "monitor/live.html", context)


def figures(of_all: bool) -> list[Figure]:
    """What the `stats` frames tell from then on. UNKNOWN are those of a store that is away, and all to those who may
    not read all streams.
    """
    stored = _progress() if of_all else None
    return [
        Figure("rate", "Events/s", UNKNOWN),
        Figure("received", "Received", _number(_received() if of_all else None)),
        Figure("stored", "Stored", _number(stored.stored if stored else None)),
        Figure("buffered", "Buffered", _number(stored.buffered_events if stored else None), _waiting(stored)),
        Figure("dead", "Dead letters", _number(stored.dead if stored else None)),
        Figure("duplicates", "Duplicates", _number(stored.duplicates if stored else None)),
        Figure("lag", "Lag p50 / p99", _lag(stored), "ms"),
    ]


def _received() -> int | None:
    try:
        return feed.position().seq
    except redis.RedisError:
        return None


def _progress() -> Progress | None:
    try:
        return progress.read()
    except (redis.RedisError, DatabaseError):
        return None


def _history(streams: frozenset[str] | None) -> history.History | None:
    try:
        return history.read(HISTORY_MINUTES, streams)
    except DatabaseError:
        return None


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.0f}"


def _waiting(stored: Progress | None) -> str:
    if stored is None:
        return ""
    age = "" if stored.oldest_age_seconds is None else f", {stored.oldest_age_seconds:.1f} s old"
    return f"{filesizeformat(stored.buffered_bytes)}{age}"


def _lag(stored: Progress | None) -> str:
    quantiles = (stored.lag_p50_ms, stored.lag_p99_ms) if stored else (None, None)
    return " / ".join(_number(value) for value in quantiles)
