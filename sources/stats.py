"""Figures of all that is stored, cached in Redis.

Keys in REDIS_URL, by how far the asker's permission goes (R, a hash of that):

    {dh:stats}:version    string  goes up with each change of sources, records and runs
    {dh:stats}:sources:R  string  version + space + JSON: of sources, records and runs; good for that version alone
    {dh:stats}:top:R      string  the same of the records updated last
    {dh:stats}:events:R   string  JSON: of events, and of what others `add`; expires after EVENTS_SECONDS

They are made here because sources tell of their changes, and stand above events; other apps `add` what they have.

The version is read before the database is, so figures that a change overtook are never taken for those after it.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import orjson
import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from access.connections import connections
from access.reach import EVERYWHERE, Reach
from ingest import totals
from ingest.rendering import as_json
from sources import figures
from sources.decode import json_values

PREFIX = "{dh:stats}"
VERSION = f"{PREFIX}:version"
EXPIRY_SECONDS = 60
EVENTS_SECONDS = 5
TIMEOUT_SECONDS = 1.0

Part = Callable[[Reach, datetime], dict[str, Any]]

_added: list[Part] = []


def add(part: Part) -> None:
    """What other apps have to tell, as old as figures of events may be."""
    _added.append(part)


def read(reach: Reach = EVERYWHERE) -> dict[str, Any]:
    """No query while all of it is cached, one for each part that is not."""
    place = _place(reach)
    version, sources, events = _cached(VERSION, f"{PREFIX}:sources:{place}", f"{PREFIX}:events:{place}")
    of_sources = _of_version(sources, version)
    if of_sources is None:
        of_sources = as_json(figures.totals(reach))
        _keep(f"{PREFIX}:sources:{place}", version + b" " + of_sources, EXPIRY_SECONDS)
    if not events:
        events = as_json(_of_events(reach))
        _keep(f"{PREFIX}:events:{place}", events, EVENTS_SECONDS)
    return {**orjson.loads(of_sources), **orjson.loads(events)}


def top_records(reach: Reach = EVERYWHERE) -> list[dict[str, Any]]:
    """Those updated most recently, the newest first."""
    key = f"{PREFIX}:top:{_place(reach)}"
    version, cached = _cached(VERSION, key)
    top = _of_version(cached, version)
    if top is None:
        top = as_json(figures.top_records(reach))
        _keep(key, version + b" " + top, EXPIRY_SECONDS)
    return list(json_values.loads(top))


def forget() -> None:
    """Call when what they tell of sources, records or runs has changed; it takes effect with the commit."""
    transaction.on_commit(_forget)


def _forget() -> None:
    with suppress(redis.RedisError):  # they expire by themselves
        _client().incr(VERSION)


def _of_events(reach: Reach) -> dict[str, Any]:
    now = timezone.now()
    found = totals.read(reach.streams, now)
    for part in _added:
        found |= part(reach, now)
    return found


def _place(reach: Reach) -> str:
    if reach == EVERYWHERE:
        return "all"
    names = [None if part is None else sorted(part) for part in (reach.streams, reach.sources)]
    return hashlib.sha256(orjson.dumps(names)).hexdigest()


def _cached(*keys: str) -> list[bytes]:
    """Empty for what is not there."""
    try:
        found: Any = _client().mget(keys)
    except redis.RedisError:
        found = [None] * len(keys)
    return [text or b"" for text in found]


def _of_version(text: bytes, version: bytes) -> bytes | None:
    of, space, figures = text.partition(b" ")
    return figures if space and of == version else None


def _keep(key: str, text: bytes, seconds: int) -> None:
    with suppress(redis.RedisError):
        _client().set(key, text, ex=seconds)


def _client() -> "redis.Redis":
    return connections(settings.REDIS_URL, TIMEOUT_SECONDS)
