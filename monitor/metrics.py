"""What Prometheus is told. The numbers are of the whole service, whichever web process is asked."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any

from django.db import connection
from django.db.models import Sum
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from ingest import buffer, counters, progress
from ingest.models import DeadLetter, RollupTotal
from monitor import health, probes

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 3.0
PREFIX = "data_handler_"

COUNTS = (
    ("accepted_events", "Events acknowledged with 202 or 200.", ()),
    ("rejected_events", "Events of readable requests that were refused, by reason.", ("code",)),
    ("requests", "Answered requests that send events.", ("status",)),
    ("refused_requests", "Requests that send events and were answered with an error.", ("code",)),
    ("websocket_omitted", "Events counted, not shown, to clients of the live feed.", ()),
    ("websocket_gaps", "Gap frames sent to clients of the live feed.", ("reason",)),
    ("websocket_slow_closes", "Clients of the live feed closed because they did not read.", ()),
)
GAUGES = (("websocket_clients", "Clients of the live feed."),)


class Scrape(Collector):
    """What was found at one request. What could not be asked is left out, and `ready` is 0 for its cause."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


async def scrape() -> Scrape:
    """Takes TIMEOUT_SECONDS at most."""
    found, metrics = await asyncio.gather(health.examine(), asyncio.gather(*(_ask(*source) for source in SOURCES)))
    return Scrape([_readiness(found), *(metric for part in metrics for metric in part)])


async def _ask(read: Callable[[], Any], metrics_of: Callable[[Any], Iterator[Metric]]) -> list[Metric]:
    try:
        return list(metrics_of(await probes.run(read, TIMEOUT_SECONDS)))
    except Exception as error:
        logger.warning("Some metrics cannot be told now: %s", str(error) or type(error).__name__)
        return []


def _readiness(found: health.Health) -> Metric:
    metric = GaugeMetricFamily(PREFIX + "ready", "1 when this part is well, as /health/ready sees it.", labels=["part"])
    for part, outcome in found.checks.items():
        metric.add_metric([part], float(outcome == "ok"))
    for part in health.WARNINGS if found.ready else ():
        metric.add_metric([part], float(part not in found.warnings))
    return metric


def _of_counters(reading: counters.Reading) -> Iterator[Metric]:
    for name, text, labels in COUNTS:
        metric = CounterMetricFamily(PREFIX + name, text, labels=labels)
        found = {key: n for key, n in reading.counts.items() if key[0] == name}
        for (_, values), n in (found or ({} if labels else {(name, ()): 0})).items():
            metric.add_metric([value for _, value in values], n)
        yield metric
    for name, text in GAUGES:
        yield GaugeMetricFamily(PREFIX + name, text, value=reading.gauges.get((name, ()), 0))
    yield _histogram("flush", "Transactions that store events, from lock to commit and clearing the buffer.", reading)


def _histogram(name: str, text: str, reading: counters.Reading) -> Metric:
    bounds = [*map(str, counters.BUCKETS_SECONDS), "+Inf"]
    sums = accumulate(reading.counts.get((f"{name}_seconds", (("le", bound),)), 0) for bound in bounds)
    microseconds = reading.counts.get((f"{name}_microseconds", ()), 0)
    buckets = [(bound, float(n)) for bound, n in zip(bounds, sums, strict=True)]
    return HistogramMetricFamily(f"{PREFIX}{name}_seconds", text, buckets=buckets, sum_value=microseconds / 1e6)


def read_stored() -> dict[str, int]:
    columns = ("events", "bytes", "duplicates", "dead")
    try:
        sums = RollupTotal.objects.aggregate(**{column: Sum(column) for column in columns})
        return {**{column: int(sums[column] or 0) for column in columns}, "letters": DeadLetter.objects.count()}
    finally:
        connection.close()


def _of_stored(stored: dict[str, int]) -> Iterator[Metric]:
    yield CounterMetricFamily(PREFIX + "stored_events", "Events in PostgreSQL, ever.", value=stored["events"])
    yield CounterMetricFamily(PREFIX + "stored_bytes", "Bytes of their payloads as sent.", value=stored["bytes"])
    yield CounterMetricFamily(
        PREFIX + "duplicate_events", "Events not stored again, for their key.", value=stored["duplicates"]
    )
    yield GaugeMetricFamily(
        PREFIX + "dead_events", "Events PostgreSQL refused, less those replayed or discarded.", value=stored["dead"]
    )
    yield GaugeMetricFamily(
        PREFIX + "dead_letters", "Dead letters that wait for replay or discard.", value=stored["letters"]
    )


def _of_buffer(size: buffer.Size) -> Iterator[Metric]:
    yield GaugeMetricFamily(PREFIX + "buffered_events", "Accepted events that wait to be stored.", value=size.events)
    yield GaugeMetricFamily(PREFIX + "buffered_bytes", "Their bytes in the buffer.", value=size.bytes)
    yield GaugeMetricFamily(
        PREFIX + "buffered_oldest_seconds", "How long the oldest has waited.", value=size.oldest_age_seconds or 0.0
    )


def _of_lag(lag: progress.Lag) -> Iterator[Metric]:
    metric = GaugeMetricFamily(
        PREFIX + "lag_seconds", "From acceptance to commit, of the last 1,000 chunks.", labels=["quantile"]
    )
    for quantile, milliseconds in (("0.5", lag.p50_ms), ("0.99", lag.p99_ms)):
        if milliseconds is not None:
            metric.add_metric([quantile], milliseconds / 1000)
    yield metric


SOURCES: tuple[tuple[Callable[[], Any], Callable[[Any], Iterator[Metric]]], ...] = (
    (counters.read, _of_counters),
    (read_stored, _of_stored),
    (buffer.size, _of_buffer),
    (progress.read_lag, _of_lag),
)
