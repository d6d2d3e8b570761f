"""Limits of the management API. Taking events in has quotas of its own (`ingest.quotas`)."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from access.rates import exceeded, rates

if TYPE_CHECKING:  # the framework's views import this module by way of the settings
    from rest_framework.views import APIView


class PerPrincipal(BaseThrottle):
    """MANAGEMENT_REQUESTS_PER_MINUTE for each user and each key. Raises QuotaExceeded. Counts a request once.

    The framework asks for permission first; `access.answers` sees to it that what was refused is counted too.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        from access.authentication import principal  # reads models, which the settings come before

        if not request.user.is_authenticated or getattr(request, "is_counted", False):
            return True
        request.is_counted = True  # type: ignore[attr-defined]
        most = settings.MANAGEMENT_REQUESTS_PER_MINUTE
        spent = rates().hit(most, "management", principal(request).name)
        if spent is None:
            return True
        raise exceeded(
            f"You may send {most} requests a minute to this API. Try again in {spent.wait_seconds} s.",
            *("requests", most, 60, spent),
        )
