"""The pages of sources as a browser gets them, and what the editor asks the API."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from access.models import Role
from sources import document, lines, secrets
from sources.models import Record, Run, Source, Status, Trigger, Upload
from sources.record_pages import page_of_records
from tests.monitor.test_pages import Inline
from tests.people import person
from tests.sources.provider import Provider, data, running

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

MARKUP = "<img src=x onerror=alert(1)>"
DEFINITION: dict[str, Any] = {
    "version": 1,
    "extract": {"kind": "http", "url": "https://api.example.org/x"},
    "load": {"kind": "upsert", "key": ["id"]},
    "schedule": {"every_seconds": 5400},
}


@pytest.fixture
def reader() -> Client:
    client = Client(headers={"accept": "text/html"})
    client.force_login(person(Role.VIEWER))
    return client


@pytest.fixture
def staff() -> Client:
    client = Client(headers={"accept": "text/html"})
    client.force_login(get_user_model().objects.create_superuser("staff"))
    return client


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    settings.SOURCES_ALLOWED_HOSTS = ["127.0.0.1"]
    with running() as provider:
        yield provider


def make_source(name: str = "products", definition: dict[str, Any] = DEFINITION, **fields: Any) -> Source:
    source = Source.objects.create(name=name, definition=definition, **fields)
    source.versions.create(version=1, definition=definition)
    return source


def make_run(source: Source, status: Status = Status.SUCCESS, **fields: Any) -> Run:
    now = timezone.now()
    times = {
        "trigger": Trigger.SCHEDULE,
        "started_at": now,
        "ended_at": None if status in ("pending", "running") else now,
    }
    return Run.objects.create(source=source, version=1, status=status, **{**times, **fields})


def make_records(source: Source, *values: Any) -> None:
    now = timezone.now()
    Record.objects.bulk_create(
        Record(source=source, key=str(number), value=value, hash=b"", created_at=now, updated_at=now)
        for number, value in enumerate(values)
    )


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def everywhere() -> list[str]:
    """The addresses of all pages, with something on each."""
    source = make_source()
    run = make_run(source, Status.FAILED, error="e", detail=MARKUP, rejected=[{"step": "map", "row": MARKUP}])
    run.log.create(at=timezone.now(), level="error", message=MARKUP)
    make_records(source, {"note": MARKUP})
    one = f"/sources/{source.pk}/"
    return ["/sources/", "/sources/new/", one, f"{one}edit/", f"/sources/runs/{run.pk}/", "/records/"]


def test_nobody_sees_them_without_logging_in(client: Client) -> None:
    for address in [*everywhere(), f"/sources/{Source.objects.get().pk}/export/"]:
        answer = client.get(address)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/login/?next={address}")


def test_they_need_no_inline_script_or_style_and_show_markup_as_text(staff: Client) -> None:
    for address in everywhere():
        text, inline = page(staff, address), Inline()
        inline.feed(text)
        assert inline.found == [], address
        assert "<img" not in text, address


def test_who_may_only_read_changes_nothing(reader: Client) -> None:
    for address in everywhere():
        if "new" in address or "edit" in address:
            assert reader.get(address).status_code == 403
        else:
            assert "data-post" not in page(reader, address), address
            assert "New source" not in page(reader, address)


def test_the_list_tells_the_state_of_each_source(reader: Client) -> None:
    broken = make_source("broken", failures=4)
    make_run(broken, Status.FAILED)
    busy = make_source("busy")
    make_run(busy, counts={"decoded": 3, "inserted": 2, "rejected": 1})
    make_run(busy, Status.RUNNING, counts={"decoded": 1234})
    make_source("waiting", active=False)
    make_source("old", {**DEFINITION, "extract": {"kind": "http", "url": "https://user:pass@old.example.org/x"}})
    state = {line.source.name: line for line in lines.source_lines(Source.objects.all(), timezone.now())}
    assert [state[name].state for name in ("broken", "busy", "waiting")] == ["failed", "running", "paused"]
    assert [(count.name, count.number) for count in state["busy"].rows] == [
        ("decoded", 3),
        ("rejected", 1),
        ("inserted", 2),
    ]
    text = page(reader, "/sources/")
    assert "4 in a row" in text
    assert "1,234 so far" in text
    assert "old.example.org" in text
    assert "pass@" not in text


def test_a_file_that_is_gone_is_said_to_be(staff: Client) -> None:
    for name, upload in [("a", "no-id"), ("b", "00000000-0000-4000-8000-000000000000")]:
        source = make_source(name, {**DEFINITION, "extract": {"kind": "file", "upload": upload}})
        for address in ("/sources/", f"/sources/{source.pk}/"):
            assert "a file that is gone" in page(staff, address)
        assert "packed ones too" in page(staff, f"/sources/{source.pk}/edit/")


def test_an_uploaded_database_is_shown_by_its_name() -> None:
    upload = Upload.objects.create(name="shop.sqlite")
    for url in (f"sqlite:{upload.pk}", "sqlite:00000000-0000-4000-8000-000000000000"):
        make_source(url[-12:], {**DEFINITION, "extract": {"kind": "sql", "url": url, "table": "a"}})
    places = {line.place for line in lines.source_lines(Source.objects.all(), timezone.now())}
    assert places == {"shop.sqlite", "a file that is gone"}


def test_windows_of_a_backfill_count_and_the_backfill_as_a_whole_does_not() -> None:
    source = make_source()
    window = {
        "trigger": Trigger.BACKFILL,
        "window_start": timezone.now() - timedelta(days=1),
        "window_end": timezone.now(),
    }
    parent = make_run(source, Status.PENDING, **window)
    [line] = lines.source_lines([source], timezone.now())
    assert line.open is None
    Run.objects.filter(pk=make_run(source, Status.RUNNING).pk).update(parent=parent, **window)
    [line] = lines.source_lines([source], timezone.now())
    assert line.state == "running"


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (None, "when asked"),
        ({"every_seconds": 60}, "every minute"),
        ({"every_seconds": 5400}, "every 90 minutes"),
        ({"every_seconds": 1.5}, "every 1.5 seconds"),
        ({"cron": "0 6 * * *", "time_zone": "Europe/Madrid"}, "cron 0 6 * * *, Europe/Madrid"),
    ],
)
def test_a_schedule_is_said_in_words(schedule: Any, words: str) -> None:
    assert lines.schedule_in_words({"schedule": schedule}) == words


def test_a_definition_is_shown_in_its_usual_order_with_all_it_has() -> None:
    shuffled = {"load": {"key": ["b", "a"], "kind": "upsert"}, "zzz": 1, "extract": {"url": "u"}, "version": 1}
    text = document.text(shuffled)
    assert json.loads(text) == shuffled
    assert list(json.loads(text)) == ["version", "extract", "load", "zzz"]
    assert list(json.loads(text)["load"]) == ["kind", "key"]


def test_an_export_is_what_the_api_takes(staff: Client, api: Client) -> None:
    source = make_source()
    answer = staff.get(f"/sources/{source.pk}/export/")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="products.json"'
    exported = json.loads(answer.content)
    source.delete()
    made = api.post("/api/data_sources/", exported, content_type="application/json")
    assert made.status_code == 201, made.content
    assert made.json()["definition"] == DEFINITION


def test_a_secret_that_is_asked_for_and_not_set_is_named(staff: Client) -> None:
    locked = {**DEFINITION, "extract": {**DEFINITION["extract"], "auth": {"kind": "bearer", "secret": "tok"}}}
    source = make_source(definition=locked)
    assert "not set (tok)" in page(staff, f"/sources/{source.pk}/")
    secrets.set_secret(source, "tok", "hush-hush", "api.example.org")
    for address in (f"/sources/{source.pk}/", f"/sources/{source.pk}/edit/"):
        text = page(staff, address)
        assert "not set (tok)" not in text
        assert "hush-hush" not in text


# Records


def test_records_are_filtered_by_source_key_text_and_field(reader: Client) -> None:
    one, other = make_source("one"), make_source("other")
    make_records(one, {"city": "Madrid", "n": 12345678901234567890}, {"city": "Paris"}, {"address": {"city": "Rome"}})
    make_records(other, {"city": "Oslo"})

    def count(query: str) -> int:
        return page(reader, f"/records/?{query}").count('data-testid="record"')

    assert count("") == 4
    assert count(f"source={one.pk}") == 3
    assert count(f"source={one.pk}&key=1") == 1
    assert count("search=madr") == 1
    assert count("field=city&is=Paris") == 1
    assert count("field=address.city&is=Rome") == 1
    assert count("field=city&how=in&is=Paris,Oslo") == 2
    assert count("field=city&how=exists&is=false") == 1
    assert count("field=n&how=gt&is=5") == 1
    assert count("q=oslo") == 1
    assert "neither a number nor a text" in page(reader, "/records/?field=n&how=gt&is=true")
    assert count("source=nonsense") == 0
    assert count("search=%00Madrid&before=nonsense") == 1
    assert "12345678901234567890" in page(reader, "/records/")


def test_the_records_shown_can_be_exported(reader: Client) -> None:
    source = make_source()
    make_records(source, {"city": "Madrid"})
    shown = page(reader, f"/records/?source={source.pk}&field=city&is=Madrid")
    assert f'href="/api/records/export/?format=csv&amp;source={source.pk}&amp;value.city=Madrid"' in shown


def test_pages_of_records_of_one_moment_show_each_once() -> None:
    make_records(make_source(), *({"n": n} for n in range(120)))
    seen, before, pages = [], "", 0
    while True:
        found = page_of_records(Record.objects.all(), before)
        seen += [record.key for record in found["records"]]
        pages += 1
        if not found["older"]:
            break
        [before] = parse_qs(found["older"])["before"]
    assert (pages, seen) == (3, [str(n) for n in reversed(range(120))])


def test_a_long_value_is_cut_and_says_so(reader: Client) -> None:
    make_records(make_source(), {"text": "x" * 100_000})
    text = page(reader, "/records/")
    assert len(text) < 20_000
    assert "The whole record as JSON" in text


# What the editor asks


def test_a_run_asked_for_on_a_page_is_one_by_hand(staff: Client, api: Client) -> None:
    for client, trigger in ((staff, Trigger.HAND), (api, Trigger.API)):
        source = make_source(f"by-{trigger}")
        headers = {"accept": "application/json"}
        assert client.post(f"/api/data_sources/{source.pk}/run/", headers=headers).status_code == 202
        assert source.runs.get().trigger == trigger


def test_validating_says_every_problem_by_its_place(api: Client) -> None:
    wrong = {**DEFINITION, "extract": {"kind": "http", "url": "ftp://x"}, "load": {"kind": "append"}}
    for body, pointers in [
        ({"definition": DEFINITION}, set()),
        ({"definition": wrong}, {"/extract/url", "/load/stream"}),
        ({"definition": {**DEFINITION, "extract": {"kind": "http", "url": "https://u:p@x.org/"}}}, {"/extract/url"}),
        ({"definition": {**DEFINITION, "extract": {"kind": "http", "url": "https://"}}}, {"/extract/url"}),
        ({}, {""}),
        ([1], {""}),
    ]:
        answer = api.post("/api/data_sources/validate/", body, content_type="application/json")
        assert answer.status_code == 200
        assert {problem["pointer"] for problem in answer.json()["problems"]} == pointers


def test_a_changed_definition_is_previewed_with_the_secrets_of_its_host_alone(
    api: Client, provider: Provider, token: str
) -> None:
    url = provider.on("/rows", data([{"id": 1, "n": 2}]))
    locked = {**DEFINITION, "extract": {"kind": "http", "url": url, "auth": {"kind": "bearer", "secret": "tok"}}}
    body = {"name": "locked", "definition": locked, "secrets": {"tok": "kept"}}
    source = api.post("/api/data_sources/", body, content_type="application/json").json()
    path = f"/api/data_sources/{source['id']}/preview/"

    def preview(**given: Any) -> Any:
        return api.post(path, given, content_type="application/json")

    changed = {**locked, "map": [{"to": "only", "from": "n"}]}
    assert preview(definition=changed).json()["filtered"] == [{"only": 2}]
    assert provider.requests[-1].headers["authorization"] == "Bearer kept"
    assert preview(definition=changed, secrets={"tok": "new"}).status_code == 200
    assert provider.requests[-1].headers["authorization"] == "Bearer new"
    asked = len(provider.requests)
    moved = {**locked, "extract": {**locked["extract"], "url": url.replace("127.0.0.1", "localhost")}}
    refused = preview(definition=moved)
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["secrets"])
    assert len(provider.requests) == asked
    assert preview().json()["filtered"] == [{"id": 1, "n": 2}]
    assert Source.objects.get().definition == locked


def test_a_source_named_preview_stands_in_nobodys_way(api: Client, provider: Provider) -> None:
    make_source("preview")
    url = provider.on("/rows", data([{"id": 1}]))
    definition = {**DEFINITION, "extract": {"kind": "http", "url": url}}
    answer = api.post("/api/data_sources/preview/", {"definition": definition}, content_type="application/json")
    assert answer.json()["filtered"] == [{"id": 1}]


def test_times_are_said_as_people_say_them() -> None:
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert lines.ago(datetime(2026, 5, 1, 11, 59, 30, tzinfo=UTC), now) == "30 s ago"
    assert lines.ago(datetime(2026, 5, 1, 9, tzinfo=UTC), now) == "3\xa0hours ago"
    assert lines.until(datetime(2026, 5, 1, 11, tzinfo=UTC), now) == "now"
    assert lines.until(datetime(2026, 5, 1, 12, 0, 9, tzinfo=UTC), now) == "in 9 s"
    assert [lines.in_words(s) for s in (None, 0.0421, 3.21, 75.2, 600.0, 9000.0)] == [
        *("", "42 ms", "3.2 s", "75 s", "10 min", "2.5 h")
    ]
