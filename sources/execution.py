"""Carrying out a run: extract, decode, transform, load; and its end, whatever comes.

Rows are committed batch by batch. The last batch, the source's new state (cursor, ETag) and the run's success are one
transaction: a worker may die anywhere, and what was loaded before it died is loaded again to the same effect, since
records have keys and events idempotency keys. A `replace` is one transaction as a whole.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import Error as DatabaseError
from django.db import transaction

from sources import alerts, runs, secrets, stats
from sources.ahead import ahead
from sources.definition import Definition
from sources.errors import Cancelled, LoadFailed, NotModified, SourceError, TryLater
from sources.loading import Batch, Loader
from sources.models import Run, Source, SourceVersion, Status
from sources.origin import Origin, open_origin
from sources.pipeline import Pipeline
from sources.pulse import Pulse
from sources.runlog import Log
from sources.tally import Tally

logger = logging.getLogger(__name__)

GOOD = ("appended", "inserted", "updated", "unchanged", "superseded", "filtered", "duplicates", "outside_window")
"""What may become of rows with which nothing is wrong."""


class Execution:
    """One attempt at one run, which this process has claimed."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._log = Log(run)
        self.tally = Tally()
        self._pulse = Pulse(lambda: runs.beat(run, self._progress()))
        self._failures: runs.Failures | None = None

    def perform(self) -> Status:
        """The status with which the run ended, or PENDING if it goes on later. Raises django.db.Error."""
        self._log.info(f"Attempt {self._run.attempt} of version {self._run.version}.")
        with self._pulse:
            status, fields = self._outcome()
        if status is Status.PENDING:
            runs.postpone(self._run, **fields)
            return status
        if status is not Status.SUCCESS:  # that is committed already
            self._end(status, fields)
        stats.forget()
        if self._failures is not None:
            alerts.note(self._run, self._failures, definition_of(self._run).alert_after_failures)
        return status

    @transaction.atomic
    def _end(self, status: Status, fields: dict[str, Any]) -> None:
        if runs.finish(self._run, status, **self._progress(), **fields) and status is not Status.CANCELLED:
            self._failures = runs.note_outcome(self._run, succeeded=status is not Status.FAILED)

    def _outcome(self) -> tuple[Status, dict[str, Any]]:
        try:
            self._pull()
        except NotModified as news:
            self._log.info(f"Nothing new: {news}" if str(news) else "Nothing new.")
            return Status.SKIPPED, {"error": "not_modified", "state_after": self._run.state_before}
        except TryLater as wait:
            self._log.info(f"To be continued at {datetime.fromtimestamp(wait.at, UTC):%H:%M:%S} UTC: {wait}")
            return Status.PENDING, {"until": datetime.fromtimestamp(wait.at, UTC), "reason": str(wait)}
        except Cancelled:
            self._log.warning("Cancelled.")
            return Status.CANCELLED, {}
        except SourceError as error:
            self._log.error(str(error))
            return Status.FAILED, {"error": error.code, "detail": str(error)}
        except DatabaseError as error:
            return self._broke(error, "The database is away or refuses; the run may be tried again.")
        except Exception as error:
            return self._broke(error, "An error in Data Handler itself; its log has the details.")
        return Status.SUCCESS, {}

    def _broke(self, error: Exception, detail: str) -> tuple[Status, dict[str, Any]]:
        logger.exception("Run %s of %s broke.", self._run.pk, self._run.source)
        return Status.FAILED, {"error": "internal", "detail": f"{detail} ({type(error).__name__})"}

    def _pull(self) -> None:
        run = self._run
        definition = definition_of(run)
        deadline = time.monotonic() + definition.limits.seconds
        revealed, ended = secrets.reveal(run.source, definition), self._pulse.ended
        with open_origin(definition, run, revealed, deadline, ended, self.tally) as origin:
            rows = Pipeline(definition).rows(self._watched(origin), self.tally, origin.look)
            loader = Loader(definition, run, self.tally, ended)
            with loader, ahead(loader.batches(rows)) as batches:
                self._load(batches, loader, origin)

    def _load(self, batches: Iterable[Batch], loader: Loader, origin: Origin) -> None:
        held: Batch | None = None
        for batch in batches:
            if held is not None:
                loader.load(held)
            held = batch
        loader.finish(held, lambda: self._succeed(origin))
        self._log.info(f"Done: {_sentence(self.tally)}.")

    def _succeed(self, origin: Origin) -> None:
        """In the transaction of the last rows. A state that an older definition came to is not kept."""
        self._require_a_row()
        run, state = self._run, origin.state()
        if not runs.finish(run, Status.SUCCESS, state_after=state, **self._progress()):
            raise Cancelled
        self._failures = runs.note_outcome(run, succeeded=True)
        if run.window_start is None:
            Source.objects.filter(pk=run.source_id, version=run.version).update(state=state)

    def _require_a_row(self) -> None:
        """Raises LoadFailed ("all_rejected")."""
        counts = self.tally.counts
        if counts["rejected"] and not any(counts[name] for name in GOOD):
            [(reason, times)] = self.tally.reasons.most_common(1)
            raise LoadFailed(
                f"All {counts['rejected']:,} rows were rejected, {times:,} of them for {reason}. The samples say more;"
                " nothing was changed.",
                code="all_rejected",
            )

    def _watched(self, origin: Origin) -> Iterator[Any]:
        """The origin's items, as long as nobody wants the run to end."""
        ended = self._pulse.ended
        self._origin = origin
        for item in origin.items():
            if ended.is_set():
                raise Cancelled
            yield item

    def _progress(self) -> dict[str, Any]:
        origin: Origin | None = getattr(self, "_origin", None)
        fields: dict[str, Any] = {"counts": self.tally.as_dict(), "rejected": self.tally.samples}
        if origin is not None:
            fields |= {"bytes": origin.bytes, "pages": origin.pages, "statuses": dict(origin.statuses)}
        return fields


def definition_of(run: Run) -> Definition:
    document = SourceVersion.objects.get(source=run.source_id, version=run.version).definition
    return msgspec.convert(document, Definition)


def tell_of_lost(run: Run, failures: runs.Failures) -> None:
    """For runs.reap."""
    alerts.note(run, failures, definition_of(run).alert_after_failures)


def _sentence(tally: Tally) -> str:
    counts = [f"{count:,} {name}" for name, count in tally.counts.items() if count]
    return ", ".join(counts) or "no rows"


def work(seconds: float, perform: Callable[[Run], Status] | None = None) -> int:
    """Carry out pending runs until there are none or the time is up; how many. A run under way is not cut short."""
    perform = perform or (lambda run: Execution(run).perform())
    deadline, done = time.monotonic() + seconds, 0
    while time.monotonic() < deadline and (run := runs.claim()) is not None:
        perform(run)
        done += 1
    return done
