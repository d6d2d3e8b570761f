"""Logging in: failed attempts are counted by address and by user name, and too many have to wait."""

import hashlib
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_post_parameters

from access import audit
from access.addresses import client_address, network
from access.rates import Spent, rates

TOO_MANY = "too_many_attempts"

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
    """A log-in view that answers 429 with Retry-After where its form, a LimitedForm, refused to look."""

    @sensitive_post_parameters()
    def answer(request: HttpRequest) -> HttpResponseBase:
        response = view(request)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if isinstance(response, TemplateResponse) and isinstance(form, LimitedForm) and form.spent is not None:
            response.status_code = 429
            response["Retry-After"] = str(form.spent.wait_seconds)
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
    looked = [rates().look(settings.LOGIN_ATTEMPTS_PER_MINUTE, *place) for place in _places(request, name)]
    return max((spent for spent in looked if spent), key=lambda spent: spent.wait_seconds, default=None)


def _places(request: HttpRequest, name: str) -> list[tuple[str, str]]:
    """Names are kept as hashes: people type passwords into the wrong field."""
    places = [("log-in name", hashlib.sha256(name.encode()).hexdigest())] if name else []
    address = client_address(request)
    return [*places, ("log-in address", network(address))] if address else places


def count_failure(
    sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    if request is not None:
        for place in _places(request, str(credentials.get("username") or "")):
            rates().hit(settings.LOGIN_ATTEMPTS_PER_MINUTE, *place)


user_login_failed.connect(count_failure, dispatch_uid="access.log_in.failed")
