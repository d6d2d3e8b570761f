"""Snapshots: what a dataset selects at a moment, kept while it is used, so that analyses of the same data share it.

Each is a folder of SNAPSHOTS_DIR, `<dataset>-<id>`, which gets its name when it is whole. What a process that was
killed leaves is a draft: it is never taken for a snapshot, and `prune` removes it.
"""

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
from django.conf import settings
from django.utils import timezone

from datasets import definition, snapshot
from datasets.children import Limits
from datasets.definition import Definition, Events, Period
from datasets.extent import Extent, extent
from datasets.kinds.kind import Progress
from datasets.making import DRAFT, Order, make
from datasets.models import Dataset

FORMAT = 2
"""Grows when snapshots of the same data become others; older ones are not used again."""
UNUSED_FOR = timedelta(hours=24)


def period(dataset: Dataset, now: datetime) -> Period | None:
    """What the window is at this moment, of a dataset of events."""
    selected = definition.read(dataset.kind, dataset.definition)
    return definition.period(selected.window, now) if isinstance(selected, Events) else None


def fingerprint(dataset: Dataset, period: Period | None) -> str:
    """The same for the same data of the same definition, whenever it is asked. Raises SnapshotFailed: no such file."""
    selected = definition.read(dataset.kind, dataset.definition)
    return _id(dataset, selected, extent(selected, period))


def _id(dataset: Dataset, selected: Definition, found: Extent) -> str:
    """Bounds of the window are in the definition or slide; what they make of the data is in the extent."""
    told = [FORMAT, dataset.kind, definition.document(selected)]
    seen = [*told, found.rows, sorted(found.names.items()), found.state]
    return hashlib.sha256(msgspec.json.encode(seen, order="deterministic")).hexdigest()[:32]


def obtain(dataset: Dataset, now: datetime, progress: Progress, ended: threading.Event, limits: Limits) -> Path:
    """The folder of the snapshot of what the dataset selects now: one that is there, or a new one.

    Of several who make the same at once, one puts it there, and all use it. Raises AnalysisError, and Cancelled soon
    after `ended` is set.
    """
    selected, when = definition.read(dataset.kind, dataset.definition), period(dataset, now)
    found = extent(selected, when)
    id = _id(dataset, selected, found)
    folder = Path(settings.SNAPSHOTS_DIR) / f"{dataset.pk}-{id}"
    made = snapshot.whole(folder)
    if made is None:
        made = make(Order(dataset, selected, when, found, id, folder), now, progress, ended, limits)
        prune(timezone.now())
    os.utime(folder)  # used at this moment, however long ago `now` is: a task may have waited
    told = {"rows": made.rows, "columns": msgspec.to_builtins(made.columns), "snapshot_at": made.taken_at}
    Dataset.objects.filter(pk=dataset.pk, version=dataset.version).update(**told)
    return folder


def prune(now: datetime) -> int:
    """Remove what nobody will use: drafts that were given up, snapshots of datasets that are gone, those that were not
    used for UNUSED_FOR, and beyond SNAPSHOTS_MAX_GB together those that were used longest ago. How many.

    What was used within twice ANALYSIS_MAX_SECONDS stays: an analysis may be reading or making it.
    """
    busy = timedelta(seconds=2 * settings.ANALYSIS_MAX_SECONDS)
    folders = sorted(_folders(), key=lambda one: one.used_at, reverse=True)
    datasets = set(Dataset.objects.values_list("pk", flat=True))
    total = removed = 0
    for one in folders:
        total += one.bytes
        is_wanted = one.dataset in datasets and now - one.used_at < UNUSED_FOR and total <= settings.SNAPSHOTS_MAX_BYTES
        if now - one.used_at >= busy and not is_wanted:
            _remove(one.path)
            total -= one.bytes
            removed += 1
    return removed


class _Folder(NamedTuple):
    """`dataset`: 0 of a draft."""

    path: Path
    dataset: int
    used_at: datetime
    bytes: int


def _folders() -> Iterator[_Folder]:
    root = Path(settings.SNAPSHOTS_DIR)
    for path in root.iterdir() if root.is_dir() else ():
        try:
            used_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        except FileNotFoundError:
            continue  # another has just removed it
        number = path.name.partition("-")[0]
        yield _Folder(path, int(number) if number.isdecimal() else 0, used_at, size)


def _remove(folder: Path) -> None:
    """It is no snapshot any more before the first of its files is gone."""
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=folder.parent))
    with suppress(FileNotFoundError):
        folder.rename(draft / "removed")
    shutil.rmtree(draft, ignore_errors=True)
