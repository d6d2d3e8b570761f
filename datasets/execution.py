"""Carrying out an analysis: its snapshots, then the child that reads them; and its end, whatever comes.

A worker may die anywhere. What it had under way dies with it, and the next attempt begins with the same selections at
the same moment; a snapshot that was whole by then is not taken again.
"""

import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.db import Error as DatabaseError

from access.differences import storable
from datasets import analyses, announcements, children, parameters, selections, snapshot, snapshots
from datasets.children import Limits, limits_of_settings
from datasets.errors import AnalysisError, Cancelled, Invalid
from datasets.kinds.kind import Kind, Progress
from datasets.models import AnalysisTask, Status
from sources.pulse import Pulse

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
TEMPORARY = ".temp-"
SHARE_OF_SNAPSHOTS = 0.5
MOST_STEP = 200


class Execution:
    """One attempt at one task, which this process has claimed."""

    def __init__(self, task: AnalysisTask) -> None:
        self._task = task
        self._progress = self._told = (0.0, "")
        self._pulse = Pulse(self._beat, BEAT_SECONDS)
        self._deadline = time.monotonic() + limits_of_settings().seconds

    def perform(self) -> Status:
        """The status with which the task ended. Raises django.db.Error."""
        with self._pulse:
            status, fields = self._outcome()
        analyses.finish(self._task, status, **fields)
        return status

    def _outcome(self) -> tuple[Status, dict[str, Any]]:
        try:
            return Status.SUCCESS, self._analyse()
        except Cancelled:
            return Status.CANCELLED, {}
        except AnalysisError as error:
            return Status.FAILED, {"error": error.code, "detail": storable(str(error))}
        except Invalid as error:
            return Status.FAILED, {"error": "invalid", "detail": f"What was asked for is not valid any more: {error}"}
        except DatabaseError as error:
            return self._broke(error, "The database is away or refuses; the analysis may be tried again.")
        except Exception as error:
            return self._broke(error, "An error in Data Handler itself; its log has the details.")

    def _broke(self, error: Exception, detail: str) -> tuple[Status, dict[str, Any]]:
        logger.exception("The analysis %s of %s broke.", self._task.pk, self._task.dataset)
        return Status.FAILED, {"error": "internal", "detail": f"{detail} ({type(error).__name__})"}

    def _analyse(self) -> dict[str, Any]:
        """What the task is to end with."""
        kind = parameters.kind_of(self._task.kind)
        settings.SNAPSHOTS_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        folders = self._snapshots()
        data = self._run(kind, folders)
        read = [snapshot.read(folder) for folder in folders]
        described = storable(msgspec.to_builtins(read))
        chosen = [selections.read(one) for one in self._task.selections]
        return {
            "result": {"kind": kind.name, "version": kind.version, "snapshots": described, "data": storable(data)},
            "snapshots": [{name: one[name] for name in one if name != "columns"} for one in described],
            "kind_version": kind.version,
            "cache_key": analyses.cache_key(chosen, kind, self._task.parameters, [one.id for one in read]),
            "progress": 1.0,
        }

    def _snapshots(self) -> list[Path]:
        count = len(self._task.selections)
        folders = []
        for number, document in enumerate(self._task.selections):
            dataset = selections.dataset_of(selections.read(document))
            share = SHARE_OF_SNAPSHOTS / count
            progress = self._part(number * share, (number + 1) * share)
            progress(0.0, f"Taking a snapshot of {dataset.name}")
            ended, now = self._pulse.ended, self._task.created_at
            folders.append(snapshots.obtain(dataset, now, progress, ended, self._limits()))
        return folders

    def _run(self, kind: Kind[Any], folders: list[Path]) -> dict[str, Any]:
        limits = self._limits()
        progress = self._part(SHARE_OF_SNAPSHOTS, 1.0)
        progress(0.0, kind.title)
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=settings.SNAPSHOTS_DIR) as temp:
            request = {
                "kind": kind.name,
                "parameters": self._task.parameters,
                "folders": [str(folder) for folder in folders],
                "modules": settings.DATASETS_EXTRA_KINDS,
                "memory_bytes": limits.memory_bytes,
                "threads": settings.ANALYSIS_THREADS,
                "temp": temp,
            }
            found: dict[str, Any] = children.run(
                "datasets.engine.analyse", request, limits, progress, self._pulse.ended
            )
            return found

    def _limits(self) -> Limits:
        """With the time that is left."""
        return limits_of_settings()._replace(seconds=max(0.0, self._deadline - time.monotonic()))

    def _part(self, start: float, end: float) -> Progress:
        """The progress of something that takes the task from one share to another."""

        def progress(share: float, step: str) -> None:
            self._progress = (start + (end - start) * min(max(share, 0.0), 1.0), storable(step)[:MOST_STEP])

        return progress

    def _beat(self) -> bool:
        self._task.progress, self._task.step = progress = self._progress
        lives = analyses.beat(self._task, progress=progress[0], step=progress[1])
        if lives and progress != self._told:
            self._told = progress
            announcements.announce(self._task)
        return lives


def work(seconds: float) -> int:
    """Carry out pending tasks until there are none or the time is up; how many. One under way is not cut short."""
    deadline, done = time.monotonic() + seconds, 0
    while time.monotonic() < deadline and (task := analyses.claim()) is not None:
        Execution(task).perform()
        done += 1
    return done
