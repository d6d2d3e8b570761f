"""Keys that are none, counted by the address that sends them: past LOGIN_ATTEMPTS_PER_MINUTE it has to wait."""

from django.conf import settings
from django.http import HttpRequest

from access.addresses import client_address, network
from access.rates import exceeded, rates

NAME = "wrong key"


def check(request: HttpRequest) -> None:
    """Raises QuotaExceeded for an address that has sent too many."""
    most, address = settings.LOGIN_ATTEMPTS_PER_MINUTE, client_address(request)
    spent = rates().look(most, NAME, network(address)) if address else None
    if spent is not None:
        raise exceeded(
            f"Too many requests with a wrong key came from your address. Try again in {spent.wait_seconds} s,"
            " with a key that is valid.",
            *("wrong keys", most, 60, spent),
        )


def count(request: HttpRequest) -> None:
    if address := client_address(request):
        rates().hit(settings.LOGIN_ATTEMPTS_PER_MINUTE, NAME, network(address))
