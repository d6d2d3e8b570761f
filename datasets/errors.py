"""Why a dataset is not taken, and why an analysis ends.

InvalidDataset              the definition makes no sense, by the place in it
AnalysisError               the analysis fails; `code` is for programs, the message says what was wrong and what to do
├── Refused                 the data or the parameters do not fit this kind of analysis
├── TimeLimitExceeded
├── MemoryLimitExceeded
├── SnapshotFailed          the data cannot be had as a table
└── Crashed                 the process of the analysis died
Cancelled                   somebody cancelled the analysis, or it was given up as lost
"""


class InvalidDataset(ValueError):
    """`place`: the member of the definition, such as `window.last`."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


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
