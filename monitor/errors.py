"""Errors that a client of the live feed is told, in an `error` frame.

FeedError
├── BadFrame            closes with 4400
├── FrameTooLarge       closes with 4413
├── Unauthenticated     closes with 4401
├── Unreadable          closes with 4403
├── Unavailable         closes with 4503
├── TooManyClients      closes with 4529
├── TooSlow             closes with 4508
├── ShuttingDown        closes with 4501
├── Behind              the client does not keep up; the connection goes on
└── Refused             the frame was understood and had no effect; the connection goes on
"""


class FeedError(Exception):
    """`close_code` 44xx: trying again is in vain; 45xx: come back later; None: the connection goes on."""

    code = "internal_error"
    close_code: int | None = 4500

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code

    @property
    def temporary(self) -> bool:
        return self.close_code is not None and self.close_code >= 4500


class BadFrame(FeedError):
    code, close_code = "bad_frame", 4400


class FrameTooLarge(FeedError):
    code, close_code = "frame_too_large", 4413


class Unauthenticated(FeedError):
    code, close_code = "not_authenticated", 4401


class Unreadable(FeedError):
    code, close_code = "permission_denied", 4403


class Unavailable(FeedError):
    code, close_code = "unavailable", 4503


class TooManyClients(FeedError):
    code, close_code = "too_many_clients", 4529


class TooSlow(FeedError):
    code, close_code = "too_slow", 4508


class ShuttingDown(FeedError):
    code, close_code = "shutting_down", 4501


class Behind(FeedError):
    code, close_code, temporary = "behind", None, True


class Refused(FeedError):
    close_code = None

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message, code=code)
