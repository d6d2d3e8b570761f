"""Loading the rows of a run, batch by batch, each in a transaction; or all in one, where a source is replaced.

A batch is committed by who carries out the run alone: a worker that was given up as lost, and comes back, changes
nothing that the one after it has loaded.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from datetime import datetime
from functools import partial
from threading import Event
from types import TracebackType
from typing import Self

from django.db import connection, transaction
from django.utils import timezone

from sources import runs
from sources.dedupe import Dedupe
from sources.definition import Append, Definition, Load, Replace
from sources.errors import Cancelled
from sources.load.append import Appender
from sources.load.changes import Changes
from sources.load.counts import Counts
from sources.load.records import Upserter
from sources.load.replace import Replacer
from sources.models import Run
from sources.rows import Row
from sources.runlog import Log
from sources.tally import Tally

Sink = Appender | Upserter | Replacer


BATCH_ROWS = 5000
BATCH_BYTES = 4 << 20

Batch = Callable[[], None]
"""Loads rows, inside a transaction."""


class Loader:
    """Enter it, `load` batches, `finish` with the last one."""

    def __init__(self, definition: Definition, run: Run, tally: Tally, ended: Event) -> None:
        """`ended` is set when the run shall end. Raises BadDefinition."""
        self._run = run
        self._sink = _sink(definition.load, run, ended)
        self._dedupe = Dedupe(definition.dedupe, run.source_id) if definition.dedupe else None
        self._tally, self._log = tally, Log(run)
        self._rejected_here = 0
        self._is_whole = isinstance(definition.load, Replace)
        self._whole = ExitStack()

    def __enter__(self) -> Self:
        if self._is_whole:
            self._whole.enter_context(transaction.atomic())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._whole.__exit__(kind, error, traceback)
        if error is not None and self._dedupe is not None:
            self._dedupe.forget()

    def batches(self, rows: Iterator[Row]) -> Iterator[Batch]:
        """May be asked for in another thread while a batch is loaded."""
        for first in rows:
            some = itertools.chain([first], itertools.islice(rows, BATCH_ROWS - 1))
            if self._dedupe is not None:  # which rows are new depends on the batches before
                yield partial(self._take_unseen, self._dedupe, list(some))
            else:
                yield partial(self._store, self._sink.prepare(some, BATCH_BYTES))

    def load(self, batch: Batch) -> None:
        """Raises SourceError, Cancelled or django.db.Error."""
        if self._is_whole:
            batch()
            return
        with transaction.atomic():
            batch()
            if not runs.hold(self._run):
                raise Cancelled
        self._committed()

    def finish(self, last: Batch | None, succeed: Callable[[], None]) -> None:
        """Load the last rows and call `succeed`, in one transaction. Raises what `load` and `succeed` raise."""
        with nullcontext() if self._is_whole else transaction.atomic():
            if last is not None:
                last()
            self._count(self._finish_sink())
            succeed()
        self._whole.close()
        self._committed()

    def _finish_sink(self) -> Counts:
        if not isinstance(self._sink, Replacer):
            return self._sink.finish(timezone.now())
        counts = self._sink.finish(timezone.now(), self._tally.counts["rejected"] - self._rejected_here)
        if self._sink.spared:
            self._log.warning(
                f"No record was deleted. Rejected rows: {self._sink.spared:,}; records that did not come may be theirs."
                " If they may go all the same, set load.allow_rejected."
            )
        return counts

    def _take_unseen(self, dedupe: Dedupe, rows: Sequence[Row]) -> None:
        unseen = dedupe.unseen(rows)
        self._tally.counts["duplicates"] += unseen.count(False)
        if new := [row for row, is_new in zip(rows, unseen, strict=True) if is_new]:
            self._store(self._sink.prepare(new))

    def _store(self, store: Callable[[datetime], Counts]) -> None:
        self._count(store(timezone.now()))

    def _count(self, counts: Counts) -> None:
        self._tally.counts.update(counts.numbers())
        self._rejected_here += len(counts.rejected)
        for rejected in counts.rejected:
            self._tally.reject(rejected)

    def _committed(self) -> None:
        if self._dedupe is not None:
            self._dedupe.remember()
        self._sink.committed()


def _sink(spec: Load, run: Run, ended: Event) -> Sink:
    if isinstance(spec, Append):
        return Appender(spec, ended=ended)
    make = Replacer if isinstance(spec, Replace) else Upserter
    return make(connection, run.source_id, run.pk, spec, Changes(run.source.name))  # type: ignore[arg-type]
