"""Every write of the API leaves one entry in the audit log: a new one needs a row in WRITES."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from access.keys import create_key
from access.models import AuditEntry, Role
from datasets.models import AnalysisTask
from ingest import chunks
from ingest.flush import flush
from ingest.models import FieldIndex
from sources import saving
from sources.models import Record, Run, Source, Status, Trigger, Upload
from tests.datasets.making import make_dataset
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream, push_chunk
from tests.people import browser, person

HTTP = {
    "version": 1,
    "extract": {"kind": "http", "url": "https://example.org/x", "cursor": {"field": "at", "parameter": "since"}},
    "load": {"kind": "upsert", "key": ["id"]},
}
DAY = {"starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-02T00:00:00Z"}
INDEX = {"path": "payload.site", "kind": "text"}
RECORD = {"key": "new", "value": {"a": 1}}
DATASET = {"name": "d", "kind": "events", "definition": {"streams": ["sensors"]}}
FILE = "the definition of a source that reads the upload"
NOTHING = ""

WRITES: dict[str, tuple[str, str, Any, str]] = {
    "ApiKeyViewSet.create": ("post", "keys/", {"name": "n", "scopes": ["read"]}, "key.create"),
    "ApiKeyViewSet.destroy": ("delete", "keys/{key}/", None, "key.revoke"),
    "StreamViewSet.create": ("post", "streams/", {"name": "new"}, "stream.create"),
    "StreamViewSet.partial_update": ("patch", "streams/sensors/", {"retention_days": 7}, "stream.update"),
    "FieldIndexViewSet.create": ("post", "streams/sensors/indexes/", INDEX, "index.create"),
    "FieldIndexViewSet.destroy": ("delete", "streams/sensors/indexes/{index}/", None, "index.delete"),
    "DeadLetterViewSet.destroy": ("delete", "dead-letters/{letter}/", None, "dead_letter.discard"),
    "DeadLetterViewSet.replay": ("post", "dead-letters/{letter}/replay/", {}, "dead_letter.replay"),
    "DeadLetterViewSet.replay_many": ("post", "dead-letters/replay/?stream=sensors", None, "dead_letter.replay"),
    "DeadLetterViewSet.discard_many": ("post", "dead-letters/discard/?limit=1", None, "dead_letter.discard"),
    "SourceViewSet.create": ("post", "data_sources/", {"name": "n", "definition": HTTP}, "source.create"),
    "SourceViewSet.partial_update": ("patch", "data_sources/{source}/", {"active": False}, "source.disable"),
    "SourceViewSet.destroy": ("delete", "data_sources/{source}/", None, "source.delete"),
    "SourceViewSet.run": ("post", "data_sources/{source}/run/", None, "run.request"),
    "SourceViewSet.backfill": ("post", "data_sources/{source}/backfill/", DAY, "run.backfill"),
    "SourceViewSet.start_over": ("post", "data_sources/{source}/start-over/", None, "source.start_over"),
    "SourceViewSet.try_saved": ("post", "data_sources/{source}/test/", FILE, NOTHING),
    "SourceViewSet.preview_saved": ("post", "data_sources/{source}/preview/", FILE, NOTHING),
    "SourceViewSet.try_new": ("post", "data_sources/test/", FILE, NOTHING),
    "SourceViewSet.preview_new": ("post", "data_sources/preview/", FILE, NOTHING),
    "SourceViewSet.validate": ("post", "data_sources/validate/", {"definition": HTTP}, NOTHING),
    "RunViewSet.cancel": ("post", "runs/{pending}/cancel/", None, "run.cancel"),
    "RunViewSet.retry": ("post", "runs/{failed}/retry/", None, "run.retry"),
    "RecordViewSet.create": ("post", "records/", RECORD, "record.create"),
    "RecordViewSet.update": ("put", "records/{record}/", RECORD, "record.update"),
    "RecordViewSet.partial_update": ("patch", "records/{record}/", {"value": {"a": 2}}, "record.update"),
    "RecordViewSet.destroy": ("delete", "records/{record}/", None, "record.delete"),
    "RecordViewSet.upsert": ("post", "records/upsert/", [RECORD, {**RECORD, "key": "b"}], "record.upsert"),
    "DatasetViewSet.create": ("post", "datasets/", DATASET, "dataset.create"),
    "DatasetViewSet.partial_update": ("patch", "datasets/{dataset}/", {"tags": ["t"]}, "dataset.update"),
    "DatasetViewSet.destroy": ("delete", "datasets/{dataset}/", None, "dataset.delete"),
    "DatasetViewSet.upload": ("post", "datasets/upload/?name=b.csv", b"a\n1\n", "dataset.create"),
    "DatasetViewSet.process": (
        *("post", "datasets/{dataset}/process/", {"kind": "schema", "fresh": True}, "analysis.request"),
    ),
    "TaskViewSet.cancel": ("post", "tasks/{analysis}/cancel/", None, "analysis.cancel"),
    "TaskViewSet.retry": ("post", "tasks/{failed_analysis}/retry/", None, "analysis.retry"),
    "UploadViewSet.create": ("post", "uploads/?name=a.csv", b"a\n1\n", "upload.create"),
    "UploadViewSet.destroy": ("delete", "uploads/{upload}/", None, "upload.delete"),
}


def written(patterns: list[Any]) -> Iterator[str]:
    """`View.action` of every address of the API that takes something else than reading."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from written(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and (view := getattr(pattern.callback, "cls", None)):
            actions = getattr(pattern.callback, "actions", None)
            names = actions or {name: name for name in view.http_method_names if hasattr(view, name)}
            allowed = set(view.http_method_names) & {"post", "put", "patch", "delete"}
            yield from (f"{view.__name__}.{action}" for method, action in names.items() if method in allowed)


