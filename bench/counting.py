"""(o) `/api/stats/`: made anew and from the cache, against an empty view of Django under the same Daphne."""

from collections.abc import Iterator

import redis

from bench.aggregating import PROGRAM as FILL
from bench.asking import asking
from bench.figures import Finding, quantile, spread
from bench.stack import Stack, in_service
from bench.workers import forget

QUERIES = "from bench.figure_queries import main; main()"
PATH = "/api/stats/"
EMPTY_PATH = "/empty/"
NAIVE_SETTINGS = "bench.naive.settings"
REPEATS = 300
COLD_REPEATS = 30
CACHED = "{dh:stats}*"  # the keys of sources.stats
MOST_QUERIES = 3
MOST_RATIO = 5.0


def measure_stats(stack: Stack, records: int) -> Iterator[Finding]:
    finding = Finding("o", f"/api/stats/ of {records:,} records")
    in_service(stack, FILL, "records", str(records))
    queries: dict[str, int] = in_service(stack, QUERIES)
    with (
        stack.server("bench.naive.asgi:application", NAIVE_SETTINGS) as naive,
        asking(naive.port, stack.key) as nobody,
        asking(stack.port, stack.key) as asker,
        redis.Redis.from_url(stack.home.broker_url) as cache,
    ):
        for _ in range(REPEATS // 10):
            nobody.get(EMPTY_PATH)
            asker.get(PATH)
        cold = []
        for _ in range(COLD_REPEATS):
            cache.delete(*cache.keys(CACHED))
            cold.append(1000 * asker.seconds(PATH))
        warm, empty = [], []
        for _ in range(REPEATS):
            warm.append(1000 * asker.seconds(PATH))
            empty.append(1000 * nobody.seconds(EMPTY_PATH))
    forget(stack)
    ratio = quantile(warm, 0.95) / quantile(empty, 0.95)
    finding.rows = [
        ("made anew", f"{queries['cold']} queries, {spread(cold)}"),
        ("cached", f"{queries['warm']} queries, {spread(warm)}"),
        ("an empty view", spread(empty)),
        ("ratio", f"p95 cached is {ratio:.2f} times that of an empty view"),
    ]
    finding.numbers = {**queries, "cold_p95_ms": quantile(cold, 0.95), "warm_p95_ms": quantile(warm, 0.95)}
    finding.target = f"≤ {MOST_QUERIES} queries anew, 0 cached, p95 cached ≤ {MOST_RATIO:g} times an empty view"
    finding.reached = queries["cold"] <= MOST_QUERIES and queries["warm"] == 0 and ratio <= MOST_RATIO
    yield finding
