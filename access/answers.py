"""Errors as answers of Django and Django REST framework."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from access import errors
from access.errors import QuotaExceeded, ServiceError, error_body, request_id
from access.throttles import PerPrincipal

REFUSALS = (errors.PermissionDenied, PermissionDenied, exceptions.PermissionDenied)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's hook: every error of a view, in our shape, as JSON whatever was asked for."""
    request = context["request"]
    number = request_id(request.headers.get("X-Request-ID"))
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    if isinstance(error, REFUSALS):
        error = _counted(error, request, context["view"])
    if isinstance(error, ServiceError):
        body = error_body(error.code, error.detail, number)
        return Response(body, status=error.status, headers={**error.headers(), "X-Request-ID": number})
    if isinstance(error, DjangoValidationError):  # of a value that reached a query, such as a cursor
        error = exceptions.ValidationError(error.messages)
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    code, detail, more = _describe(error, response)
    response.data = error_body(code, detail, number, **more)
    response["X-Request-ID"] = number
    return response


def _counted(refusal: Exception, request: Any, view: Any) -> Exception:
    """The refusal, or what is said when too many were asked for: asking for what one may not have has a limit too."""
    if PerPrincipal in view.throttle_classes:
        try:
            PerPrincipal().allow_request(request, view)
        except QuotaExceeded as error:
            return error
    return refusal


def _describe(error: Exception, response: Response) -> tuple[str, str, dict[str, Any]]:
    if isinstance(error, Http404):
        return "not_found", "There is nothing at this address.", {}
    if isinstance(error, PermissionDenied):
        return "permission_denied", "You may not do this.", {}
    if isinstance(error, exceptions.ValidationError):
        return "invalid", "Some fields are not right.", {"fields": response.data}
    assert isinstance(error, exceptions.APIException)
    return str(error.get_codes()), str(error.detail), {}


def page_error(request: HttpRequest, status: int, detail: str) -> HttpResponseBase:
    """An error outside the API's views, for Django's `handler404` and its siblings."""
    number = request_id(request.headers.get("X-Request-ID"))
    code = HTTPStatus(status).phrase.lower().replace(" ", "_")
    response = JsonResponse(error_body(code, detail, number), status=status)
    response["X-Request-ID"] = number
    return response
