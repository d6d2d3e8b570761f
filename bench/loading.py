"""`python -m bench.loading`: how fast rows of a source become records, or events of a stream.

Against a bare COPY of the same rows into a table with the same columns and indexes. The rows have 8 columns, as a CSV
file gives them; reading them is not part of it. On services of its own, started for the measurement and removed.
"""

import argparse
import signal
import subprocess
import sys
from collections.abc import Iterator

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import report
from bench.figures import Figure, Round
from bench.machine import facts
from bench.stack import PROJECT, Stack, StackFailed, running_stack

LONGEST_SECONDS = 600
FIRST_TARGET = 0.45
AGAIN_TARGET = 1.5
APPEND_TARGET = 0.3
PROGRAM = "import django; django.setup(); from bench.loading_steps import main; main()"


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.loading", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="the median of them counts (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="that become records (default: %(default)s)")
    parser.add_argument("--events", type=int, default=200_000, help="that are appended (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=1000, help="rows loaded at once (default: %(default)s)")
    given = parser.parse_args(words)
    if min(vars(given).values()) < 1:
        parser.error("all numbers must be positive")
    return given


def measure(stack: Stack, rounds: int, rows: int, events: int, batch: int) -> Iterator[Figure]:
    """Each figure again after every round."""
    size = f"batches of {batch:,}"
    first = Figure("upsert", f"{rows:,} rows into no records, {size}", "rows/s", "bare COPY", FIRST_TARGET)
    again = Figure("upsert again", "the same rows again, unchanged", "rows/s", "first time", AGAIN_TARGET)
    appended = Figure("append", f"{events:,} rows to stored events, {size}", "rows/s", "bare COPY", APPEND_TARGET)
    for _ in range(rounds):
        found = _step(stack, "records", rows, batch)
        first.rounds.append(Round(found["first"], found["bare"]))
        yield first
        again.rounds.append(Round(found["again"], found["first"]))
        yield again
        ours = _append(stack, events, batch, appended)
        stack.clear()
        appended.rounds.append(Round(ours, _step(stack, "copy_events", events, batch)["bare"]))
        stack.clear()
        yield appended


def _append(stack: Stack, events: int, batch: int, figure: Figure) -> float:
    """Events a second from the first row given to the last commit."""
    stack.clear()
    times = _step(stack, "append", events, batch)
    seconds = stack.wait_stored(events) - times["began"]
    figure.notes = [f"{events / (times['done'] - times['began']):,.0f} rows/s until all were in the buffer"]
    return events / seconds


def _step(stack: Stack, step: str, rows: int, batch: int) -> dict[str, float]:
    command = [sys.executable, "-c", PROGRAM, step, str(rows), str(batch)]
    env = {**stack.env, "DJANGO_SETTINGS_MODULE": "data_handler.settings"}
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, timeout=LONGEST_SECONDS)
    if done.returncode:
        raise StackFailed(f"Loading cannot be measured:\n{done.stderr}")
    found: dict[str, float] = orjson.loads(done.stdout)
    return found


def run(options: argparse.Namespace, console: Console) -> None:
    figures: dict[str, Figure] = {}
    columns = (TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, refresh_per_second=2) as progress:
        bar = progress.add_task("starting the service", total=3 * options.rounds)
        with running_stack() as stack:
            machine = facts(stack.home)
            progress.update(bar, description="preparing")
            for figure in measure(stack, options.rounds, options.rows, options.events, options.batch):
                figures[figure.name] = figure
                progress.update(bar, advance=1, description=figure.latest)
            progress.update(bar, description="stopping the service")
    report.show(figures.values(), machine, console)


def main() -> int:
    options, console = parse(sys.argv[1:]), Console(highlight=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run(options, console)
    except StackFailed as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted; everything was stopped and removed.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
