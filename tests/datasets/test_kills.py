"""Workers that are killed in the middle of an analysis."""

import os
import signal
from collections.abc import Iterator
from datetime import timedelta

import psutil
import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django import Settings

from datasets import analyses, doorbell, execution, parameters
from datasets.models import OPEN, AnalysisTask, Dataset, Status
from ingest.flush import flush
from ingest.models import Event
from tests.datasets.making import make_dataset
from tests.datasets.uploading import make_upload
from tests.sources.kills.standing import until, wait_for_no_session
from tests.sources.kills.workers import celery_worker

pytestmark = [
    pytest.mark.stack,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_clean"),
]

ODD = "tests.datasets.odd_kinds"
CHILD = "datasets.engine.analyse"


@pytest.fixture
def task(settings: Settings) -> AnalysisTask:
    """It takes two seconds; the snapshot is there."""
    settings.DATASETS_EXTRA_KINDS = [ODD]
    dataset = make_dataset("prices", "upload", upload=str(make_upload().pk))
    execution.work(30)
    kind = parameters.kind_of("odd")
    return analyses.request(dataset, kind, parameters.read(kind, {"seconds": 2.0})).task


@pytest.fixture
def workers() -> Iterator[None]:
    yield
    wait_for_no_session()


def start() -> psutil.Process:
    """A worker that carries out what is asked for, in the middle of an analysis: the process of that."""
    doorbell.ring()
    until(children, "an analysis is under way")
    return children()[0]


def children() -> list[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    return [process for process in found if lives(process) and CHILD in process.cmdline()]


def lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def reap() -> int:
    return analyses.reap(timezone.now() + timedelta(seconds=analyses.LOST_SECONDS + 1))


def ended(task: AnalysisTask) -> AnalysisTask:
    def has_ended() -> bool:
        task.refresh_from_db()
        return task.status not in OPEN

    doorbell.ring()
    until(has_ended, "a worker has carried it out", 40)
    return task


def worker_of(task: AnalysisTask) -> int:
    task.refresh_from_db()
    return int(task.worker.rpartition(":")[2])


def test_the_process_that_analyses_for_a_killed_worker_dies_and_another_worker_begins_again(
    task: AnalysisTask, workers: None
) -> None:
    snapshots = sorted(path.name for path in django_settings.SNAPSHOTS_DIR.glob(f"{task.dataset_id}-*"))
    with celery_worker("analyses", DATASETS_EXTRA_KINDS=ODD):
        child = start()
        killed = worker_of(task)
        os.kill(killed, signal.SIGKILL)
        until(lambda: not lives(child), "the analysis has died with its worker")
        assert reap() == 1
        done = ended(task)
    assert (done.status, done.attempt) == (Status.SUCCESS, 2)
    assert done.result is not None
    assert [one["id"] for one in done.result["snapshots"]] == [one["id"] for one in done.snapshots]
    assert worker_of(done) != killed
    assert sorted(path.name for path in django_settings.SNAPSHOTS_DIR.glob(f"{task.dataset_id}-*")) == snapshots
    flush()
    told = Event.objects.filter(stream__name="analyses", payload__task=str(task.pk)).order_by("id")
    assert [type for type in told.values_list("type", flat=True) if type != "running"] == [
        *("pending", "pending", "success"),
    ]


def test_an_analysis_that_is_killed_alone_fails_and_its_worker_goes_on(task: AnalysisTask, workers: None) -> None:
    with celery_worker("analyses", DATASETS_EXTRA_KINDS=ODD):
        start().kill()
        failed = ended(task)
        assert (failed.status, failed.error, failed.attempt) == (Status.FAILED, "crashed", 1)
        dataset = Dataset.objects.get()
        kind = parameters.kind_of("schema")
        done = ended(analyses.request(dataset, kind, {}, fresh=True).task)
    assert (done.status, worker_of(done)) == (Status.SUCCESS, worker_of(failed))
