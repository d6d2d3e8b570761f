"""Snapshots are shared while the data is the same, made by one of many, and removed when nobody needs them."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest
from django.db import connection
from pytest_django import Settings

from datasets import snapshot, snapshots
from datasets.children import Limits
from datasets.errors import Cancelled, Crashed, SnapshotFailed, TimeLimitExceeded
from datasets.models import Dataset
from ingest.models import Stream
from tests.datasets.taking import NOW, dataset, obtain, store
from tests.ingest.factory import make_stream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]


@pytest.fixture
def stream() -> Stream:
    return make_stream()


def id_of(of: Dataset, seconds: float = 0) -> str:
    now = NOW + timedelta(seconds=seconds)
    return snapshots.fingerprint(of, snapshots.period(of, now))


def test_the_same_data_has_the_same_id_whenever_it_is_asked(stream: Stream) -> None:
    store(stream, {"n": 1})
    for window in ({}, {"last": "7d"}, {"starts_at": "2026-11-01T00:00:00Z"}):
        of = dataset(name=str(window), streams=["sensors"], window=window)
        assert id_of(of) == id_of(of, seconds=90)


def test_other_data_has_another_id(stream: Stream) -> None:
    of = dataset(streams=["sensors"], window={"last": "1h"})
    store(stream, {"n": 1}, at=NOW - timedelta(minutes=59))
    ids = [id_of(of)]
    store(stream, {"n": 2})
    ids += [id_of(of), id_of(of, seconds=120)]
    assert len(set(ids)) == 3
    store(make_stream("others"), {"n": 3})
    assert id_of(of) == ids[1]


def test_a_changed_definition_has_another_id(stream: Stream) -> None:
    of = dataset(streams=["sensors"])
    before = id_of(of)
    of.definition, of.version = {"streams": ["sensors"], "types": ["x"]}, 2
    assert id_of(of) != before


def test_a_snapshot_that_is_there_is_used_again(stream: Stream, snapshots_dir: Path) -> None:
    store(stream, {"n": 1})
    of = dataset(streams=["sensors"])
    folder = obtain(of)
    made_at = (folder / snapshot.FILE).stat().st_mtime_ns
    assert obtain(of, NOW + timedelta(seconds=5)) == folder
    assert (folder / snapshot.FILE).stat().st_mtime_ns == made_at


def test_one_that_lacks_a_part_is_made_again(stream: Stream, snapshots_dir: Path) -> None:
    store(stream, {"n": 1})
    of = dataset(streams=["sensors"])
    [part] = snapshot.parts(obtain(of))
    part.unlink()
    assert snapshot.whole(obtain(of))


def test_of_several_that_make_the_same_at_once_one_is_kept(stream: Stream, snapshots_dir: Path) -> None:
    store(stream, {"n": 1})
    of = dataset(streams=["sensors"])

    def make() -> Path:
        try:
            return obtain(of)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        made = {one.result() for one in [pool.submit(make) for _ in range(3)]}
    assert list(snapshots_dir.iterdir()) == list(made)
    assert snapshot.whole(made.pop())


def test_a_cancelled_one_leaves_nothing(stream: Stream, snapshots_dir: Path) -> None:
    store(stream, {"n": 1})
    ended = threading.Event()
    ended.set()
    with pytest.raises(Cancelled):
        obtain(dataset(streams=["sensors"]), ended=ended)
    assert list(snapshots_dir.iterdir()) == []


def test_one_that_takes_too_long_is_ended(stream: Stream, snapshots_dir: Path) -> None:
    store(stream, {"n": 1})
    with pytest.raises(TimeLimitExceeded):
        obtain(dataset(streams=["sensors"]), limits=Limits(0.01, 700 << 20))
    assert list(snapshots_dir.iterdir()) == []


def test_its_process_may_be_killed(stream: Stream, snapshots_dir: Path) -> None:
    store(stream, {"n": 1})
    stop = threading.Event()
    killer = threading.Thread(target=kill_children, args=(stop,))
    killer.start()
    try:
        with pytest.raises(Crashed):
            obtain(dataset(streams=["sensors"]))
    finally:
        stop.set()
        killer.join()
    assert list(snapshots_dir.iterdir()) == []


def kill_children(stop: threading.Event) -> None:
    while not stop.wait(0.01):
        for child in psutil.Process().children():
            if "datasets.engine.extract" in child.cmdline():
                os.kill(child.pid, signal.SIGKILL)
                return


def test_one_that_is_too_large_is_refused(stream: Stream, snapshots_dir: Path, settings: Settings) -> None:
    store(stream, {"n": 1})
    settings.SNAPSHOTS_MAX_BYTES = 100
    with pytest.raises(SnapshotFailed, match="raise SNAPSHOTS_MAX_GB"):
        obtain(dataset(streams=["sensors"]))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "file").write_text("no folder")
    settings.SNAPSHOTS_DIR = tmp_path / "file" / "snapshots"
    with pytest.raises(SnapshotFailed, match=r"No snapshot can be kept in SNAPSHOTS_DIR: Not a directory\."):
        obtain(dataset())


def used(folder: Path, at: datetime = NOW) -> Path:
    os.utime(folder, (at.timestamp(), at.timestamp()))
    return folder


def test_one_is_used_when_it_is_taken_and_not_when_it_was_asked_for(stream: Stream, snapshots_dir: Path) -> None:
    of = dataset(streams=["sensors"])
    long_ago = NOW - timedelta(days=400)
    for _ in ("made", "used again"):
        before = time.time() - 1
        folder = obtain(of, long_ago)
        assert folder.stat().st_mtime > before
        used(folder, long_ago)


def test_what_was_not_used_for_a_day_is_removed(stream: Stream, snapshots_dir: Path) -> None:
    folder = used(obtain(dataset(streams=["sensors"])))
    assert snapshots.prune(NOW + timedelta(hours=23)) == 0
    assert snapshots.prune(NOW + timedelta(hours=25)) == 1
    assert not folder.exists()


def test_drafts_and_snapshots_of_deleted_datasets_are_removed_when_nobody_can_be_at_them(snapshots_dir: Path) -> None:
    of = dataset()
    folder = used(obtain(of))
    of.delete()
    (snapshots_dir / ".draft-left").mkdir()
    used(snapshots_dir / ".draft-left")
    assert snapshots.prune(NOW + timedelta(seconds=60)) == 0
    assert snapshots.prune(NOW + timedelta(hours=1)) == 2
    assert not folder.exists()


def test_beyond_the_space_for_all_the_ones_used_longest_ago_are_removed(
    snapshots_dir: Path, settings: Settings
) -> None:
    folders = [obtain(dataset(name=str(n))) for n in range(3)]
    for hours, folder in enumerate(folders):
        used(folder, NOW + timedelta(hours=hours))
    size = sum(file.stat().st_size for file in folders[0].iterdir())
    settings.SNAPSHOTS_MAX_BYTES = size * 2 + size // 2
    assert snapshots.prune(NOW + timedelta(hours=4)) == 1
    assert [folder.exists() for folder in folders] == [False, True, True]
