"""How long analyses and snapshots are kept."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from datasets import snapshots
from datasets.models import OPEN, AnalysisTask, Status


def prune(now: datetime | None = None) -> int:
    """Delete tasks that ended more than ANALYSIS_RETENTION_DAYS ago; how many.

    The last successful one of each dataset and kind stays.
    """
    now = now or timezone.now()
    snapshots.prune(now)
    old = AnalysisTask.objects.filter(ended_at__lt=now - timedelta(days=settings.ANALYSIS_RETENTION_DAYS))
    latest = AnalysisTask.objects.filter(status=Status.SUCCESS).order_by("dataset_id", "kind", "-created_at")
    kept = latest.distinct("dataset_id", "kind").values("pk")
    return old.exclude(status__in=OPEN).exclude(pk__in=kept).delete()[0]
