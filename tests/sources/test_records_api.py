"""`/api/records/`, and the records on top."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sources.models import Record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]


def upsert(api: Client, *records: dict[str, Any]) -> Any:
    return api.post("/api/records/upsert/", list(records), content_type="application/json")


def keys(api: Client, **query: str) -> list[str]:
    answer = api.get("/api/records/", query)
    assert answer.status_code == 200, answer.content
    return [record["key"] for record in answer.json()["results"]]


def test_a_record_is_made_changed_and_deleted(api: Client) -> None:
    made = api.post("/api/records/", {"key": "a", "value": {"n": 1}}, content_type="application/json")
    assert made.status_code == 201, made.content
    path = f"/api/records/{made.json()['id']}/"
    changed = api.patch(path, {"value": {"n": 2}}, content_type="application/json").json()
    assert changed["value"] == {"n": 2}
    assert changed["updated_at"] > made.json()["updated_at"]
    twice = api.post("/api/records/", {"key": "a", "value": 1}, content_type="application/json")
    assert twice.status_code == 400
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_many_are_written_at_once_by_key(api: Client) -> None:
    first = upsert(api, {"key": "a", "value": 1}, {"key": "b", "value": 2}, {"key": "b", "value": 3})
    assert first.json() == {"inserted": 2, "updated": 0, "unchanged": 0}
    second = upsert(api, {"key": "a", "value": 1}, {"key": "b", "value": 4}, {"key": "c", "value": 5})
    assert second.json() == {"inserted": 1, "updated": 1, "unchanged": 1}
    assert dict(Record.objects.values_list("key", "value")) == {"a": 1, "b": 4, "c": 5}


def test_one_bad_record_is_named_and_none_is_written(api: Client) -> None:
    answer = upsert(api, {"key": "a", "value": 1}, {"value": 2}, {"key": "c", "value": 3, "starts_at": "yesterday"})
    assert answer.status_code == 400
    assert set(answer.json()["fields"]) == {"1", "2"}
    assert not Record.objects.exists()


def test_they_are_found_by_time_field_text_and_order(api: Client) -> None:
    day = "2026-01-0{}T00:00:00Z"
    for number, name in enumerate(["Ann", "100%", "Zoë"], start=1):
        times = {"starts_at": day.format(number), "ends_at": day.format(number + 1)}
        upsert(api, {"key": f"k{number}", "value": {"name": name, "at": {"x": number}}, **times})
    assert keys(api, starts_at=day.format(2)) == ["k2", "k3"]
    assert keys(api, starts_at=day.format(2), ends_at=day.format(3)) == ["k2"]
    assert keys(api, **{"value.name": "Zoë"}) == ["k3"]
    assert keys(api, **{"value.at.x": "1", "value.name": "Ann"}) == ["k1"]
    assert keys(api, search="0%") == ["k2"]
    assert keys(api, search="zoë") == ["k3"]
    assert keys(api, ordering="-key") == ["k3", "k2", "k1"]


def test_pages_follow_each_other_without_a_gap(api: Client) -> None:
    upsert(api, *({"key": f"k{number:02}", "value": number} for number in range(25)))
    seen, url = [], "/api/records/?limit=10"
    while url:
        page = api.get(url).json()
        seen += [record["key"] for record in page["results"]]
        url = page["next"]
    assert seen == [f"k{number:02}" for number in range(25)]


def test_the_newest_ten_records_are_on_top(api: Client) -> None:
    now = timezone.now()
    for number in range(12):
        upsert(api, {"key": f"k{number:02}", "value": number})
    top = api.get("/api/stats/top-records/").json()
    assert [record["key"] for record in top] == [f"k{number:02}" for number in range(11, 1, -1)]
    assert top[0]["updated_at"] >= now.isoformat()[:19]
