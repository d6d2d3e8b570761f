"""A short run against the whole service; `python -m tests.faults` is the long one."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_handler import embedded
from data_handler.embedded.home import Home
from tests.faults.experiment import Experiment, Options
from tests.faults.faults import UNPOPPED, Fault

KILLED = ("flush", "web", "buffer", "postgres")
EVENTS = 15_000


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="data-handler-faults-"))
    yield folder
    embedded.remove(Home.at(folder / "data"))
    shutil.rmtree(folder)


@pytest.mark.stack
async def test_whatever_is_killed_what_was_acknowledged_is_stored_once(folder: Path) -> None:
    faults = [*(Fault(target) for target in KILLED), UNPOPPED]
    options = Options(events=EVENTS, batch=250, seed=1, pause_seconds=(0.3, 1.0))
    result = await Experiment(folder, faults, options).run()
    assert result.problems == []
    assert [episode.fault for episode in result.episodes] == faults
    assert result.sent.total >= EVENTS
    assert result.sent.acknowledged.keys() <= result.stored.event_ids | result.stored.duplicates.keys()
    assert result.stored.duplicates, "nothing was sent twice"
