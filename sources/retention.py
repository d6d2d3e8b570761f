"""How long runs, their logs and unused uploads are kept."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from sources import uploads
from sources.models import OPEN, Run


def prune(now: datetime | None = None) -> int:
    """Delete runs, with their logs, that ended more than SOURCES_RUN_RETENTION_DAYS ago; how many.

    The last run of each source stays, and a backfill as long as one of its windows does. So do records, whatever run
    wrote them.
    """
    now = now or timezone.now()
    uploads.prune(now)
    old = Run.objects.filter(ended_at__lt=now - timedelta(days=settings.SOURCES_RUN_RETENTION_DAYS))
    latest = Run.objects.order_by("source_id", "-created_at").distinct("source_id").values("pk")
    gone = old.exclude(status__in=OPEN).exclude(pk__in=latest)
    windows_that_stay = Run.objects.filter(parent=OuterRef("pk")).exclude(pk__in=gone.values("pk"))
    _, deleted = gone.exclude(Exists(windows_that_stay)).delete()
    return deleted.get("sources.Run", 0)
