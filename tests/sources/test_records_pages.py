"""`/api/records/` page by page: each record once, whatever is equal, missing or changed meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from sources.models import Record, Run, Source, Trigger

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make(number: int, *, key: str = "k", **times: datetime | None) -> None:
    fields: dict[str, Any] = {"created_at": NOW, "updated_at": NOW, **times}
    Record.objects.bulk_create(Record(key=f"{key}{n:05}", value=n, hash=b"x", **fields) for n in range(number))


def walk(api: Client, address: str, most_pages: int = 100) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    for _ in range(most_pages):
        answer = api.get(address)
        assert answer.status_code == 200, answer.content
        seen += answer.json()["results"]
        address = answer.json()["next"]
        if not address:
            return seen
    pytest.fail(f"{most_pages} pages and no end")


@pytest.mark.parametrize("ordering", ["updated_at", "-updated_at", "starts_at", "-starts_at"])
def test_thousands_of_one_time_and_of_none_come_once_each(api: Client, ordering: str) -> None:
    make(1500, starts_at=NOW)
    make(1490, key="n")
    make(10, key="z", starts_at=NOW - timedelta(days=1), updated_at=NOW - timedelta(days=1))
    seen = walk(api, f"/api/records/?limit=70&ordering={ordering}")
    assert len(seen) == len({record["id"] for record in seen}) == 3000
    assert {record["key"][0] for record in (seen[-10:] if ordering == "-updated_at" else seen[:10])} == (
        {"k"} if ordering == "-starts_at" else {"z"}
    )
    if "starts_at" in ordering:
        assert {record["starts_at"] for record in seen[-1490:]} == {None}


def test_what_is_added_deleted_and_changed_meanwhile_moves_no_other(api: Client) -> None:
    make(40)
    first = api.get("/api/records/?limit=15&ordering=-updated_at").json()
    seen = [record["key"] for record in first["results"]]
    make(5, key="new", updated_at=NOW + timedelta(hours=1))
    Record.objects.filter(key__in=["k00039", "k00020", "k00003"]).delete()
    Record.objects.filter(key="k00001").update(updated_at=NOW - timedelta(hours=1))
    seen += [record["key"] for record in walk(api, first["next"])]
    expected = [f"k{n:05}" for n in range(39, -1, -1) if n not in (20, 3, 1)]
    assert seen == [*expected, "k00001"]


def test_filters_and_the_order_stay_on_the_next_page(api: Client) -> None:
    source = Source.objects.create(name="s", definition={})
    make(5)
    Record.objects.filter(key__lt="k00004").update(source=source)
    address = f"/api/records/?source={source.pk}&limit=3&ordering=-key"
    assert [record["key"] for record in walk(api, address)] == ["k00003", "k00002", "k00001", "k00000"]
    query = parse_qs(urlsplit(api.get(address).json()["next"]).query)
    assert (query["ordering"], query["limit"], query["source"]) == (["-key"], ["3"], [str(source.pk)])


@pytest.mark.parametrize(
    "query",
    ["ordering=value", "ordering=nothing", "cursor=x", "cursor=bnVsbA", "cursor=%00", "limit=0", "limit=x"],
)
def test_what_cannot_be_asked_for_is_refused(api: Client, query: str) -> None:
    answer = api.get(f"/api/records/?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [query.partition("=")[0]]


def test_a_cursor_is_for_its_own_order(api: Client) -> None:
    make(3)
    following = api.get("/api/records/?limit=1&ordering=key").json()["next"]
    assert api.get(following.replace("ordering=key", "ordering=-key")).status_code == 400


def test_runs_made_in_one_moment_come_once_each(api: Client) -> None:
    source = Source.objects.create(name="s", definition={})
    Run.objects.bulk_create(Run(source=source, version=1, status="failed", trigger=Trigger.BACKFILL) for _ in range(30))
    Run.objects.update(created_at=NOW)
    seen = walk(api, "/api/runs/?limit=7")
    assert len(seen) == len({run["id"] for run in seen}) == 30
