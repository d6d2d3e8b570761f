"""Why a run ends, and why a row is left out.

SourceError                 the run fails; `code` is for programs, the message says what was wrong and what to do
├── BadDefinition           the source's document cannot be carried out
├── Unreachable             the other side does not answer, or not as agreed; trying later may help
├── Forbidden               the other side refuses us: credentials, permissions
├── AddressRefused          an address that sources may not reach
├── LimitExceeded           more bytes, rows, pages or seconds than the source allows
├── Undecodable             what came is not what the source says it is
└── LoadFailed              the rows cannot be stored
    └── LoadDelayed         not now: the buffer is full or away; trying later may help
NotModified                 the other side has nothing new: the run is skipped
TryLater                    a rate limit: the run goes on at `at`
Cancelled                   somebody cancelled the run
RowRejected                 this row is left out, and said to be

KeyTaken                    there is a record of that source and key
RecordsBusy                 503 (access.errors.ServiceError): a run holds the records of the source
SourceGone                  409 (access.errors.ServiceError): the source was deleted a moment ago
"""

from access.errors import ServiceError


class SourceError(Exception):
    code = "failed"
    temporary = False

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class BadDefinition(SourceError):
    code = "bad_definition"


class Unreachable(SourceError):
    code = "unreachable"
    temporary = True


class Forbidden(SourceError):
    code = "forbidden"


class AddressRefused(SourceError):
    code = "address_refused"


class LimitExceeded(SourceError):
    code = "limit_exceeded"


class Undecodable(SourceError):
    code = "undecodable"


class LoadFailed(SourceError):
    code = "load_failed"


class LoadDelayed(LoadFailed):
    code = "load_delayed"
    temporary = True


class NotModified(Exception):
    pass


class TryLater(Exception):
    """`at`: Unix seconds."""

    def __init__(self, at: float, reason: str) -> None:
        super().__init__(reason)
        self.at = at


class Cancelled(Exception):
    pass


class RowRejected(Exception):
    """`code` is for programs and for counting, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class KeyTaken(Exception):
    """There is a record of that source and key."""


class RecordsBusy(ServiceError):
    status, code = 503, "records_busy"

    def __init__(self) -> None:
        super().__init__(
            "A run is writing the records of this source, all in one transaction. Nothing was changed; try again.",
            retry_after_seconds=10,
        )


class SourceGone(ServiceError):
    status, code = 409, "source_gone"

    def __init__(self) -> None:
        super().__init__("The source was deleted meanwhile, with its records. Nothing was changed.")
