"""Who may do what: every endpoint, for people of each role, keys of each scope, and nobody."""

import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.test import Client
from django.urls import resolve

from access import audit
from access.keys import create_key
from access.models import Role, Scope
from ingest.models import FieldIndex, Stream
from sources import uploads
from sources.models import Source, Status
from tests.access.endpoints import ADMIN, ANYBODY, ENDPOINTS, KNOWN, Endpoint, routes
from tests.datasets.making import make_dataset
from tests.ingest.test_dead_letters import make_letters
from tests.people import browser, person
from tests.sources.test_pages import make_records, make_run, make_source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

READ, OPERATE, MANAGE = Scope.READ, Scope.OPERATE, Scope.MANAGE
LADDER = {"viewer": {READ}, "operator": {READ, OPERATE}, "admin": {READ, OPERATE, MANAGE}}


class Asker(NamedTuple):
    """`may`: what scopes for which kinds of thing ("" stands for what names no thing)."""

    make: Callable[[], Client]
    may: dict[str, set[Scope]]
    is_admin: bool = False


def anonymous() -> Client:
    return Client()


def somebody(*roles: Role, **of: str) -> Callable[[], Client]:
    return lambda: browser(person(*roles, **of))


def program(scopes: Iterable[Scope], **of: Any) -> Callable[[], Client]:
    """Keys open no pages: those are for browsers."""
    return lambda: Client(headers={"authorization": f"Bearer {create_key('k', scopes, **of)[1]}"})


def everywhere(scopes: set[Scope]) -> dict[str, set[Scope]]:
    return dict.fromkeys(("", "stream", "source", "everything"), scopes)


def only(kind: str, scopes: set[Scope]) -> dict[str, set[Scope]]:
    return {"": scopes, kind: scopes}


ASKERS = {
    "anonymous": Asker(anonymous, {}),
    "without a role": Asker(somebody(), {}),
    **{role.value: Asker(somebody(role), everywhere(LADDER[role]), role == Role.ADMIN) for role in Role},
    **{
        f"{role} of the {kind}": Asker(somebody(role, **{kind: "mine"}), only(kind, LADDER[role]))
        for role in Role
        for kind in ("stream", "source")
    },
    "admin of another source": Asker(somebody(Role.ADMIN, source="other"), only("other", LADDER["admin"])),
    "admin of another stream": Asker(somebody(Role.ADMIN, stream="other"), only("other", LADDER["admin"])),
    "key to send": Asker(program([Scope.INGEST]), {}),
    "key to read": Asker(program([READ]), everywhere({READ})),
    "key to operate": Asker(program([OPERATE]), everywhere({OPERATE})),
    "key to manage": Asker(program([MANAGE]), everywhere({MANAGE, OPERATE})),
    "key for the stream": Asker(program(Scope, streams=["mine"]), only("stream", LADDER["admin"])),
    "key for the source": Asker(program(Scope, sources=["mine"]), only("source", LADDER["admin"])),
    "key for other things": Asker(program(Scope, streams=["other"], sources=["other"]), only("other", LADDER["admin"])),
}


@pytest.fixture
def things() -> dict[str, object]:
    """One of each kind, of the stream and the source `mine`."""
    [letter] = make_letters(stream="mine")
    source = make_source("mine")
    make_records(source, {"id": 1})
    key, _ = create_key("another")
    dataset = make_dataset(streams=["mine"])
    analysed = {"columns": [], "rows": 0, "sample": []}
    dataset.tasks.update(status="success", result={"data": analysed}, snapshots=[{}], started_at=dataset.created_at)
    return {
        "stream": "mine",
        "index": FieldIndex.objects.create(stream=Stream.objects.get(name="mine"), path="payload.a", kind="text").pk,
        "source": source.pk,
        "run": make_run(source, Status.FAILED).pk,
        "record": source.records.get().pk,
        "letter": letter.pk,
        "event": letter.pk,
        "key": key.pk,
        "entry": audit.record(None, "test.begin", "test").pk,
        "dataset": dataset.pk,
        "task": dataset.tasks.get().pk,
        "upload": uploads.store(BytesIO(b"id\n1\n"), "f.csv", "text/csv", "user:0").pk,
    }


def is_allowed(endpoint: Endpoint, asker: Asker) -> bool:
    if endpoint.needs == ANYBODY:
        return True
    if endpoint.is_page and asker.make.__qualname__.startswith("program"):
        return False
    if endpoint.needs == KNOWN:
        scopes = asker.may.get("stream", set())
        return Scope.READ in scopes or asker.make is ASKERS["key to send"].make
    if endpoint.needs == ADMIN:
        return asker.is_admin
    kind = "stream" if endpoint.of == "named stream" else endpoint.of
    return endpoint.needs in asker.may.get(kind, set())


def was_let_in(answer: Any) -> bool:
    return answer.status_code not in (302, 401, 403, 404)


