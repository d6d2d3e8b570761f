"""What a page or the API answers while PostgreSQL is away."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponseBase

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5
DETAIL = "The database does not answer. Events are still accepted; see /health/ready."


class DatabaseOutage:
    """Middleware: 503 with Retry-After, and one line in the log, where Django would write a traceback for each."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        from data_handler.urls import error_page  # the addresses need the settings, which name this module

        logger.warning("%s %s: the database (DATABASE_URL): %s", request.method, request.path, str(exception).strip())
        answer = error_page(request, 503, DETAIL)
        answer["Retry-After"] = str(RETRY_SECONDS)
        return answer
