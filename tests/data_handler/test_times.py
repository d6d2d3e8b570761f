"""Times in answers of the management API have one form: UTC, with a Z."""

from typing import Any

import pytest
from django.test import Client

from access.models import Role
from sources.models import Run
from tests.access.endpoints import ENDPOINTS
from tests.access.test_matrix import things
from tests.people import browser, person

__all__ = ["things"]  # a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


def content(client: Client, address: str) -> bytes:
    answer: Any = client.get(address)
    assert answer.status_code == 200, (address, answer.content)
    return bytes(answer.content)


def test_no_time_is_written_in_another_way(things: dict[str, object]) -> None:
    client = browser(person(Role.ADMIN))
    given = {"source": things["source"], "key": "t", "value": 1, "starts_at": "2026-01-01T02:00:00+02:00"}
    assert client.post("/api/records/", given, "application/json").json()["starts_at"] == "2026-01-01T00:00:00Z"
    Run.objects.update(window_start="2026-01-01T00:00:00Z", window_end="2026-01-02T00:00:00Z")
    asked = [one.address for one in ENDPOINTS if one.method == "get" and one.address.startswith("/api/")]
    unseen = ("/api/events/{event}/", "/api/schema")
    for address in [*asked, "/api/stats/", "/api/stats/top-records/"]:  # these once more, from the cache
        if not address.startswith(unseen) and not address.endswith("export/"):
            assert b"+00:00" not in content(client, address.format(**things)), address
