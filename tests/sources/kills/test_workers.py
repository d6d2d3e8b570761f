"""Workers as the service starts them."""

import os
import signal

import pytest

from sources import doorbell, runs
from sources.models import Run, Status, Trigger
from tests.sources.kills.stage import Stage, encoded, reap, rows, state, stored
from tests.sources.kills.standing import Held, until, wait_for_no_session
from tests.sources.kills.workers import celery_worker
from tests.sources.provider import Provider, data

pytestmark = pytest.mark.stack

APPEND = {"kind": "append", "stream": "orders", "key": ["id"]}
CURSOR = {"cursor": {"field": "at", "parameter": "since"}}


def rung_until_ended(run: Run) -> Run:
    def has_ended() -> bool:
        run.refresh_from_db()
        return run.status not in (Status.PENDING, Status.RUNNING)

    doorbell.ring()
    until(has_ended, "a worker has carried it out")
    return run


def test_a_process_of_the_celery_worker_is_killed_and_another_goes_on(stage: Stage, provider: Provider) -> None:
    held = Held(provider, encoded(rows(1, 20)))
    source = stage.source(provider.on("/", held, data(rows(1, 20))), APPEND, extract=CURSOR)
    with celery_worker():
        run = runs.request(source, Trigger.API)
        doorbell.ring()
        held.wait()
        run.refresh_from_db()
        killed = int(run.worker.rpartition(":")[2])
        os.kill(killed, signal.SIGKILL)
        assert reap() == 1
        run = rung_until_ended(run)
    assert (run.status, run.attempt, run.counts["appended"]) == (Status.SUCCESS, 2, 20)
    assert int(run.worker.rpartition(":")[2]) != killed
    assert (stored("orders"), state(source)) == (rows(1, 20), {"cursor": 20})
    wait_for_no_session()