def test_every_write_of_the_api_is_in_the_table() -> None:
    assert set(written(get_resolver().url_patterns)) == set(WRITES)


@pytest.fixture
def staff(db: None) -> Client:
    return browser(person(Role.ADMIN, name="boss"))


@pytest.fixture
def world(redis_clean: Any, staff: Client) -> dict[str, Any]:
    """One of each thing, by what its id is called in WRITES."""
    stream = make_stream()
    chunk = push_chunk(stream, [make_event(payload=BAD_PAYLOAD), make_event(payload=BAD_PAYLOAD)])
    flush()
    now = datetime.now(UTC)
    source, failing, waiting = (Source(name=name) for name in ("s", "failing", "waiting"))
    for one in (source, failing, waiting):
        saving.save(one, HTTP)
    dataset, other = make_dataset("old", streams=["sensors"]), make_dataset("other", streams=["sensors"])
    AnalysisTask.objects.filter(dataset=dataset).update(status="success")
    AnalysisTask.objects.filter(dataset=other).update(status="failed")
    uploaded = staff.post("/api/uploads/?name=a.csv", b"id\n1\n", content_type="text/csv").json()
    return {
        "key": create_key("old")[0].pk,
        "letter": chunks.event_id(chunk, 0),
        "index": FieldIndex.objects.create(stream=stream, path="payload.a", kind="number").pk,
        "source": source.pk,
        "failed": _run(failing, Status.FAILED),
        "pending": _run(waiting, Status.PENDING),
        "record": Record.objects.create(key="k", value={}, hash=b"", created_at=now, updated_at=now).pk,
        "dataset": dataset.pk,
        "analysis": dataset.tasks.get().pk,
        "failed_analysis": other.tasks.get().pk,
        "upload": Upload.objects.get(pk=uploaded["id"]).pk,
    }


def _run(source: Source, status: Status) -> Any:
    return Run.objects.create(source=source, version=1, status=status, trigger=Trigger.API).pk


@pytest.mark.parametrize("name", WRITES)
def test_a_write_leaves_one_entry(name: str, staff: Client, world: dict[str, Any]) -> None:
    method, address, body, action = WRITES[name]
    if body == FILE:
        extract = {"kind": "file", "upload": str(world["upload"])}
        body = {"definition": {"version": 1, "extract": extract, "load": {"kind": "upsert", "key": ["id"]}}}
    AuditEntry.objects.all().delete()
    kind = {"content_type": "text/csv" if isinstance(body, bytes) else "application/json"}
    given = {} if body is None else {"data": body, **kind}
    answer = getattr(staff, method)(f"/api/{address.format(**world)}", **given)
    assert 200 <= answer.status_code < 300, answer.content
    user = get_user_model().objects.get()
    found = list(AuditEntry.objects.values_list("action", "actor", "actor_name", "address"))
    assert found == ([(action, f"user:{user.pk}", "boss", "127.0.0.1")] if action else [])


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("post", "keys/", {"name": "n", "scopes": ["nothing"]}),
        ("post", "streams/", {"name": "sensors"}),
        ("post", "streams/sensors/indexes/", {"path": "site", "kind": "text"}),
        ("post", "data_sources/", {"name": "n", "definition": {}}),
        ("post", "runs/{pending}/retry/", {}),
        ("post", "data_sources/{source}/backfill/", {**DAY, "ends_at": DAY["starts_at"]}),
        ("post", "records/upsert/", [{"key": "a"}]),
        ("post", "datasets/", {**DATASET, "name": "old"}),
        ("post", "datasets/{dataset}/process/", {"kind": "guess"}),
        ("post", "tasks/{analysis}/retry/", {}),
    ],
)
def test_a_write_that_was_refused_leaves_none(
    method: str, address: str, body: Any, staff: Client, world: dict[str, Any]
) -> None:
    AuditEntry.objects.all().delete()
    answer = getattr(staff, method)(f"/api/{address.format(**world)}", body, content_type="application/json")
    assert 400 <= answer.status_code < 500, answer.content
    assert not AuditEntry.objects.exists()
