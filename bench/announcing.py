"""(g) What the live feed costs ingestion: the work of the web process on batches, with announcing them and without.

It is measured by `bench.steps`, in a process of its own with the settings of the service.
"""

import subprocess
import sys
from collections.abc import Iterator

import orjson

from bench.events import BATCH, batch_requests
from bench.figures import Figure, Finding, Round
from bench.paced import send_paced
from bench.stack import PROJECT, Stack, StackFailed

SHOWN = 200
LONGEST_SECONDS = 120
ANNOUNCEMENTS_PER_SECOND = 20
PROGRAM = "import django; django.setup(); from bench.steps import main; main()"


def measure_announcing(stack: Stack, rounds: int) -> Iterator[Figure | Finding]:
    title = f"batches of {BATCH} announced, in events by second of the web process's CPU time"
    figure = Figure("g", title, "events/s", "in silence")
    finding = Finding("g, single steps", f"steps of the live feed, with {SHOWN} events in full")
    send_paced(stack.port, batch_requests(range(1), 1, stack.key), 1)  # makes the stream
    for _ in range(rounds):
        found = _in_process(stack)
        announced, silent = found.pop("announced"), found.pop("silent")
        figure.rounds.append(Round(1 / announced, 1 / silent))
        figure.notes = [f"{announced * 1e6:.2f} µs an event, {silent * 1e6:.2f} µs without announcing"]
        yield figure
    finding.numbers = {f"{name}_seconds": seconds for name, seconds in found.items()}
    whole = found.pop("announcement")
    share = f"{whole * ANNOUNCEMENTS_PER_SECOND:.1%} of a core at {ANNOUNCEMENTS_PER_SECOND} a second"
    finding.rows = [("announce", f"{whole * 1e6:,.0f} µs: {share}")]
    finding.rows += [(name, f"{seconds * 1e6:,.0f} µs") for name, seconds in found.items()]
    stack.clear()
    yield finding


def _in_process(stack: Stack) -> dict[str, float]:
    command = [sys.executable, "-c", PROGRAM]
    env = {**stack.env, "DJANGO_SETTINGS_MODULE": "data_handler.settings"}
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, timeout=LONGEST_SECONDS)
    if done.returncode:
        raise StackFailed(f"The cost of announcing cannot be measured:\n{done.stderr}")
    found: dict[str, float] = orjson.loads(done.stdout)
    return found
