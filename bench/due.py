"""(k) Many sources due at once: the tick that makes their runs, and the workers that carry them out."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import orjson

from bench.figures import Finding, quantile
from bench.provider import SMALL_ROWS, providing
from bench.stack import Stack
from bench.workers import QUEUE, ask, forget, paused

MOST_TICK_MILLISECONDS = 200


def measure_due(stack: Stack, sources: int) -> Iterator[Finding]:
    target = f"each once and with success, tick < {MOST_TICK_MILLISECONDS} ms"
    finding = Finding("k", f"{sources:,} sources due at once, of {SMALL_ROWS} rows each", target=target)
    with tempfile.TemporaryDirectory(prefix="data-handler-bench-") as folder, providing(Path(folder)) as url:
        with paused(stack, "beat"):
            ticks = [seconds * 1000 for seconds in ask(stack, "ticks", url, str(sources))]
        with stack.another_worker(QUEUE) as workers:
            found = ask(stack, "due")
        with urlopen(f"{url}/asked") as answer:
            asked = orjson.loads(answer.read())
    forget(stack)
    seconds, most = found["seconds"], max(ticks)
    once = found["runs"] == found["sources"] == sources == len(asked) and set(asked.values()) == {1}
    finding.reached = once and found["outcomes"] == {"success": sources} and most < MOST_TICK_MILLISECONDS
    finding.rows = [
        ("runs", f"{seconds:.1f} s until the last has ended, {sources / seconds:.0f} a second, {workers} processes"),
        ("outcomes", ", ".join(f"{count:,} {outcome}" for outcome, count in found["outcomes"].items())),
        ("asked", f"{len(asked):,} sources, each at most {max(asked.values())} times; {found['workers']} workers"),
        ("tick", f"p50 {quantile(ticks, 0.5):.0f} ms, max {most:.0f} ms, of {len(ticks)}"),
    ]
    finding.numbers = {"seconds": seconds, "tick_p50_ms": quantile(ticks, 0.5), "tick_max_ms": most}
    yield finding
