"""Whole analyses: from a dataset to a result, and what is left behind."""

import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from datasets import analyses, execution, parameters
from datasets.execution import Execution
from datasets.models import AnalysisTask, Dataset, Status
from ingest.flush import flush
from ingest.models import Event
from sources import uploads
from tests.datasets.making import make_dataset
from tests.datasets.uploading import make_upload

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Of snapshots."""
    settings.DATASETS_EXTRA_KINDS = ["tests.datasets.odd_kinds"]
    settings.SNAPSHOTS_DIR = tmp_path / "snapshots"
    return tmp_path / "snapshots"


@pytest.fixture
def dataset() -> Dataset:
    """Three rows of a file; what it has is found out already."""
    made = make_dataset("prices", "upload", upload=str(make_upload().pk))
    assert execution.work(30) == 1
    return made


def analyse(dataset: Dataset, kind: str = "odd", other: Dataset | None = None, **given: Any) -> AnalysisTask:
    chosen = parameters.kind_of(kind)
    read = parameters.read(chosen, {**given, **({"other": other.pk} if other else {})})
    asked = analyses.request(dataset, chosen, read, other=other)
    claimed = analyses.claim()
    assert claimed == asked.task
    Execution(claimed).perform()
    return AnalysisTask.objects.get(pk=claimed.pk)


def left(folder: Path) -> list[str]:
    """What is there beside whole snapshots."""
    return [path.name for path in folder.iterdir() if not path.name[0].isdigit()]


def test_a_new_dataset_gets_to_know_its_rows_and_columns(dataset: Dataset, folder: Path, api: Client) -> None:
    shown = api.get(f"/api/datasets/{dataset.pk}/").json()
    assert shown["rows"] == 3
    assert [column["name"] for column in shown["columns"]] == ["id", "name", "price"]
    assert shown["snapshot_at"]
    task = dataset.tasks.get()
    assert (task.status, task.progress, task.step, task.error) == (Status.SUCCESS, 1.0, "", "")
    [snapshot] = task.snapshots
    assert (snapshot["dataset"], snapshot["dataset_version"], snapshot["rows"]) == (dataset.pk, 1, 3)
    assert task.result is not None
    [described] = task.result["snapshots"]
    assert described == {**snapshot, "columns": shown["columns"]}
    sample = api.get(f"/api/datasets/{dataset.pk}/sample/?limit=2").json()
    assert [row[1] for row in sample["rows"]] == ["apple", "pear"]
    assert left(folder) == []


def test_a_result_is_kept_as_json_can_be(dataset: Dataset) -> None:
    task = analyse(dataset)
    assert task.status == Status.SUCCESS, task.detail
    assert task.result is not None
    assert task.result["data"] == {"padding": "", "odd": "a\N{REPLACEMENT CHARACTER}b", "nan": None}
    assert (task.result["kind"], task.result["version"]) == ("odd", 1)


def test_two_datasets_are_two_tables(dataset: Dataset) -> None:
    other = make_dataset("other", "upload", upload=str(make_upload(b"id\n7\n", "o.csv").pk))
    assert execution.work(30) == 1
    task = analyse(dataset, "pair", other)
    assert task.result is not None
    assert task.result["data"] == {"data": 3, "other": 1}
    assert [one["dataset"] for one in task.snapshots] == [dataset.pk, other.pk]


def test_what_was_computed_is_not_computed_again(dataset: Dataset) -> None:
    done = analyse(dataset)
    kind = parameters.kind_of("odd")
    assert analyses.request(dataset, kind, parameters.read(kind, {})) == (done, False)
    assert analyses.request(dataset, kind, parameters.read(kind, {"seconds": 0.1})).is_new


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"fails": "refuses"}, "refused", "There is no column 'a\N{REPLACEMENT CHARACTER}b'."),
        ({"fails": "breaks"}, "crashed", "the log of its worker has the details"),
        ({"fails": "fills the memory"}, "memory_limit", "ANALYSIS_MAX_MEMORY_MB"),
        ({"seconds": 60.0}, "time_limit", "ANALYSIS_MAX_SECONDS"),
        ({"mebibytes": 16}, "result_too_large", "ask for fewer columns"),
    ],
)
def test_whatever_happens_is_an_end_of_the_task(
    dataset: Dataset, folder: Path, settings: Settings, given: dict[str, Any], error: str, said: str
) -> None:
    settings.ANALYSIS_MAX_MEMORY_BYTES = 300 << 20
    settings.ANALYSIS_MAX_SECONDS = 3.0 if "seconds" in given else 60.0
    task = analyse(dataset, **given)
    assert (task.status, task.error, task.result) == (Status.FAILED, error, None)
    assert said in task.detail
    assert left(folder) == []


def test_a_dataset_whose_file_is_gone_says_so(dataset: Dataset, folder: Path) -> None:
    kind = parameters.kind_of("odd")
    analyses.request(dataset, kind, parameters.read(kind, {}))
    shutil.rmtree(folder)
    uploads.delete(dataset.definition["upload"])
    task = analyses.claim()
    assert task is not None
    assert Execution(task).perform() == Status.FAILED
    assert (task.error, task.detail[:37]) == ("snapshot_failed", "The uploaded file of this dataset is ")


def test_a_running_task_is_cancelled_within_seconds(dataset: Dataset, folder: Path) -> None:
    kind = parameters.kind_of("odd")
    asked = analyses.request(dataset, kind, parameters.read(kind, {"seconds": 60.0})).task

    def cancel() -> None:
        analyses.cancel(asked)
        connection.close()

    timer = threading.Timer(0.5, cancel)
    begun_at = time.monotonic()
    timer.start()
    assert execution.work(30) == 1
    timer.join()
    asked.refresh_from_db()
    assert (asked.status, asked.result) == (Status.CANCELLED, None)
    assert time.monotonic() - begun_at < 10
    assert left(folder) == []


def test_who_watches_sees_how_it_goes(dataset: Dataset) -> None:
    task = analyse(dataset, seconds=2.5)
    flush()
    told = [
        (event.type, event.payload["progress"])
        for event in Event.objects.filter(stream__name="analyses").order_by("id")
        if event.payload["task"] == str(task.pk)
    ]
    assert told == [("pending", 0.0), ("running", 0.0), ("running", 0.75), ("success", 1.0)]
    [event] = Event.objects.filter(stream__name="analyses", payload__task=str(task.pk), type="success")
    assert (event.payload["dataset"], event.payload["kind"]) == (dataset.pk, "odd")
    assert "step" not in event.payload  # it may name what the data is about
