"""What a run says about itself, for people; capped, for a run may have millions of rows to complain of."""

from contextlib import suppress

from django.db import IntegrityError
from django.utils import timezone

from sources.models import Run, RunLog

MOST_LINES = 500
MOST_CHARACTERS = 2000


class Log:
    """Lines are written at once: whoever looks on sees them."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lines = RunLog.objects.filter(run=run).count()

    def info(self, message: str) -> None:
        self._write("info", message)

    def warning(self, message: str) -> None:
        self._write("warning", message)

    def error(self, message: str) -> None:
        self._write("error", message)

    def _write(self, level: str, message: str) -> None:
        self._lines += 1
        if self._lines == MOST_LINES:
            level, message = "warning", f"More than {MOST_LINES} lines: the rest is not kept."
        if self._lines <= MOST_LINES:
            text = message.replace("\x00", "\\0")[:MOST_CHARACTERS]
            with suppress(IntegrityError):  # the run was deleted with its source
                RunLog.objects.create(run=self._run, at=timezone.now(), level=level, message=text)
