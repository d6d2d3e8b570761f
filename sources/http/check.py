"""Trying a source's URL once, without reading what it gives."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from sources.address import Guard
from sources.definition import Http
from sources.errors import Forbidden, NotModified, SourceError, TryLater
from sources.http.budget import Budget
from sources.http.exchange import Answer
from sources.http.fetcher import Fetcher, Surroundings
from sources.http.pages import incremental_call
from sources.http.pagination import make_pager

MOST_SECONDS = 20.0
MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Report:
    """`status`: 0 without an answer. `authorised`: None if it did not come to that. `error`, `detail`: as of a run."""

    reachable: bool
    status: int
    authorised: bool | None
    content_type: str
    milliseconds: int
    error: str = ""
    detail: str = ""


def check(
    spec: Http, secrets: Mapping[str, str], guard: Guard, *, source: str, surroundings: Surroundings | None = None
) -> Report:
    """Ask for the first page, once, for at most 20 s. What goes wrong stands in the report."""
    statuses = [0]
    started = time.perf_counter()
    content_type, authorised, error, detail = "", None, "", ""
    try:
        content_type = _ask(spec, secrets, guard, source, surroundings or Surroundings(), statuses).body.content_type
        authorised = True
    except Forbidden as refused:
        authorised, error, detail = False, refused.code, str(refused)
    except SourceError as failure:
        error, detail = failure.code, str(failure)
    except TryLater as later:
        error, detail = "try_later", str(later)
    except NotModified:
        authorised = True
    milliseconds = round((time.perf_counter() - started) * 1000)
    return Report(statuses[-1] > 0, statuses[-1], authorised, content_type, milliseconds, error, detail)


def _ask(
    spec: Http, secrets: Mapping[str, str], guard: Guard, source: str, around: Surroundings, statuses: list[int]
) -> Answer:
    fetcher = Fetcher(
        replace(spec, attempts=1),
        budget=Budget(around.clock() + MOST_SECONDS, MOST_BYTES, around.clock),
        secrets=secrets,
        guard=guard,
        on_request=lambda url, status, size, seconds: statuses.append(status),
        source=source,
        surroundings=around,
        read_body=False,
    )
    try:
        return fetcher.fetch(make_pager(spec.pagination).first(incremental_call(spec, {}, None)))
    finally:
        fetcher.close()
