"""`python -m bench`: starts the service on embedded PostgreSQL and Valkey, measures, stops it, prints."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import report
from bench.aggregating import measure_aggregates
from bench.announcing import measure_announcing
from bench.batches import measure_batches
from bench.counting import measure_stats
from bench.crowd import measure_crowd
from bench.deaf import measure_deaf
from bench.due import measure_due
from bench.exporting import measure_exports
from bench.figures import Figure, Finding
from bench.large import measure_large
from bench.latency import measure_latency
from bench.load import LoadFailed
from bench.machine import facts
from bench.page import measure_page
from bench.profiling import measure_profile
from bench.pulling import measure_pulling
from bench.singles import measure_naive, measure_singles
from bench.stack import Stack, StackFailed, running_stack

PARTS = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o")
STEPS_OF_A_ROUND = {"a": 2, "b": 1, "c": 2, "e": 1, "g": 1, "i": 5, "n": 3}
STEPS_AFTER_ROUNDS = {"d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "j": 4, "k": 1, "l": 2, "m": 1, "n": 1, "o": 1}
WATCHED_SECONDS = {"d": (12.0, 60.0), "e": (20.0, 300.0), "f": (45.0, 120.0), "h": (60.0, 600.0)}


@dataclass(frozen=True, slots=True)
class Options:
    """`events`: of one round of (a). `seconds`: of one measurement of requests.

    `rows`: of one table of (i), and records of (o). `megabytes`: of the largest body of (j). `sources`: due at once in
    (k). `stored`: events of (l), and of the day in (m). `exported`: of one file of (n).
    """

    rounds: int
    events: int
    seconds: float
    rows: int
    megabytes: int
    sources: int
    stored: int
    exported: int
    only: list[str]
    long: bool
    json: Path | None

    @property
    def steps(self) -> int:
        after = sum(STEPS_AFTER_ROUNDS.get(part, 0) for part in self.only)
        return self.rounds * sum(STEPS_OF_A_ROUND.get(part, 0) for part in self.only) + after

    def watched_seconds(self, part: str) -> float:
        return WATCHED_SECONDS[part][self.long]


def parse(words: list[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="the median of them counts (default: %(default)s)")
    parser.add_argument("--events", type=int, default=300_000, help="events a round in batches (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of one measurement (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of a table (default: %(default)s)")
    parser.add_argument("--megabytes", type=int, default=500, help="of the largest body (default: %(default)s)")
    parser.add_argument("--sources", type=int, default=1000, help="due at once (default: %(default)s)")
    parser.add_argument("--stored", type=int, default=10_000_000, help="events to ask about (default: %(default)s)")
    parser.add_argument("--exported", type=int, default=1_000_000, help="events of a file (default: %(default)s)")
    parser.add_argument("--only", default=",".join(PARTS), help="which figures (default: %(default)s)")
    parser.add_argument("--long", action="store_true", help="watch the live feed for minutes instead of seconds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    given = vars(parser.parse_args(words))
    only = [part.strip() for part in given.pop("only").split(",")]
    if unknown := sorted(set(only) - set(PARTS)):
        parser.error(f"--only knows {', '.join(PARTS)}, not {', '.join(unknown)}")
    if min(number for number in given.values() if type(number) in (int, float)) <= 0:
        parser.error("all numbers must be positive")
    return Options(only=only, **given)


def measure(stack: Stack, options: Options) -> Iterator[Figure | Finding]:
    """Each figure again after every round."""
    if "a" in options.only:
        yield from measure_batches(stack, options.rounds, options.events)
    if "b" in options.only:
        yield from measure_singles(stack, options.rounds, options.seconds)
    if "c" in options.only:
        yield from measure_naive(stack, options.rounds, options.seconds, options.events)
    if "d" in options.only:
        yield from measure_latency(stack, options.watched_seconds("d"))
    if "e" in options.only:
        yield from measure_crowd(stack, options.rounds, 2 * options.seconds, options.watched_seconds("e"))
    if "f" in options.only:
        yield from measure_deaf(stack, options.watched_seconds("f"))
    if "g" in options.only:
        yield from measure_announcing(stack, options.rounds)
    if "h" in options.only:
        yield from measure_page(stack, options.watched_seconds("h"))
    if "j" in options.only:
        yield from measure_large(stack, options.megabytes)
    if "i" in options.only:
        yield from measure_pulling(stack, options.rounds, options.rows)
    if "k" in options.only:
        yield from measure_due(stack, options.sources)
    if "l" in options.only:
        yield from measure_profile(stack, options.stored)
    if "m" in options.only:
        yield from measure_aggregates(stack, options.stored)
    if "n" in options.only:
        yield from measure_exports(stack, options.rounds, options.exported)
    if "o" in options.only:
        yield from measure_stats(stack, options.rows)


def run(options: Options, console: Console) -> None:
    started_at = time.monotonic()
    figures: dict[str, Figure | Finding] = {}
    columns = (TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, refresh_per_second=2) as progress:
        bar = progress.add_task("starting the service", total=options.steps)
        with running_stack() as stack:
            machine = facts(stack.home)
            progress.update(bar, description="preparing")
            for figure in measure(stack, options):
                figures[figure.name] = figure
                progress.update(bar, advance=1, description=figure.latest)
            progress.update(bar, description="stopping the service")
    report.show(figures.values(), machine, console)
    if options.json:
        report.write_json(figures.values(), machine, time.monotonic() - started_at, options.json)


def main() -> int:
    options, console = parse(sys.argv[1:]), Console(highlight=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run(options, console)
    except (StackFailed, LoadFailed) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted; everything was stopped and removed.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
