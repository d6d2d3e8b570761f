"""Whole runs: from a provider's answers to records, and what is left behind."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from ingest.flush import flush
from ingest.models import Event
from sources import runs, saving
from sources.execution import Execution
from sources.models import Record, Run, Source, Status, Trigger
from tests.sources.provider import Provider, data, running, status, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]

ANSWERS = [path.read_bytes() for path in sorted((Path(__file__).parent / "data").glob("provider_events_*.xml"))]

EVENTS: dict[str, Any] = {
    "version": 1,
    "decode": {"format": "xml", "path": "eventList.output.base_event", "force_list": ["event", "zone"]},
    "normalize": {"explode": ["event"]},
    "map": [
        {"to": "id", "from": '"-base_event_id"', "required": True},
        {"to": "event_id", "from": '"event.-event_id"'},
        {"to": "title", "from": '"-title"', "type": "text"},
        {"to": "mode", "from": '"-sell_mode"'},
        {"to": "starts_at", "from": '"event.-event_start_date"', "type": "time", "time_zone": "Europe/Madrid"},
        {"to": "ends_at", "from": '"event.-event_end_date"', "type": "time", "time_zone": "Europe/Madrid"},
        {"to": "zones", "from": '"event.zone"'},
    ],
    "filter": {"field": "mode", "op": "eq", "value": "online"},
    "load": {"kind": "upsert", "key": ["id", "event_id"], "starts_at": "starts_at", "ends_at": "ends_at"},
    "schedule": {"every_seconds": 60},
}


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    settings.SOURCES_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.SOURCES_HOST_REQUESTS_PER_SECOND = 1000
    with running() as provider:
        yield provider


def make(document: dict[str, Any], url: str, name: str = "events") -> Source:
    source = Source(name=name)
    saving.save(source, {**document, "extract": {"kind": "http", "url": url, **document.get("extract", {})}})
    return source


def run_once(source: Source) -> Run:
    asked = runs.request(source, Trigger.HAND)
    claimed = runs.claim()
    assert claimed == asked
    Execution(claimed).perform()
    return Run.objects.get(pk=asked.pk)


def values() -> dict[str, Any]:
    return {record.key: record.value for record in Record.objects.order_by("key")}


def test_the_three_answers_of_the_provider_become_the_right_records(provider: Provider) -> None:
    url = provider.on("/events.xml", *(whole(answer, Content_Type="text/xml") for answer in ANSWERS))
    source = make(EVENTS, url)
    first, second, third = (run_once(source) for _ in ANSWERS)
    for run in (first, second, third):
        assert run.status == Status.SUCCESS, run.detail
    assert first.counts["inserted"] == 2
    assert (second.counts["updated"], second.counts.get("inserted", 0)) == (2, 0)
    assert third.counts["inserted"] == 1
    assert set(values()) == {"291|291", "1591|1642", "322|1642"}
    assert first.counts["reasons"] == {"map: bad_time": 1}
    assert "2021-09-31T20:00:00" in first.rejected[0]["detail"]
    record = Record.objects.get(key="291|291")
    assert record.starts_at == datetime(2021, 6, 30, 19, 0, tzinfo=UTC)
    assert record.value["title"] == "Camela en concierto"


def test_nothing_new_is_a_skipped_run(provider: Provider) -> None:
    url = provider.on("/a.json", data([{"id": 1}], ETag='"x"'), status(304))
    source = make({"version": 1, "load": {"kind": "upsert", "key": ["id"]}}, url)
    assert run_once(source).status == Status.SUCCESS
    again = run_once(source)
    assert (again.status, again.error) == (Status.SKIPPED, "not_modified")
    assert provider.asked("/a.json")[1].headers["if-none-match"] == '"x"'


def test_a_failure_is_told_counted_and_leaves_the_state_alone(provider: Provider) -> None:
    url = provider.on("/a.json", data([{"id": 1}], ETag='"x"'), status(404))
    source = make({"version": 1, "load": {"kind": "upsert", "key": ["id"]}}, url)
    run_once(source)
    source.refresh_from_db()
    state = source.state
    assert state["etag"] == '"x"'
    failed = run_once(source)
    source.refresh_from_db()
    assert (failed.status, failed.error, source.failures) == (Status.FAILED, "http_404", 1)
    assert source.state == state
    assert any(line.level == "error" for line in failed.log.all())
    assert values() == {"1": {"id": 1}}


def test_failures_in_a_row_raise_an_alert_once_and_success_ends_it(provider: Provider) -> None:
    url = provider.on("/a.json", *[status(404)] * 4, data([{"id": 1}]))
    source = make({"version": 1, "load": {"kind": "upsert", "key": ["id"]}}, url)
    for _ in range(5):
        run_once(source)
    flush()
    alerts = Event.objects.filter(stream__name="alerts").order_by("id")
    assert [(alert.type, alert.payload["failures"]) for alert in alerts] == [
        ("source.failing", 3),
        ("source.recovered", 4),
    ]


def test_the_cursor_goes_on_with_the_rows(provider: Provider) -> None:
    url = provider.on("/a.json", data([{"id": 1, "at": 10}, {"id": 2, "at": 30}]), data([{"id": 3, "at": 31}]))
    document = {
        "version": 1,
        "load": {"kind": "upsert", "key": ["id"]},
        "extract": {"cursor": {"field": "at", "parameter": "since", "initial": "0"}},
    }
    source = make(document, url)
    first, second = run_once(source), run_once(source)
    assert first.state_after
    assert second.state_after
    assert (first.state_before.get("cursor"), first.state_after["cursor"]) == (None, 30)
    assert second.state_after["cursor"] == 31
    assert [request.query["since"] for request in provider.asked("/a.json")] == ["0", "30"]
    assert set(values()) == {"1", "2", "3"}
