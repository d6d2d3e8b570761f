"""Celery's doors."""

from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.utils import timezone

from datasets import analyses, tasks
from datasets.models import AnalysisTask, Status
from tests.datasets.making import make_dataset
from tests.datasets.taking import store
from tests.ingest.factory import make_stream

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_clean", "snapshots_dir"),
]


def rung() -> int:
    """How often workers were called for."""
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        return int(client.llen("analyses"))


def test_a_tick_begins_again_what_was_lost_and_calls_for_workers() -> None:
    made = [make_dataset(f"d{number}").tasks.get() for number in range(3)]
    lost = timezone.now() - timedelta(seconds=analyses.LOST_SECONDS + 1)
    assert analyses.claim(lost) == made[0]
    tasks.tick()
    assert AnalysisTask.objects.filter(status=Status.PENDING).count() == rung() == 3


def test_a_tick_with_nothing_to_do_rings_nobody() -> None:
    tasks.tick()
    assert rung() == 0


def test_work_is_done_until_none_is_left(snapshots_dir: Path) -> None:
    store(make_stream(), {"n": 1})
    for name in ("one", "other"):
        make_dataset(name)
    tasks.work()
    assert set(AnalysisTask.objects.values_list("status", flat=True)) == {Status.SUCCESS}
    left = snapshots_dir / ".temp-left"
    left.mkdir()
    tasks.maintain()
    assert left.exists()