@pytest.mark.parametrize("name", ASKERS)
def test_everybody_may_do_what_their_role_says_and_no_more(name: str, things: dict[str, object]) -> None:
    asker, wrong = ASKERS[name], []
    client = asker.make()
    for endpoint in ENDPOINTS:
        with transaction.atomic():
            answer = ask(client, endpoint, things)
            transaction.set_rollback(True)
        if was_let_in(answer) != is_allowed(endpoint, asker):
            wrong.append((endpoint, answer.status_code))
        elif not was_let_in(answer):
            assert_is_said(answer, endpoint, name)
    assert wrong == []


def ask(client: Client, endpoint: Endpoint, things: dict[str, object]) -> Any:
    address = endpoint.address.format(**things)
    return client.generic(endpoint.method.upper(), address, b"{}", "application/json")


def assert_is_said(answer: Any, endpoint: Endpoint, name: str) -> None:
    """A page sends strangers to the log-in; the API says 401 to them, and to others 403 or 404 in its one shape."""
    if endpoint.is_page and name.startswith(("anonymous", "key")):
        assert answer.headers["Location"].startswith("/login/?next=")
    elif name == "anonymous":
        assert answer.status_code == 401
    else:
        assert answer.status_code in (403, 404)
        assert {"error", "detail", "request_id"} <= set(answer.json())


def test_no_endpoint_is_forgotten() -> None:
    things = dict.fromkeys(("source", "record", "letter", "entry", "index", "dataset"), 1)
    uuids = dict.fromkeys(("run", "event", "upload", "task"), "00000000-0000-4000-8000-000000000000")
    named = {**things, **uuids, "stream": "s", "key": "0" * 12}
    listed = {(resolve(one.address.format(**named)).route, one.method) for one in ENDPOINTS}
    assert listed == {(route, method) for route, method in routes()}


def test_lists_show_what_one_may_see_and_no_more(things: dict[str, object]) -> None:
    Stream.objects.create(name="other")
    make_records(make_source("other"), {"id": 2})
    client = browser(person(Role.VIEWER, source="mine"))
    assert [one["name"] for one in client.get("/api/data_sources/").json()] == ["mine"]
    assert [one["source_name"] for one in client.get("/api/records/").json()["results"]] == ["mine"]
    assert [one["source_name"] for one in client.get("/api/stats/top-records/").json()] == ["mine"]
    assert client.get("/api/stats/").json()["total_records"] == 1
    assert client.get("/api/streams/").json() == []
    for page in ("/sources/", "/records/", "/streams/", "/dead-letters/"):
        assert not re.search(r"\bother\b", client.get(page).content.decode()), page


def test_the_changes_of_a_source_are_for_those_who_see_the_source() -> None:
    for name in ("records.mine", "records.other"):
        Stream.objects.create(name=name)
    client = browser(person(Role.VIEWER, source="mine"))
    assert [stream["name"] for stream in client.get("/api/streams/").json()] == ["records.mine"]
    assert client.get("/api/streams/records.other/events/").status_code == 403


def test_an_action_on_many_touches_those_that_one_may_touch_only() -> None:
    make_letters(2, stream="mine")
    make_letters(3, stream="other")
    client = browser(person(Role.OPERATOR, stream="mine"))
    answer = client.post("/api/dead-letters/discard/", content_type="application/json")
    assert answer.json() == {"discarded": 2, "remaining": 0}


def test_a_role_for_one_thing_adds_to_the_role_for_all() -> None:
    user = person(Role.VIEWER)
    person(Role.OPERATOR, source="mine", name="model").groups.get().user_set.add(user)
    mine, other = make_source("mine"), make_source("other")
    client = browser(user)
    assert client.get(f"/api/data_sources/{other.pk}/").status_code == 200
    assert client.post(f"/api/data_sources/{other.pk}/run/").status_code == 404
    assert client.post(f"/api/data_sources/{mine.pk}/run/").status_code == 202


def test_a_source_is_no_way_to_what_one_may_not_touch() -> None:
    client = browser(person(Role.ADMIN, source="mine"))
    definition = {**make_source("mine").definition, "load": {"kind": "append", "stream": "salaries"}}
    source = Source.objects.get(name="mine")
    for asked in ({"name": "other"}, {"definition": definition}):
        answer = client.patch(f"/api/data_sources/{source.pk}/", asked, content_type="application/json")
        assert (answer.status_code, answer.json()["error"]) == (403, "permission_denied"), asked
    made = client.post(
        "/api/data_sources/", {"name": "new", "endpoint_url": "https://example.org/a.json"}, "application/json"
    )
    assert made.status_code == 403


@pytest.mark.parametrize("asked", [{"source": "other"}, {"source": None}])
def test_records_are_written_for_ones_own_sources_only(asked: dict[str, str | None]) -> None:
    mine, other = make_source("mine"), make_source("other")
    client = browser(person(Role.ADMIN, source="mine"))
    record: dict[str, Any] = {"source": other.pk if asked["source"] else None, "key": "k", "value": {}}
    assert client.post("/api/records/", record, "application/json").status_code == 403
    assert client.post("/api/records/upsert/", [record], "application/json").status_code == 403
    make_records(mine, {})
    address = f"/api/records/{mine.records.get().pk}/"
    assert client.patch(address, record, "application/json").status_code == 403
    own = {**record, "source": mine.pk}
    assert client.post("/api/records/", own, "application/json").status_code == 201
