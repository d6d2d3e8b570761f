"""Why a request's events are not taken, or not given.

ServiceError                     access.errors: status, code, detail, retry_after_seconds
├── QueryTooSlow                 503: of events or records that are read
└── IngestError
    ├── BadRequest               400, the code says which
    ├── PayloadTooLarge          413
    ├── TooManyEvents            413
    ├── UnsupportedMediaType     415
    ├── UnsupportedEncoding      415
    └── Unavailable              503, with retry_after_seconds
        ├── BufferFull
        ├── BufferUnreachable
        └── Draining
ClientDisconnected               nobody is left to be told
"""

from access.errors import ServiceError


class IngestError(ServiceError):
    """None of the request's events was kept."""


class BadRequest(IngestError):
    status, code = 400, "bad_request"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail, code=code)


class PayloadTooLarge(IngestError):
    status, code = 413, "payload_too_large"


class TooManyEvents(IngestError):
    status, code = 413, "too_many_events"


class UnsupportedMediaType(IngestError):
    status, code = 415, "unsupported_media_type"


class UnsupportedEncoding(IngestError):
    status, code = 415, "unsupported_encoding"


class Unavailable(IngestError):
    """The same request may be sent again after `retry_after_seconds`."""

    status, code = 503, "unavailable"

    def __init__(self, detail: str, *, retry_after_seconds: int) -> None:
        super().__init__(detail, retry_after_seconds=retry_after_seconds)


class BufferFull(Unavailable):
    code = "buffer_full"


class BufferUnreachable(Unavailable):
    code = "buffer_unreachable"


class Draining(Unavailable):
    code = "draining"


class QueryTooSlow(ServiceError):
    """No Retry-After: the same query would hardly be faster later."""

    status, code = 503, "query_too_slow"

    def __init__(self, seconds: float, advice: str) -> None:
        """`advice`: what would be faster, as a sentence."""
        super().__init__(f"The query was ended after {seconds:g} s (QUERY_TIMEOUT_SECONDS). {advice}")


class ClientDisconnected(Exception):
    """The client went away before its request was read."""
