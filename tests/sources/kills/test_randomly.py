"""A source with pages and a cursor whose worker is killed at any moment, again and again."""

import random
import time
from typing import Any

import pytest

from sources import runs
from sources.models import Run, Source, Status, Trigger
from tests.sources.kills.stage import Stage, reap, records, state, stored, told
from tests.sources.kills.standing import wait_for_no_session
from tests.sources.provider import Handler, Provider, Reply, Request, data

pytestmark = pytest.mark.stack

KILLS = 6
SIZE = 20
LOADS = {"upsert": {"kind": "upsert", "key": ["id"]}, "append": {"kind": "append", "stream": "orders", "key": ["id"]}}


class Shop:
    """Rows in the order of `at`, more of them with each day; half of a day's change what was there."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.log: list[dict[str, Any]] = []

    def new_day(self) -> None:
        for _ in range(100):
            at = len(self.log) + 1
            self.log.append({"id": at if at % 2 else self._rng.randint(1, at), "at": at})

    def latest(self) -> list[dict[str, Any]]:
        return sorted({row["id"]: row for row in self.log}.values(), key=lambda row: int(row["id"]))

    def reply(self, request: Request) -> Reply:
        since, page = int(request.query["since"]), int(request.query["page"])
        found = [row for row in self.log if row["at"] >= since]

        def reply(handler: Handler) -> None:
            time.sleep(self._rng.uniform(0, 0.04))
            data(found[(page - 1) * SIZE : page * SIZE])(handler)

        return reply


@pytest.mark.parametrize("kind", LOADS)
def test_whatever_the_moment_nothing_is_twice_and_nothing_is_skipped(
    stage: Stage, provider: Provider, kind: str
) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    shop = Shop(random.Random(seed))
    extract = {
        "cursor": {"field": "at", "parameter": "since", "initial": "0"},
        "pagination": {"kind": "page", "size": SIZE},
    }
    source = stage.source(provider.answer("/", shop.reply), LOADS[kind], extract=extract)
    for number in range(KILLS):
        if number % 2 == 0:
            shop.new_day()
        request_if_none(source)
        worker = stage.nursery.worker()
        time.sleep(rng.uniform(0, 0.5))
        worker.kill()
        wait_for_no_session()
        reap()
    complete(stage, source)
    assert state(source) == {"cursor": len(shop.log)}
    if kind == "upsert":
        assert records(source) == shop.latest()
        assert told(source).get("inserted", 0) <= len(shop.latest())
    else:
        assert sorted(stored("orders"), key=lambda row: int(row["at"])) == shop.log
    assert set(Run.objects.values_list("status", flat=True)) <= {Status.SUCCESS, Status.FAILED}


def request_if_none(source: Source) -> None:
    if not source.runs.filter(status__in=(Status.PENDING, Status.RUNNING)).exists():
        runs.request(source, Trigger.HAND)


def complete(stage: Stage, source: Source) -> None:
    """What is under way, and one run more: the last days may have come after its pages."""
    for _ in range(2):
        request_if_none(source)
        run = source.runs.get(status=Status.PENDING)
        assert stage.complete(run).status == Status.SUCCESS
