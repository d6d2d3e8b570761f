from django.http import HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware


class SameMethodRedirect(HttpResponsePermanentRedirect):
    """308 (RFC 9110): a POST stays a POST, with its body."""

    status_code = 308


class Common(CommonMiddleware):
    response_redirect_class = SameMethodRedirect
