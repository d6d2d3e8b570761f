"""How runs end: what is told of it, and what the source keeps."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from ingest.flush import flush
from ingest.models import Event
from sources import runs, saving
from sources.execution import Execution
from sources.models import Record, Run, Source, Status, Trigger
from tests.sources.provider import Provider, data, running, status

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]

DOCUMENT: dict[str, Any] = {"version": 1, "load": {"kind": "upsert", "key": ["id"]}}
CURSOR = {"field": "at", "parameter": "since"}


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    settings.SOURCES_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.SOURCES_HOST_REQUESTS_PER_SECOND = 1000
    with running() as provider:
        yield provider


def make(url: str, extract: dict[str, Any] | None = None, **document: Any) -> Source:
    source = Source(name="prices")
    saving.save(source, {**DOCUMENT, "extract": {"kind": "http", "url": url, **(extract or {})}, **document})
    return source


def begun(source: Source) -> Run:
    runs.request(source, Trigger.HAND)
    run = runs.claim()
    assert run is not None
    return run


def run_once(source: Source) -> Run:
    run = begun(source)
    Execution(run).perform()
    run.refresh_from_db()
    return run


def alerts() -> list[str | None]:
    flush()
    return list(Event.objects.filter(stream__name="alerts").order_by("id").values_list("type", flat=True))


def test_an_answer_without_news_ends_the_failures_and_the_alert(provider: Provider) -> None:
    url = provider.on("/a", data([{"id": 1}], ETag='"x"'), status(500), status(500), status(304))
    source = make(url, {"attempts": 1}, alert_after_failures=2)
    assert [run_once(source).status for _ in range(4)] == [Status.SUCCESS, Status.FAILED, Status.FAILED, Status.SKIPPED]
    assert alerts() == ["source.failing", "source.recovered"]


def test_who_was_given_up_as_lost_tells_of_no_failure(provider: Provider) -> None:
    source = make(provider.on("/a", status(500)), {"attempts": 1}, alert_after_failures=1)
    run = begun(source)
    Run.objects.update(attempt=2)  # another worker carries it out
    Execution(run).perform()
    assert (Source.objects.get().failures, alerts()) == (0, [])


def test_a_run_that_was_cancelled_is_not_postponed(provider: Provider) -> None:
    run = begun(make(provider.on("/a", data([]))))
    runs.cancel(run)
    runs.postpone(run, timezone.now(), "a rate limit")
    run.refresh_from_db()
    assert run.status == Status.CANCELLED
    assert run.ended_at is not None


def test_a_run_of_which_every_row_was_rejected_has_failed(provider: Provider) -> None:
    url = provider.on("/a", data([{"id": 1, "at": 5}]), data([{"at": 6}, {"at": 7}, {"id": "x" * 300, "at": 8}]))
    source = make(url, {"cursor": CURSOR})
    run_once(source)
    run = run_once(source)
    assert (run.status, run.error) == (Status.FAILED, "all_rejected")
    assert run.detail.startswith("All 3 rows were rejected, 2 of them for load: no_key.")
    assert (Source.objects.get().state["cursor"], Source.objects.get().failures) == (5, 1)


@pytest.mark.parametrize(
    ("rows", "document"),
    [
        ([{"id": 1}, {}], {}),
        ([{"id": 1}, {"id": 2}], {"filter": {"field": "id", "op": "gt", "value": 5}}),
        ([], {}),
    ],
)
def test_one_good_row_or_none_at_all_is_no_failure(
    provider: Provider, rows: list[dict[str, int]], document: dict[str, Any]
) -> None:
    assert run_once(make(provider.on("/a", data(rows)), **document)).status == Status.SUCCESS


def test_where_an_older_definition_came_to_is_not_where_a_newer_one_goes_on(provider: Provider) -> None:
    source = make(provider.on("/a", data([{"id": 1, "at": 5, "number": 9}])), {"cursor": CURSOR})
    run = begun(source)
    document = {**source.definition, "extract": {**source.definition["extract"], "query": {"all": "yes"}}}
    saving.save(source, document)
    assert Execution(run).perform() is Status.SUCCESS
    assert (Source.objects.get().state, Record.objects.count()) == ({}, 1)
