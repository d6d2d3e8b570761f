"""How long runs, their logs and unused uploads are kept."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from sources import uploads
from sources.models import OPEN, Run


def prune(now: datetime | None = None) -> int:
    """Delete runs, with their logs, that ended more than SOURCES_RUN_RETENTION_DAYS ago; how many.

    The last run of each source stays. So do records, whatever run wrote them.
    """
    now = now or timezone.now()
    uploads.prune(now)
    old = Run.objects.filter(ended_at__lt=now - timedelta(days=settings.SOURCES_RUN_RETENTION_DAYS))
    latest = Run.objects.order_by("source", "-created_at").distinct("source").values("pk")
    _, deleted = old.exclude(status__in=OPEN).exclude(pk__in=latest).delete()
    return deleted.get("sources.Run", 0)
