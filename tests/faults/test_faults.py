"""Short runs against the whole service; `python -m tests.faults` is the long one."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_handler import embedded
from data_handler.embedded.home import Home
from tests.faults.experiment import Experiment, Options
from tests.faults.faults import FORGETFUL, UNANNOUNCED, UNPOPPED, Fault

KILLED = ("flush", "buffer", "postgres", "notify", "beat")
EVENTS = 20_000


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="data-handler-faults-"))
    yield folder
    embedded.remove(Home.at(folder / "data"))
    shutil.rmtree(folder)


@pytest.mark.stack
async def test_whatever_is_killed_what_was_acknowledged_is_stored_once_and_each_event_shown_counted_or_missed(
    folder: Path,
) -> None:
    faults = [*(Fault(target) for target in KILLED), UNANNOUNCED, UNPOPPED, Fault("notify", "freeze")]
    options = Options(events=EVENTS, batch=250, seed=1, pause_seconds=(0.3, 1.0))
    result = await Experiment(folder, faults, options).run()
    assert result.problems == []
    assert [episode.fault for episode in result.episodes] == faults
    assert result.sent.total >= EVENTS
    assert result.sent.acknowledged.keys() <= result.stored.event_ids | result.stored.duplicates.keys()
    assert result.stored.duplicates, "nothing was sent twice"
    assert len(result.numbered.ends) == 1, "the numbering ended although the broker lived"
    assert result.numbered.total == result.stored.events_in_ledger
    for heard in result.heard:
        assert sum(heard.sizes["lost"]) > 0, "the dead web process took nothing along"


@pytest.mark.stack
async def test_a_broker_that_forgets_ends_the_numbering_and_watchers_are_told_so(folder: Path) -> None:
    options = Options(events=3_000, batch=50, seed=2, pause_seconds=(1.0, 1.0))
    result = await Experiment(folder, [Fault("broker"), FORGETFUL], options).run()
    assert result.problems == []
    assert len(result.numbered.ends) == 2
    for heard in result.heard:
        assert [gap.reason for gap in heard.gaps].count("new_epoch") == 1
        assert heard.matched or heard.unchecked
