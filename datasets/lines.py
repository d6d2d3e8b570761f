"""Datasets and analyses as the pages show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery

from datasets import definition, words
from datasets.definition import File
from datasets.kind_forms import chosen, titles
from datasets.models import OPEN, AnalysisTask, Dataset, Status
from sources.lines import ago, in_words
from sources.models import Upload


@dataclass(frozen=True, slots=True)
class TaskLine:
    """`title` of its kind; `chosen`: the parameters that somebody gave."""

    task: AnalysisTask
    title: str
    chosen: dict[str, str]
    duration: str
    ago: str

    @property
    def is_open(self) -> bool:
        return self.task.status in OPEN

    @property
    def may_retry(self) -> bool:
        return self.task.status in (Status.FAILED, Status.CANCELLED)

    @property
    def percent(self) -> int:
        return round(self.task.progress * 100)


def task_line(task: AnalysisTask, now: datetime) -> TaskLine:
    seconds = ((task.ended_at or now) - task.started_at).total_seconds() if task.started_at else None
    since = task.ended_at or task.started_at or task.created_at
    return TaskLine(task, titles().get(task.kind, task.kind), chosen(task), in_words(seconds), ago(since, now))


@dataclass(frozen=True, slots=True)
class DatasetLine:
    """`last`: the newest analysis."""

    dataset: Dataset
    words: str
    last: TaskLine | None


def dataset_lines(datasets: Iterable[Dataset], now: datetime) -> list[DatasetLine]:
    found = list(datasets)
    last, files = _newest_tasks(found), file_names(found)
    return [
        DatasetLine(
            dataset,
            words.in_words(read(dataset), files.get(dataset.pk, "")),
            task_line(last[dataset.pk], now) if dataset.pk in last else None,
        )
        for dataset in found
    ]


def read(dataset: Dataset) -> definition.Definition:
    return definition.read(dataset.kind, dataset.definition)


def file_names(datasets: Iterable[Dataset]) -> dict[int, str]:
    """Of those that are made of a file, by the id of the dataset."""
    files: dict[int, UUID] = {
        dataset.pk: found.upload for dataset in datasets if isinstance(found := read(dataset), File)
    }
    names: dict[UUID, str] = dict(Upload.objects.filter(pk__in=files.values()).values_list("pk", "name"))
    return {pk: names[upload] for pk, upload in files.items() if upload in names}


def _newest_tasks(datasets: list[Dataset]) -> dict[int, AnalysisTask]:
    newest = AnalysisTask.objects.filter(dataset=OuterRef("pk")).order_by("-created_at").values("pk")[:1]
    of_these = Dataset.objects.filter(pk__in=[dataset.pk for dataset in datasets])
    keys: list[Any] = list(of_these.order_by().values_list(Subquery(newest), flat=True))
    tasks = AnalysisTask.objects.filter(pk__in=[key for key in keys if key]).defer("result")
    return {task.dataset_id: task for task in tasks}
