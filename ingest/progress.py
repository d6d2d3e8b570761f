"""How far storing has come, for people who watch."""

from dataclasses import dataclass

from django.db.models import Sum

from ingest import buffer
from ingest.models import RollupMinute


@dataclass(frozen=True, slots=True)
class Progress:
    """What waits, what was done since the beginning, and how long the last chunks took from acceptance to commit."""

    buffered_events: int
    buffered_bytes: int
    oldest_age_seconds: float | None
    stored: int
    duplicates: int
    dead: int
    lag_p50_ms: float | None
    lag_p99_ms: float | None


def read() -> Progress:
    """Raises redis.RedisError or django.db.Error when the buffer or the database is away."""
    size, lags = buffer.size(), sorted(buffer.lag_samples_ms())
    sums = RollupMinute.objects.aggregate(events=Sum("events"), duplicates=Sum("duplicates"), dead=Sum("dead"))
    return Progress(
        buffered_events=size.events,
        buffered_bytes=size.bytes,
        oldest_age_seconds=size.oldest_age_seconds,
        stored=int(sums["events"] or 0),
        duplicates=int(sums["duplicates"] or 0),
        dead=int(sums["dead"] or 0),
        lag_p50_ms=quantile(lags, 0.5),
        lag_p99_ms=quantile(lags, 0.99),
    )


def quantile(ordered: list[int], share: float) -> float | None:
    """The nearest-rank quantile of ordered samples; None without any."""
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))]) if ordered else None
