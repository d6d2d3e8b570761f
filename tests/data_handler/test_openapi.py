"""The API's description, as a client generator reads it."""

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from access.models import Role
from tests.people import person


@pytest.fixture(scope="module")
def description() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


def test_it_is_valid_openapi(description: Any) -> None:
    assert description["openapi"].startswith("3.1")
    validate_schema(description)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("path", ["/api/events/", "/api/streams/{stream}/events/"])
def test_sending_is_described_with_every_status(description: Any, path: str) -> None:
    sending = description["paths"][path]["post"]
    assert set(sending["responses"]) == {"200", "202", "400", "401", "403", "413", "415", "429", "503"}
    assert {"application/json", "application/x-ndjson", "application/cloudevents+json"} <= set(
        sending["requestBody"]["content"]
    )


def test_every_operation_has_its_own_name_and_asks_for_credentials(description: Any) -> None:
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(operation["security"] for operation in operations)


def test_everything_that_is_referred_to_is_there(description: Any) -> None:
    schemas = description["components"]["schemas"]
    for name in ("Error", "EventError", "Acknowledgement"):
        assert name in schemas


@pytest.mark.django_db
def test_swagger_ui_is_served_without_another_host() -> None:
    client = Client()
    assert client.get("/api/schema/swagger-ui/").status_code == 302
    client.force_login(person(Role.VIEWER))
    page = client.get("/api/schema/swagger-ui/").content.decode()
    assert "https://" not in page
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in page


@pytest.mark.django_db
def test_an_unknown_address_is_an_error_of_the_usual_shape() -> None:
    answer = Client().get("/api/nothing/", headers={"x-request-id": "mine"})
    assert (answer.status_code, answer.json()["error"], answer.json()["request_id"]) == (404, "not_found", "mine")
