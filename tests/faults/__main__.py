"""Kill everything, one process after the other, under load; then prove that nothing is lost and nothing doubled, and
that those who watched were told of every event: shown, counted, or said to be missing.

    python -m tests.faults --events 100000 --kills 12

Starts an installation of its own in a new directory. Ends with 1, naming ids, when a promise was not kept; then the
directory with its log and data stays.
"""

import argparse
import asyncio
import random
import secrets
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from data_handler import embedded
from tests.faults import report
from tests.faults.experiment import Experiment, Options, Result
from tests.faults.faults import TARGETS, plan
from tests.faults.installation import NotReady


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Fault injection under load.")
    parser.add_argument("--events", type=int, default=100_000, help="events sent at least (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=500, help="events in a batch (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=12, help="kills besides the last, of everything")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32), help="repeats the choices of a run")
    parser.add_argument("--targets", default=",".join(TARGETS), help="who is killed, in turn (default: %(default)s)")
    parser.add_argument("--data-dir", type=Path, help="a folder for the installation, kept afterwards")
    given = parser.parse_args(arguments)
    given.targets = given.targets.split(",")
    if unknown := set(given.targets) - set(TARGETS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}: choose from {', '.join(TARGETS)}")
    if min(given.events, given.batch) < 1 or given.kills < 0:
        parser.error("--events and --batch must be positive, --kills not negative")
    return given


async def watched(experiment: Experiment, console: Console) -> Result:
    """Run it with progress bars."""
    columns = (TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    running = asyncio.create_task(experiment.run())
    with Progress(*columns, console=console) as progress:
        faults = progress.add_task("faults", total=len(experiment.faults))
        acknowledged = progress.add_task("acknowledged", total=experiment.options.events)
        while not running.done():
            await asyncio.wait([running], timeout=0.2)
            progress.update(faults, completed=len(experiment.episodes))
            if experiment.traffic:
                progress.update(acknowledged, completed=len(experiment.traffic.sent.acknowledged))
    return await running


def main() -> int:
    given, console = parse(sys.argv[1:]), Console(highlight=False)
    folder: Path = given.data_dir or Path(tempfile.mkdtemp(prefix="data-handler-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    options = Options(given.events, given.batch, given.seed)
    experiment = Experiment(folder, plan(given.targets, given.kills, random.Random(given.seed)), options)
    console.print(f"Seed {given.seed}; data and log in {folder}")
    try:
        result = asyncio.run(watched(experiment, console))
    except NotReady as error:
        console.print(str(error), style="red")
        return 1
    report.show(result, console)
    if not result.problems and given.data_dir is None:
        embedded.remove(experiment.installation.home)
        shutil.rmtree(folder)
    return 1 if result.problems else 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
