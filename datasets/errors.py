"""Why a dataset is not taken, and why an analysis ends.

Invalid                     a document makes no sense, by the place in it
├── InvalidDataset          the definition of a dataset
└── InvalidAnalysis         the kind of an analysis, or its parameters
NameTaken                   there is another dataset of this name
TooManyTasks                429 (access.errors.ServiceError): so many of one asker wait already
AnalysisError               the analysis fails; `code` is for programs, the message says what was wrong and what to do
├── Refused                 the data or the parameters do not fit this kind of analysis
├── TimeLimitExceeded
├── MemoryLimitExceeded
├── SnapshotFailed          the data cannot be had as a table
└── Crashed                 the process of the analysis died
Cancelled                   somebody cancelled the analysis, or it was given up as lost
"""

import re

import msgspec

from access.errors import ServiceError


class Invalid(ValueError):
    """`place`: the names that lead to the member of the document, such as ("window", "last"); () for the whole."""

    def __init__(self, place: tuple[str, ...], message: str) -> None:
        super().__init__(message)
        self.place = place

    @property
    def pointer(self) -> str:
        """As a JSON Pointer (RFC 6901)."""
        return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in self.place)


class InvalidDataset(Invalid):
    pass


class InvalidAnalysis(Invalid):
    """`field`: `kind` or `parameters`."""

    def __init__(self, field: str, place: tuple[str, ...], message: str) -> None:
        super().__init__(place, message)
        self.field = field


def place_and_message(error: msgspec.ValidationError) -> tuple[tuple[str, ...], str]:
    """What msgspec says of `$.window.last` or `$.streams[1]`."""
    message, _, path = str(error).partition(" - at `$")
    names = re.findall(r"[^.\[\]`]+", path.replace("[...]", ""))
    return tuple(names), message.rstrip(".") + "."


class NameTaken(ValueError):
    pass


class TooManyTasks(ServiceError):
    status, code = 429, "too_many_tasks"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} analyses of yours wait or run: cancel some, or wait.", retry_after_seconds=10)


class AnalysisError(Exception):
    code = "failed"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class Refused(AnalysisError):
    code = "refused"


class TimeLimitExceeded(AnalysisError):
    code = "time_limit"


class MemoryLimitExceeded(AnalysisError):
    code = "memory_limit"


class SnapshotFailed(AnalysisError):
    code = "snapshot_failed"


class Crashed(AnalysisError):
    code = "crashed"


class Cancelled(Exception):
    pass
