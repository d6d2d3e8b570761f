from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from datasets import retention
from datasets.models import AnalysisTask, Dataset, Status
from tests.datasets.making import make_dataset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean", "snapshots_dir")]

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def ended(dataset: Dataset, days_ago: float, status: Status = Status.SUCCESS, kind: str = "profile") -> AnalysisTask:
    at = NOW - timedelta(days=days_ago)
    return AnalysisTask.objects.create(
        dataset=dataset, dataset_version=1, kind=kind, kind_version=1, status=status, created_at=at, ended_at=at
    )


def test_old_tasks_go_and_the_last_result_of_each_dataset_and_kind_stays(settings: Settings) -> None:
    settings.ANALYSIS_RETENTION_DAYS = 7
    one, other = make_dataset("one"), make_dataset("other")
    kept = [
        *(ended(one, 20), ended(one, 25, kind="swings"), ended(other, 30)),
        *(ended(other, 6, Status.FAILED), ended(one, 400, Status.RUNNING)),
        *AnalysisTask.objects.filter(status=Status.PENDING),
    ]
    for dataset in (one, other):
        ended(dataset, 31)
        ended(dataset, 8, Status.FAILED)
        ended(dataset, 9, Status.CANCELLED)
    assert retention.prune(NOW) == 6
    assert set(AnalysisTask.objects.all()) == set(kept)
