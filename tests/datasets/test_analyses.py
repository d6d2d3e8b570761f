"""The life of analysis tasks, without carrying one out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from datasets import analyses, parameters, saving
from datasets.analyses import Asked
from datasets.models import AnalysisTask, Dataset, Status
from tests.datasets.making import make_dataset

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LOST = timedelta(seconds=analyses.LOST_SECONDS + 1)


@pytest.fixture
def dataset() -> Dataset:
    """Nothing is asked of it yet."""
    made = make_dataset()
    made.tasks.all().delete()
    return made


def request(dataset: Dataset, kind: str = "schema", **options: Any) -> Asked:
    return analyses.request(dataset, parameters.kind_of(kind), {}, now=NOW, **options)


def claimed(now: datetime = NOW) -> AnalysisTask:
    task = analyses.claim(now)
    assert task is not None
    return task


def succeed(task: AnalysisTask) -> AnalysisTask:
    assert analyses.finish(task, Status.SUCCESS, now=NOW, result={"data": 1}, cache_key=task.cache_key)
    return task


def test_a_new_dataset_is_looked_at_at_once() -> None:
    [task] = make_dataset().tasks.all()
    assert (task.kind, task.status, task.dataset_version, task.created_by) == ("schema", Status.PENDING, 1, "ana")


def test_who_asks_for_the_same_gets_the_same_task(dataset: Dataset) -> None:
    first, second = request(dataset), request(dataset, fresh=True)
    assert (first.is_new, second) == (True, Asked(first.task, False))
    claimed()
    assert request(dataset).task == first.task


def test_many_who_ask_for_the_same_at_once_get_one_task(dataset: Dataset) -> None:
    def ask(number: int) -> Asked:
        try:
            return request(dataset, fresh=bool(number % 2))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        asked = list(pool.map(ask, range(12)))
    assert [one.is_new for one in asked].count(True) == 1
    assert len({one.task.pk for one in asked}) == 1


def test_a_result_is_used_again_unless_a_fresh_one_is_wanted(dataset: Dataset) -> None:
    request(dataset)
    done = succeed(claimed())
    assert request(dataset) == Asked(done, False)
    fresh = request(dataset, fresh=True)
    assert fresh.is_new
    assert fresh.task != done


def test_a_changed_dataset_has_results_of_its_own(dataset: Dataset) -> None:
    request(dataset)
    done = succeed(claimed())
    changed = saving.change(dataset, {"definition": {"streams": ["others"]}})
    assert changed.task
    assert (changed.task.dataset_version, changed.task.status) == (2, Status.PENDING)
    assert request(changed.dataset).task != done


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
def test_what_went_wrong_is_no_result(dataset: Dataset, status: Status) -> None:
    first = request(dataset).task
    analyses.finish(claimed(), status, now=NOW)
    again = request(dataset)
    assert (again.is_new, again.task == first) == (True, False)


def test_a_task_that_is_about_to_be_cancelled_is_not_waited_for(dataset: Dataset) -> None:
    first = request(dataset).task
    claimed()
    analyses.cancel(first)
    assert request(dataset).is_new


def test_the_task_that_waited_longest_is_first_and_none_is_claimed_twice() -> None:
    made = [make_dataset(f"d{number}").tasks.get().pk for number in range(12)]

    def take() -> list[UUID]:
        try:
            found = []
            while (task := analyses.claim(NOW)) is not None:
                found.append(task.pk)
            return found
        finally:
            connection.close()

    assert claimed().pk == made[0]
    with ThreadPoolExecutor(4) as pool:
        found = [pk for part in [pool.submit(take) for _ in range(4)] for pk in part.result()]
    assert sorted(found) == sorted(made[1:])


def test_a_task_whose_worker_died_is_begun_again_and_given_up_in_the_end(dataset: Dataset) -> None:
    request(dataset)
    now = NOW
    for attempt in range(1, analyses.MOST_ATTEMPTS + 1):
        task = claimed(now)
        assert (task.attempt, task.started_at) == (attempt, NOW)
        assert analyses.reap(now + LOST / 2) == 0
        now += LOST
        assert analyses.reap(now) == 1
    task.refresh_from_db()
    assert (task.status, task.error, task.ended_at) == (Status.FAILED, "worker_lost", now)
    assert analyses.claim(now) is None


def test_a_beating_task_is_not_lost(dataset: Dataset) -> None:
    request(dataset)
    task = claimed()
    assert analyses.beat(task, NOW + LOST, progress=0.25, step="half a half")
    assert analyses.reap(NOW + LOST) == 0
    task.refresh_from_db()
    assert (task.progress, task.step) == (0.25, "half a half")


def test_an_attempt_that_was_given_up_cannot_end_the_task(dataset: Dataset) -> None:
    request(dataset)
    first = claimed()
    analyses.reap(NOW + LOST)
    second = claimed(NOW + LOST)
    assert not analyses.beat(first)
    assert not analyses.finish(first, Status.SUCCESS, result={"data": "late"})
    assert analyses.finish(second, Status.SUCCESS, result={"data": "right"})
    assert not analyses.finish(first, Status.FAILED)
    second.refresh_from_db()
    assert (second.status, second.result, second.attempt) == (Status.SUCCESS, {"data": "right"}, 2)


def test_a_pending_task_is_cancelled_at_once_and_a_running_one_at_its_next_beat() -> None:
    one, other = (make_dataset(name).tasks.get() for name in ("one", "other"))
    running = claimed()
    assert running == one
    assert analyses.cancel(other, NOW).status == Status.CANCELLED
    assert analyses.cancel(running).status == Status.RUNNING
    assert not analyses.beat(running)
    analyses.finish(running, Status.CANCELLED)
    assert analyses.cancel(running).status == Status.CANCELLED
    assert analyses.claim() is None


def test_a_cancelled_task_whose_worker_died_is_cancelled(dataset: Dataset) -> None:
    task = request(dataset).task
    claimed()
    analyses.cancel(task)
    assert analyses.reap(NOW + LOST) == 1
    task.refresh_from_db()
    assert (task.status, task.error) == (Status.CANCELLED, "")


def test_a_task_of_a_deleted_dataset_is_gone_for_who_carries_it_out(dataset: Dataset) -> None:
    request(dataset)
    task = claimed()
    saving.delete(dataset)
    assert not analyses.beat(task)
    assert not analyses.finish(task, Status.SUCCESS, result={})
