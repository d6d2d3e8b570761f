"""Asking for stored events: conditions, several streams, chosen members, and what it may cost."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from access.keys import create_key
from access.models import Scope
from ingest import chunks, export
from ingest.members import Sql
from ingest.models import Event, Stream
from ingest.partitions import make_partition
from ingest.reading import EventQuery, after, select
from ingest.writer import write_chunks
from tests.ingest.factory import make_stream

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
AT_MS = int(AT.timestamp() * 1000)


@pytest.fixture
def stream() -> Stream:
    return make_stream()


def store(stream: Stream, *payloads: Any, type: str | None = "reading", now_ms: int = AT_MS) -> None:
    events = [(None, type, None, orjson.dumps(payload)) for payload in payloads]
    write_chunks([chunks.encode(chunks.new_chunk_id(now_ms), [(stream.pk, events)])])


def ask(api: Client, path: str = "/api/events/", **query: Any) -> Any:
    return api.get(f"{path}?{urlencode(query, doseq=True)}")


def numbers(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return sorted(event["payload"]["n"] for event in answer.json()["results"])


def test_conditions_on_the_payload_must_all_hold(api: Client, stream: Stream) -> None:
    store(stream, {"n": 1, "site": "oslo", "motor": {"speed": 900, "tags": ["hot"]}})
    store(stream, {"n": 2, "site": "oslo", "motor": {"speed": 1200, "tags": []}})
    store(stream, {"n": 3, "site": "bergen", "note": "a leaking pump"})
    asked: list[tuple[dict[str, Any], list[int]]] = [
        ({"payload.site": "oslo"}, [1, 2]),
        ({"payload.site": "oslo", "payload.motor.speed__gte": "1000"}, [2]),
        ({"payload.motor.speed__gt": "100", "payload.motor.speed__lt": "1000"}, [1]),
        ({"payload.motor.tags.0": "hot"}, [1]),
        ({"payload.motor.tags__contains": "hot"}, [1]),
        ({"payload.site__in": "bergen,lima"}, [3]),
        ({"payload.motor__exists": "false"}, [3]),
        ({"payload@": '{"motor": {"speed": 1200}}'}, [2]),
        ({"q": "PUMP or nothing"}, [3]),
        ({"q": "pump", "payload.n": "1"}, []),
        ({"payload.n__ne": ["1", "2"]}, [3]),
    ]
    for query, expected in asked:
        assert numbers(ask(api, **query)) == expected, query
        assert numbers(ask(api, "/api/streams/sensors/events/", **query)) == expected, query


def test_several_streams_and_types_are_asked_for_by_repeating_them(api: Client, stream: Stream) -> None:
    store(stream, {"n": 1}, type="a")
    store(stream, {"n": 2}, type="b")
    store(make_stream("doors"), {"n": 3}, type="a")
    store(make_stream("lamps"), {"n": 4}, type="c")
    assert numbers(ask(api, stream=["sensors", "doors"])) == [1, 2, 3]
    assert numbers(ask(api, stream=["doors", "lamps"], type=["a", "b"])) == [3]
    assert numbers(ask(api, stream="nothing")) == []


def test_every_stream_that_is_named_must_be_readable(stream: Stream) -> None:
    make_stream("mine")
    headers = {"authorization": f"Bearer {create_key('bound', [Scope.READ], streams=['mine'])[1]}"}
    for path in ("/api/events/", "/api/events/aggregate/", "/api/events/export/"):
        assert ask(Client(headers=headers), path, stream=["mine"]).status_code == 200
        assert ask(Client(headers=headers), path, stream=["mine", "sensors"]).status_code == 403


def test_only_what_is_selected_is_shown(api: Client, stream: Stream) -> None:
    store(stream, {"site": "oslo", "deep": {"list": [1.50, {"x": None}]}, 'a"b': 1})
    answer = ask(api, fields='stream,payload.deep.list.0,payload.none,payload.deep,key,payload.a"b')
    assert answer.json()["results"] == [
        {
            "stream": "sensors",
            "payload.deep.list.0": 1.5,
            "payload.none": None,
            "payload.deep": {"list": [1.5, {"x": None}]},
            "key": None,
            'payload.a"b': 1,
        }
    ]


def test_as_many_members_are_shown_as_may_be_asked_for(api: Client, stream: Stream) -> None:
    store(stream, {f"f{n}": n for n in range(50)})
    [shown] = ask(api, fields=",".join(f"payload.f{n}" for n in range(50))).json()["results"]
    assert shown == {f"payload.f{n}": n for n in range(50)}


def test_pages_of_a_condition_neither_repeat_nor_skip_while_events_arrive(api: Client, stream: Stream) -> None:
    for n in range(40):
        store(stream, {"n": n, "even": n % 2 == 0}, now_ms=AT_MS + n)
    for order in ("newest", "oldest"):
        url = f"/api/events/?limit=3&order={order}&payload.even=true&stream=sensors&stream=doors&payload.n__lt=1000"
        seen: list[int] = []
        while url:
            page = api.get(url).json()
            seen += [event["payload"]["n"] for event in page["results"]]
            url = page["next"]
            later = AT_MS + 1000 if order == "newest" else AT_MS - 1000
            store(stream, {"n": 1, "even": True, "late": True}, now_ms=later)
        assert [n for n in seen if n != 1] == sorted(range(0, 40, 2), reverse=order == "newest")


@pytest.mark.parametrize(
    ("query", "names", "says"),
    [
        ("strem=a", {"strem"}, "there are cursor, ends_at, fields, key, limit, order, q, starts_at, stream, type"),
        ("payload=1", {"payload"}, "payload.<path>, payload@"),
        ("format=csv", {"format"}, "no such parameter"),
        ("limit=1&limit=2", {"limit"}, "twice"),
        ("payload.a__gtt=1&starts_at=soon", {"payload.a__gtt", "starts_at"}, "__contains"),
        ("payload@=[", {"payload@"}, "no JSON"),
        ("q=%00", {"q"}, "U\\+0000|[Nn]ull"),
        ("q=&type=&ends_at=", {"q", "type", "ends_at"}, "leave it out"),
        ("stream=%00", {"stream"}, "[Nn]ull"),
        ("fields=id,site", {"fields"}, "There is no 'site'; there are id, stream"),
        ("fields=id,id", {"fields"}, "twice"),
        ("cursor=00000000-0000-4000-8000-000000000000", {"cursor"}, "Not the cursor"),
        ("&".join(f"payload.a{n}=1" for n in range(17)), {"payload.a16"}, "more than 16"),
    ],
)
def test_a_wrong_parameter_is_named_and_never_ignored(api: Client, query: str, names: set[str], says: str) -> None:
    answer = api.get(f"/api/events/?{query}")
    assert (answer.status_code, answer.json()["error"], set(answer.json()["fields"])) == (400, "invalid", names)
    assert re.search(says, str(answer.json()["fields"]))


def test_one_stream_has_no_parameter_for_streams(api: Client, stream: Stream) -> None:
    assert set(ask(api, "/api/streams/sensors/events/", stream="doors").json()["fields"]) == {"stream"}


@pytest.mark.parametrize("path", ["/api/events/", "/api/events/export/", "/api/events/aggregate/"])
def test_a_query_that_takes_too_long_is_ended_and_says_what_to_do(
    api: Client, stream: Stream, settings: Settings, path: str
) -> None:
    with connection.cursor() as cursor:  # a word is sought in 10 MB of text: a second at least
        cursor.execute(
            "INSERT INTO event (id, received_at, stream_id, payload) SELECT gen_random_uuid(), %s, %s,"
            " jsonb_build_object('text', (SELECT string_agg(md5((n * i)::text), ' ')"
            " FROM generate_series(1, 1000) AS i)) FROM generate_series(1, 300) AS n",
            [AT, stream.pk],
        )
    settings.QUERY_TIMEOUT_SECONDS = 0.02
    asked = {"q": "nowhere", "starts_at": AT.isoformat(), "ends_at": (AT + timedelta(days=1)).isoformat()}
    answer = ask(api, path, **asked)
    assert (answer.status_code, answer.json()["error"]) == (503, "query_too_slow")
    assert "starts_at" in answer.json()["detail"]
    assert "Retry-After" not in answer.headers
    narrowed = {**asked, "starts_at": (AT + timedelta(hours=1)).isoformat()}
    assert ask(api, path, **narrowed).status_code == 200


@pytest.mark.parametrize("oldest_first", [True, False])
def test_a_day_is_read_from_its_own_partition(stream: Stream, oldest_first: bool) -> None:
    store_on_days(stream)
    query = EventQuery(streams=frozenset(["sensors"]), starts_at=day(12), ends_at=day(13))
    sql, parameters = after(select(query), None, oldest_first).query.sql_with_params()
    assert partitions_of(Sql(sql, list(parameters))) == {"event_20260312"}


def test_an_export_leaves_the_partitions_that_it_has_read(stream: Stream) -> None:
    store_on_days(stream)
    query = EventQuery(streams=frozenset(["sensors"]), starts_at=day(10), ends_at=day(15))
    last = Event.objects.get(received_at__range=(day(13), day(14))).id
    assert partitions_of(export.reader(query).scan(last, 10)) == {"event_20260313", "event_20260314"}


def store_on_days(stream: Stream) -> None:
    for n in range(10, 16):
        make_partition(day(n).date())
        store(stream, {"n": n}, now_ms=int((day(n) + timedelta(hours=12)).timestamp() * 1000))


def day(n: int) -> datetime:
    return datetime(2026, 3, n, tzinfo=UTC)


def partitions_of(query: Sql) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query.text}", query.parameters)
        [[[plan]]] = cursor.fetchall()
    return set(relations(plan["Plan"]))


def relations(node: dict[str, Any]) -> list[str]:
    return [
        *([node["Relation Name"]] if "Relation Name" in node else []),
        *(r for n in node.get("Plans", []) for r in relations(n)),
    ]
