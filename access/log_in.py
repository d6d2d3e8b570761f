"""Logging in: failed attempts are counted, and too many have to wait.

As OWASP has it ("Slow Down Online Guessing Attacks with Device Cookies"): a browser in which somebody has logged in
keeps a signed cookie, and what it gets wrong for that user name counts for itself alone. So nobody else, at the same
address neither, keeps people out of where they usually log in. All other attempts count for their address, and for the
user name from everywhere, where NAME_LIMITS times as many may fail.
"""

import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.signals import user_login_failed
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_post_parameters

from access import audit
from access.addresses import client_address, network
from access.rates import Spent, rates

TOO_MANY = "too_many_attempts"
NAME_LIMITS = 10
COOKIE = "data_handler_browser"
COOKIE_SECONDS = 90 * 86_400

View = Callable[[HttpRequest], HttpResponseBase]


class LimitedForm(AuthenticationForm):
    """Looks at no password while an address or a user name has to wait."""

    spent: Spent | None = None

    def clean(self) -> dict[str, Any]:
        if self.request is not None:
            self.spent = _spent(self.request, self.cleaned_data.get("username", ""))
        if self.spent is not None:
            raise ValidationError(
                f"Too many failed attempts. Try again in {self.spent.wait_seconds} seconds.", code=TOO_MANY
            )
        return super().clean()


def limited(view: View) -> View:
    """A log-in view that answers 429 with Retry-After where its form, a LimitedForm, refused to look.

    A browser that logs in is known from then on.
    """

    @sensitive_post_parameters()
    def answer(request: HttpRequest) -> HttpResponseBase:
        response = view(request)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if isinstance(response, TemplateResponse) and isinstance(form, LimitedForm) and form.spent is not None:
            response.status_code = 429
            response["Retry-After"] = str(form.spent.wait_seconds)
        if request.method == "POST" and request.user.is_authenticated:
            _know(request, response)
        return response

    return answer


@transaction.atomic
def password_change(request: HttpRequest) -> HttpResponseBase:
    """The administration's page to change one's own password, noted in the audit log."""
    response = admin.site.password_change(request)
    if request.method == "POST" and response.status_code == 302:
        audit.record(request, "user.password", "user", request.user.pk, request.user.get_username())
    return response


def _spent(request: HttpRequest, name: str) -> Spent | None:
    looked = [rates().look(most, *place) for most, *place in _places(request, name)]
    return max((spent for spent in looked if spent), key=lambda spent: spent.wait_seconds, default=None)


def _places(request: HttpRequest, name: str) -> list[tuple[int, str, str]]:
    """Where an attempt counts, and how many may fail there in a minute."""
    most = settings.LOGIN_ATTEMPTS_PER_MINUTE
    if browser := _known_browser(request, name):
        return [(most, "log-in browser", browser)]
    places = [(NAME_LIMITS * most, "log-in name", _hashed(name))] if name else []
    address = client_address(request)
    return [*places, (most, "log-in address", network(address))] if address else places


def _hashed(name: str) -> str:
    """Names are kept as hashes: people type passwords into the wrong field."""
    return hashlib.sha256(name.encode(errors="replace")).hexdigest()


def _known_browser(request: HttpRequest, name: str) -> str | None:
    """That of the cookie, if its user has this name."""
    try:
        user, browser = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=COOKIE_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    return str(browser) if name and user == _hashed(name) else None


def _know(request: HttpRequest, response: HttpResponseBase) -> None:
    name = request.user.get_username()
    browser = _known_browser(request, name) or secrets.token_hex(16)
    response.set_cookie(
        COOKIE,
        signing.dumps([_hashed(name), browser], salt=COOKIE),
        max_age=COOKIE_SECONDS,
        path=request.path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def count_failure(
    sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    if request is not None:
        for most, *place in _places(request, str(credentials.get("username") or "")):
            rates().hit(most, *place)


user_login_failed.connect(count_failure, dispatch_uid="access.log_in.failed")
