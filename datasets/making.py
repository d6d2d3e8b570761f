"""A new snapshot: made as a draft by a process of its own, and put where snapshots are when it is whole."""

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from django.conf import settings

from datasets import children, definition, selecting, snapshot
from datasets.children import Limits
from datasets.definition import Definition, Period
from datasets.engine import files
from datasets.engine.order import Extraction
from datasets.errors import Cancelled, SnapshotFailed
from datasets.extent import Extent
from datasets.kinds.kind import Progress
from datasets.models import Dataset
from datasets.snapshot import Snapshot
from sources import uploads
from sources.errors import SourceError

CHILD = "datasets.engine.extract"
DRAFT = ".draft-"
ARENAS = {"MALLOC_ARENA_MAX": "4"}  # of glibc: rows are read by one thread while others write
SHARE_OF_DUCKDB = 0.4
"""Of the child's memory: beside it there are two chunks of rows, and what libraries need."""
MOST_UNPACKED_BYTES = 4_000_000_000
MOST_FILE_ROWS = 20_000_000
PIECE_BYTES = 1 << 20


class Order(NamedTuple):
    """What is to be made, and where. `extent` is that of `definition` in `period`."""

    dataset: Dataset
    definition: Definition
    period: Period | None
    extent: Extent
    id: str
    folder: Path


def make(order: Order, now: datetime, progress: Progress, ended: threading.Event, limits: Limits) -> Snapshot:
    """As it is in `order.folder` then, made by us or meanwhile by another.

    Raises AnalysisError, and Cancelled soon after `ended` is set; then no draft is left.
    """
    with _draft(order.folder.parent) as draft:
        for name in ("made", "temp"):
            (draft / name).mkdir()
        request = _request(order, now, draft, ended, limits)
        answer = children.run(CHILD, request, limits, progress, ended, env=ARENAS)
        return _put(draft / "made", order.folder) or msgspec.convert(answer, Snapshot)


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=folder))
    except OSError as error:
        raise SnapshotFailed(f"No snapshot can be kept in SNAPSHOTS_DIR: {error.strerror}.") from error
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _request(order: Order, now: datetime, draft: Path, ended: threading.Event, limits: Limits) -> Extraction:
    selected, period, query, file = order.definition, order.period, None, None
    if isinstance(selected, definition.File):
        file = _file(selected, draft / "file", ended, limits.seconds)
    else:
        query = selecting.query(selected, period, order.extent, limits.seconds)
    return Extraction(
        snapshot=_described(order, now),
        folder=str(draft / "made"),
        temp=str(draft / "temp"),
        memory_bytes=int(limits.memory_bytes * SHARE_OF_DUCKDB),
        threads=settings.ANALYSIS_THREADS,
        most_bytes=settings.SNAPSHOTS_MAX_BYTES,
        query=query,
        file=file,
    )


def _described(order: Order, now: datetime) -> Snapshot:
    """As far as it is known before it is made."""
    return Snapshot(
        id=order.id,
        dataset=order.dataset.pk,
        dataset_name=order.dataset.name,
        dataset_version=order.dataset.version,
        kind=order.dataset.kind,
        taken_at=now,
        starts_at=order.period.starts_at if order.period else None,
        ends_at=order.period.ends_at if order.period else None,
        rows=0,
        bytes=0,
        columns=[],
        time_column="",
    )


def _file(selected: definition.File, path: Path, ended: threading.Event, seconds: float) -> files.File:
    """The process that reads what a stranger sent gets it as a file, and nothing with which to reach the database."""
    try:
        body = uploads.open_body(selected.upload)
        with body.file as source, path.open("wb") as copy:
            while piece := source.read(PIECE_BYTES):
                if ended.is_set():
                    raise Cancelled
                copy.write(piece)
    except SourceError as error:
        raise SnapshotFailed("The uploaded file of this dataset is gone: send it again.") from error
    except OSError as error:
        raise SnapshotFailed(f"The uploaded file cannot be copied: {error.strerror}.") from error
    decode = definition.decode(selected)
    return files.File(
        path=str(path),
        name=body.name,
        content_type=body.content_type,
        decode=None if decode is None else msgspec.to_builtins(decode),
        unpacked_bytes=MOST_UNPACKED_BYTES,
        rows=MOST_FILE_ROWS,
        seconds=seconds,
    )


def _put(made: Path, folder: Path) -> Snapshot | None:
    """Give the draft its name; where another has put the same, that one counts, and is returned."""
    for _ in range(2):
        with suppress(OSError):
            made.rename(folder)
            return None
        if there := snapshot.whole(folder):
            return there
        shutil.rmtree(folder, ignore_errors=True)
    raise SnapshotFailed("The snapshot cannot be put into SNAPSHOTS_DIR: see that the worker may write there.")
