"""What is written through `/api/records/` is on the live feed, as what runs write."""

from typing import Any

import pytest
import redis
from django.test import Client
from pytest_django import Settings

from ingest import buffer, feed
from sources.models import Record, Source
from tests.sources.test_load_changes import counts, own_producer, shown

__all__ = ["own_producer"]  # a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_producer")]


@pytest.fixture
def source() -> Source:
    return Source.objects.create(name="zones", definition={})


def write(api: Client, method: str, path: str = "", body: Any = None) -> Any:
    answer = getattr(api, method)(f"/api/records/{path}", body, content_type="application/json")
    assert answer.status_code < 300, answer.content
    return answer.json() if answer.content else None


def told(key: str, value: Any, source: str = "zones") -> dict[str, Any]:
    return {"source": source, "key": key, "value": value}


def test_a_record_that_is_made_changed_and_deleted(api: Client, source: Source) -> None:
    path = f"{write(api, 'post', '', {'source': source.pk, 'key': 'a', 'value': {'n': 1}})['id']}/"
    write(api, "patch", path, {"value": {"n": 2}})
    write(api, "patch", path, {"value": {"n": 2}})
    write(api, "patch", path, {"ends_at": "2026-01-01T00:00:00Z"})
    write(api, "delete", path)
    assert shown() == [
        ("records.zones", "inserted", told("a", {"n": 1})),
        ("records.zones", "updated", told("a", {"n": 2})),
        ("records.zones", "updated", told("a", {"n": 2})),
        ("records.zones", "deleted", told("a", None)),
    ]


def test_a_record_that_gets_another_source_is_gone_from_one_and_new_in_the_other(api: Client, source: Source) -> None:
    other = Source.objects.create(name="other", definition={})
    path = f"{write(api, 'post', '', {'source': source.pk, 'key': 'a', 'value': 1})['id']}/"
    write(api, "patch", path, {"source": other.pk, "key": "b"})
    assert shown()[1:] == [
        ("records.zones", "deleted", told("a", None)),
        ("records.other", "inserted", told("b", 1, "other")),
    ]


def test_many_at_once_are_one_message_and_all_counted(api: Client, source: Source, settings: Settings) -> None:
    settings.NOTIFY_MAX_EVENTS = 5
    write(api, "post", "upsert/", [{"source": source.pk, "key": f"k{n:02}", "value": n} for n in range(20)])
    [entry] = feed.read(0, 100).entries
    assert entry.last - entry.first + 1 == 6
    assert sum(count for _, _, count in counts()) == 6
    assert shown()[-1][1:] == ("more", {"source": "zones", "inserted": 15, "updated": 0, "deleted": 0})
    before = feed.position().seq
    write(api, "post", "upsert/", [{"source": source.pk, "key": "k01", "value": 1}])
    assert feed.position().seq == before, "nothing changed"


def test_what_was_refused_or_has_no_source_is_not_told(api: Client, source: Source) -> None:
    one = {"source": source.pk, "key": "a", "value": 1}
    write(api, "post", "", {**one, "source": None})
    bad = api.post("/api/records/upsert/", [one, {"source": source.pk, "value": 2}], content_type="application/json")
    assert bad.status_code == 400
    assert (counts(), Record.objects.count()) == ([], 1)


def test_a_buffer_that_is_away_hinders_no_writing(
    api: Client, source: Source, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = redis.Redis.from_url("unix:///nowhere.sock")
    monkeypatch.setattr(buffer, "_script", lambda text: nowhere.register_script(text))
    monkeypatch.setattr("sources.load.changes.PATIENCE_SECONDS", 0.1)
    write(api, "post", "", {"source": source.pk, "key": "a", "value": 1})
    assert Record.objects.count() == 1
    assert "cannot be shown live" in caplog.text
