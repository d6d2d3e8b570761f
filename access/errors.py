"""Errors that reach a client, and the one shape in which they do.

ServiceError
├── NotAuthenticated        401
├── PermissionDenied        403
├── QuotaExceeded           429
├── DirectoryUnavailable    503
└── ingest.errors.IngestError …
"""

import re
import secrets
from typing import Any

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class ServiceError(Exception):
    """Something a client is told, with the HTTP status and a stable code that programs can match."""

    status = 500
    code = "internal_error"

    def __init__(self, detail: str, *, code: str | None = None, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.retry_after_seconds = retry_after_seconds

    def headers(self) -> dict[str, str]:
        """Response headers that belong to this error."""
        if self.retry_after_seconds is None:
            return {}
        return {"Retry-After": str(self.retry_after_seconds)}


class NotAuthenticated(ServiceError):
    status, code = 401, "not_authenticated"

    def headers(self) -> dict[str, str]:
        return {**super().headers(), "WWW-Authenticate": 'Bearer realm="data-handler"'}


class PermissionDenied(ServiceError):
    status, code = 403, "permission_denied"


class QuotaExceeded(ServiceError):
    status, code = 429, "quota_exceeded"

    def __init__(self, detail: str, *, policy: str, limit: str, retry_after_seconds: int) -> None:
        super().__init__(detail, retry_after_seconds=retry_after_seconds)
        self.policy = policy
        self.limit = limit

    def headers(self) -> dict[str, str]:
        return {**super().headers(), "RateLimit-Policy": self.policy, "RateLimit": self.limit}


class DirectoryUnavailable(ServiceError):
    status, code = 503, "database_unreachable"


def error_body(code: str, detail: str, request_id: str, **more: Any) -> dict[str, Any]:
    """The body of every error answer."""
    return {"error": code, "detail": detail, "request_id": request_id, **more}


def request_id(given: str | None) -> str:
    """The client's own X-Request-ID where it is usable, else a new one."""
    return given if given and REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
