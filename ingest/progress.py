"""How far storing has come, for people who watch."""

from dataclasses import dataclass

from django.db.models import Sum

from ingest import buffer
from ingest.models import RollupTotal


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


@dataclass(frozen=True, slots=True)
class Lag:
    """How long the last chunks took from acceptance to commit, and when the last of them was stored (Unix seconds)."""

    p50_ms: float | None
    p99_ms: float | None
    flushed_at: float | None


def read() -> Progress:
    """Raises redis.RedisError or django.db.Error when the buffer or the database is away."""
    size, lag = buffer.size(), read_lag()
    sums = RollupTotal.objects.aggregate(events=Sum("events"), duplicates=Sum("duplicates"), dead=Sum("dead"))
    return Progress(
        buffered_events=size.events,
        buffered_bytes=size.bytes,
        oldest_age_seconds=size.oldest_age_seconds,
        stored=int(sums["events"] or 0),
        duplicates=int(sums["duplicates"] or 0),
        dead=int(sums["dead"] or 0),
        lag_p50_ms=lag.p50_ms,
        lag_p99_ms=lag.p99_ms,
    )


def read_lag() -> Lag:
    """Raises redis.RedisError when the buffer is away."""
    lags = sorted(buffer.lag_samples_ms())
    return Lag(
        p50_ms=quantile(lags, 0.5),
        p99_ms=quantile(lags, 0.99),
        flushed_at=buffer.flushed_at(),
    )


def quantile(ordered: list[int], share: float) -> float | None:
    """The nearest-rank quantile of ordered samples; None without any."""
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))]) if ordered else None
