"""A worker that dies while it asks, waits or receives."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings

from sources import backfills
from sources.models import Run, Status
from tests.sources.kills.stage import Stage, encoded, reap, records, rows, state, stored, told
from tests.sources.kills.standing import Held, until, wait_for_no_session
from tests.sources.provider import Provider, Reply, Request, data, silent, status

pytestmark = pytest.mark.stack

UPSERT = {"kind": "upsert", "key": ["id"]}
APPEND = {"kind": "append", "stream": "orders", "key": ["id"]}
CURSOR = {"field": "at", "parameter": "since", "initial": "0"}
PAGES = {str(number): rows(10 * number - 9, 10 * number) for number in (1, 2, 3)}


def in_pages(held: Held) -> Callable[[Request], Reply]:
    """Three pages of ten; the second is held the first time."""
    first = iter([held])

    def reply(request: Request) -> Reply:
        number = request.query.get("page", "1")
        return next(first, data(PAGES[number])) if number == "2" else data(PAGES.get(number, []))

    return reply


@pytest.mark.parametrize("load", [UPSERT, APPEND], ids=["upsert", "append"])
def test_in_the_middle_of_the_second_page(stage: Stage, provider: Provider, load: dict[str, Any]) -> None:
    held = Held(provider, encoded(PAGES["2"]))
    extract = {"cursor": CURSOR, "pagination": {"kind": "page", "size": 10}}
    source = stage.source(provider.answer("/", in_pages(held)), load, extract=extract)
    run, worker = stage.begin(source)
    held.wait()
    stage.lose(worker)
    assert (state(source), records(source), stored("orders")) == ({}, [], [])
    run = stage.resume(run)
    assert (run.status, run.attempt, run.pages) == (Status.SUCCESS, 2, 4)
    assert [run.counts[name] for name in ("decoded", "inserted" if load is UPSERT else "appended")] == [30, 30]
    assert state(source) == {"cursor": 30}
    assert run.state_after == source.state
    assert (records(source) if load is UPSERT else stored("orders")) == rows(1, 30)
    assert told(source) == ({"inserted": 30} if load is UPSERT else {})
    assert [asked.query["since"] for asked in provider.asked("/")] == ["0"] * 6


def test_while_it_asks_for_a_token(stage: Stage, provider: Provider) -> None:
    token = data({"access_token": "t", "token_type": "bearer", "expires_in": 60})
    token_url = provider.on("/token", silent(provider), token)
    auth = {"kind": "oauth2", "token_url": token_url, "client_id": "us", "secret": "password"}
    url = provider.on("/", data(rows(1, 3), ETag='"x"'))
    source = stage.source(url, UPSERT, extract={"auth": auth}, secrets={"password": "s"})
    run, worker = stage.begin(source)
    until(lambda: provider.asked("/token"), "the token is asked for")
    stage.lose(worker)
    assert stage.resume(run).status == Status.SUCCESS
    assert (records(source), state(source), len(provider.asked("/"))) == (rows(1, 3), {"etag": '"x"'}, 1)
    assert told(source) == {"inserted": 3}
    again = stage.run(source)
    assert provider.asked("/")[1].headers["if-none-match"] == '"x"'
    assert (again.counts["unchanged"], told(source)) == (3, {"inserted": 3})


def test_while_it_waits_for_its_turn(stage: Stage, provider: Provider) -> None:
    extract = {"pagination": {"kind": "page", "size": 2}, "rate_limit": {"requests": 1, "seconds": 2}}
    pages = {"1": rows(1, 2), "2": rows(3, 3)}
    url = provider.answer("/", lambda request: data(pages[request.query["page"]]))
    source = stage.source(url, APPEND, extract=extract)
    run, worker = stage.begin(source)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        turns = f"{{dh:rate}}:source:{source.pk}"
        until(lambda: provider.asked("/") and float(client.lindex(turns, 0) or 0) > now(client), "it waits")
    stage.lose(worker)
    assert [asked.query["page"] for asked in provider.asked("/")] == ["1"]
    run = stage.resume(run)
    assert (run.status, run.attempt, run.pages, stored("orders")) == (Status.SUCCESS, 2, 2, rows(1, 3))


def now(client: "redis.Redis") -> float:
    seconds, microseconds = client.time()
    return float(seconds) + float(microseconds) / 1e6


def test_while_it_waits_for_another_attempt_at_a_request(stage: Stage, provider: Provider) -> None:
    url = provider.on("/", status(503, Retry_After="50"), data(rows(1, 3)))
    source = stage.source(url, APPEND, extract={"cursor": CURSOR})
    run, worker = stage.begin(source)
    until(lambda: provider.asked("/"), "it was asked to come back")
    stage.lose(worker)
    run = stage.resume(run)
    assert (run.status, run.attempt, run.statuses) == (Status.SUCCESS, 2, {"200": 1})
    assert (stored("orders"), state(source)) == (rows(1, 3), {"cursor": 3})


def test_in_one_window_of_a_backfill(stage: Stage, provider: Provider) -> None:
    start, day = datetime(2026, 11, 1, tzinfo=UTC), timedelta(days=1)
    held = Held(provider, b"[]")
    first = iter([held])

    def of_day(number: int) -> list[dict[str, Any]]:
        return rows(10 * number + 1, 10 * number + 10, at=(start + number * day).isoformat())

    def reply(request: Request) -> Reply:
        number = (datetime.fromisoformat(request.query["since"]) - start).days
        answer = data(of_day(number))
        return next(first, answer) if number == 1 else answer

    source = stage.source(provider.answer("/", reply), UPSERT, extract={"cursor": CURSOR | {"format": "iso8601"}})
    parent = backfills.begin(source, starts_at=start, ends_at=start + 3 * day, step=day)
    worker = stage.nursery.worker()
    held.wait()
    worker.kill()
    wait_for_no_session()
    child = Run.objects.get(status=Status.RUNNING)
    assert (reap(), backfills.settle()) == (1, 0)
    for run in parent.children.all():
        stage.complete(run)
    assert backfills.settle() == 1
    parent.refresh_from_db()
    child.refresh_from_db()
    assert (parent.status, parent.counts["inserted"], child.attempt) == (Status.SUCCESS, 30, 2)
    assert records(source) == [*of_day(0), *of_day(1), *of_day(2)]
    assert (state(source), told(source)) == ({}, {"inserted": 30})
