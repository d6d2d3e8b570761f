"""(m) Counts and figures of a day of events, from the counts kept by minute and from the events themselves."""

from collections.abc import Iterator
from typing import Any

import orjson

from bench.asking import Asker, asking
from bench.events import STREAM
from bench.figures import Finding, quantile, spread
from bench.stack import Stack, StackFailed, in_service

PROGRAM = "from bench.filling import main; main()"
PATH = f"/api/streams/{STREAM}/events/aggregate/"
KEPT_REPEATS = 100
COUNTED_REPEATS = 5
MOST_KEPT_MS = 50.0
MOST_COUNTED_SECONDS = 3.0

COUNTED: dict[str, dict[str, Any]] = {
    "count by a field": {"group_by": "payload.sensor"},
    "mean of a field, by minute": {"bucket": "minute", "measure": "avg:payload.celsius"},
    "count by minute and a field": {"bucket": "minute", "group_by": "payload.sensor"},
    "count where a field is greater": {"payload.celsius__gt": 25},
}


def measure_aggregates(stack: Stack, events: int) -> Iterator[Finding]:
    finding = Finding("m", f"aggregates over 24 hours, {events:,} events")
    stack.clear()
    span = in_service(stack, PROGRAM, "events", str(events))
    with asking(stack.port, stack.key) as asker:
        _check(asker, span, events)
        kept = [1000 * asker.seconds(PATH, bucket="minute", **span) for _ in range(KEPT_REPEATS)]
        finding.rows.append(("by minute, from the counts by minute", spread(kept)))
        finding.numbers["kept_p95_ms"] = quantile(kept, 0.95)
        slowest = 0.0
        for name, query in COUNTED.items():
            took = [asker.seconds(PATH, **query, **span) for _ in range(COUNTED_REPEATS)]
            slowest = max(slowest, *took)
            finding.rows.append((name, f"median {quantile(took, 0.5):.2f} s, most {max(took):.2f} s"))
            finding.numbers[f"{name}, seconds"] = quantile(took, 0.5)
    finding.target = f"p95 ≤ {MOST_KEPT_MS:g} ms by minute, ≤ {MOST_COUNTED_SECONDS:g} s by a field"
    finding.reached = finding.numbers["kept_p95_ms"] <= MOST_KEPT_MS and slowest <= MOST_COUNTED_SECONDS
    stack.clear()
    yield finding


def _check(asker: Asker, span: dict[str, str], events: int) -> None:
    """Both ways see all that is there."""
    kept = orjson.loads(asker.get(PATH, bucket="minute", **span))
    counted = orjson.loads(asker.get(PATH, group_by="payload.site", **span))
    sums = [sum(row["count"] for row in answer["rows"]) for answer in (kept, counted)]
    if [kept["source"], counted["source"]] != ["rollups", "events"] or sums != [events, events]:
        raise StackFailed(f"Of {events} events {sums[0]} were found in the counts and {sums[1]} by counting.")
