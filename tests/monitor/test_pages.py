"""The pages of streams and dead letters as a browser gets them."""

from html.parser import HTMLParser
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from access.models import Role
from ingest import chunks
from ingest.flush import flush
from ingest.models import DeadLetter, FieldIndex, Stream
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream, push_chunk
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

MARKUP = b'{"note": "<img src=x onerror=alert(1)>"}'


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


class Inline(HTMLParser):
    """Collects what a strict policy would stop."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = dict(attributes)
        if tag == "style" or (tag == "script" and "src" not in names and names.get("type") != "application/json"):
            self.found.append(f"<{tag}>")
        self.found += [name for name in names if name == "style" or name.startswith("on")]


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def make_letters(count: int, payload: bytes = BAD_PAYLOAD, stream: str = "sensors") -> list[UUID]:
    chunk_id = push_chunk(make_stream(stream), [make_event(payload=payload) for _ in range(count)])
    flush()
    return [chunks.event_id(chunk_id, number) for number in range(count)]


@pytest.mark.parametrize("address", ["/streams/", "/streams/sensors/", "/dead-letters/"])
def test_pages_need_a_login(address: str) -> None:
    make_stream()
    assert Client().get(address).headers["Location"].startswith("/login/?next=")


def test_no_page_has_inline_scripts_or_styles(staff: Client) -> None:
    make_letters(1)
    addresses = ["/streams/", "/streams/sensors/", "/dead-letters/", "/dead-letters/?stream=sensors"]
    for address in addresses:
        parser = Inline()
        parser.feed(page(staff, address))
        assert parser.found == [], address


def test_without_streams_the_page_says_how_to_send_the_first_event(reader: Client) -> None:
    assert "http://testserver/api/streams/sensors/events/" in page(reader, "/streams/")


def test_a_stream_is_shown_with_its_counts_and_its_last_hour(reader: Client) -> None:
    push_chunk(make_stream(retention_days=7), [make_event(n) for n in range(1234)])
    flush()
    shown = page(reader, "/streams/")
    assert "1,234" in shown
    assert "7 days" in shown
    assert 'aria-label="1234 events in the last hour"' in shown
    assert "No streams yet" not in shown


def test_many_streams_are_paged_and_searched(reader: Client) -> None:
    Stream.objects.bulk_create(Stream(name=f"machine-{n:03}") for n in range(101))
    assert "machine-100" not in page(reader, "/streams/")
    assert page(reader, "/streams/?page=2").count('data-testid="stream"') == 1
    found = page(reader, "/streams/?q=-05")
    assert found.count('data-testid="stream"') == 10
    assert "<b>nothing" not in page(reader, "/streams/?q=<b>nothing")


def test_many_streams_cost_as_many_queries_as_one(reader: Client, django_assert_max_num_queries: object) -> None:
    Stream.objects.bulk_create(Stream(name=f"machine-{n:03}") for n in range(100))
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        reader.get("/streams/")


def test_settings_are_a_form_for_those_who_may_manage_only(reader: Client, staff: Client) -> None:
    make_stream(schema={"type": "object"}, key_path="meta.id")
    for client, forms in [(reader, 0), (staff, 1)]:
        shown = page(client, "/streams/sensors/")
        assert shown.count("data-stream-settings") == forms
        assert "meta.id" in shown
        assert "&quot;type&quot;: &quot;object&quot;" in shown


def test_indexes_are_shown_to_all_and_changed_by_those_who_may_manage(reader: Client, staff: Client) -> None:
    stream = make_stream()
    assert "reads all events of its time" in page(reader, "/streams/sensors/")
    failed = {"failed_at": timezone.now(), "error": "disk <full>"}
    FieldIndex.objects.create(stream=stream, path="payload.<b>", kind="number", **failed)
    FieldIndex.objects.create(stream=stream, path="payload.site", kind="text")
    for client, buttons in [(reader, 0), (staff, 2)]:
        shown = page(client, "/streams/sensors/")
        assert shown.count('data-testid="index"') == 2
        assert shown.count("data-delete=") == buttons
        assert ("Add index" in shown) is (buttons > 0)
        assert "failed: disk &lt;full&gt;" in shown
        assert "payload.&lt;b&gt;" in shown
        assert "building, 0 of" in shown


def test_a_stream_shows_its_latest_events_as_text(reader: Client) -> None:
    push_chunk(make_stream(), [make_event(payload=MARKUP)])
    flush()
    shown = page(reader, "/streams/sensors/")
    assert "<img" not in shown
    assert "&lt;img src=x" in shown


def test_an_unknown_stream_is_a_page_for_browsers_and_json_for_others(reader: Client) -> None:
    answer = reader.get("/streams/nothing/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert answer.headers["X-Request-ID"] in answer.content.decode()
    answer = reader.get("/streams/nothing/", headers={"accept": "*/*"})
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_dead_letters_are_grouped_by_stream_and_reason(reader: Client) -> None:
    assert 'data-testid="none"' in page(reader, "/dead-letters/")
    make_letters(2)
    make_letters(1, stream="orders")
    shown = page(reader, "/dead-letters/")
    assert shown.count('data-testid="group"') == 2
    assert shown.count('data-testid="letter"') == 0
    assert "?stream=orders&amp;reason=UntranslatableCharacter" in shown
    assert (
        page(reader, "/dead-letters/?stream=orders&reason=UntranslatableCharacter").count('data-testid="letter"') == 1
    )


def test_letters_of_a_group_are_paged_without_repeating_one(reader: Client) -> None:
    ids = {str(id) for id in make_letters(51)}
    first = page(reader, "/dead-letters/?stream=sensors")
    older = first.partition("&amp;before=")[2].partition('"')[0]
    second = page(reader, f"/dead-letters/?stream=sensors&before={older}")
    assert (first.count('data-testid="letter"'), second.count('data-testid="letter"')) == (50, 1)
    assert {id for id in ids if f'data-letter="{id}"' in first + second} == ids
    assert page(reader, "/dead-letters/?stream=sensors&before=nonsense").count('data-testid="letter"') == 50


def test_payloads_of_letters_are_text_and_cut_short(reader: Client) -> None:
    make_letters(1, MARKUP[:-1] + b', "nul": "\\u0000", "long": "' + b"x" * 5000 + b'"}')
    shown = page(reader, "/dead-letters/?stream=sensors")
    assert "<img" not in shown
    assert "&lt;img src=x" in shown
    assert "x" * 2001 not in shown
    assert "data-cut" in shown


def test_only_those_who_may_manage_see_buttons(reader: Client, staff: Client) -> None:
    make_letters(1)
    for client, there in [(reader, False), (staff, True)]:
        shown = page(client, "/dead-letters/?stream=sensors")
        assert ("data-action=" in shown) is there
        assert ("data-batch-action=" in shown) is there


def test_the_navigation_counts_dead_letters_and_leads_staff_to_the_administration(
    reader: Client, staff: Client
) -> None:
    assert "dead-letters-badge" not in page(reader, "/streams/")
    make_letters(3)
    assert 'data-testid="dead-letters-badge">3<' in page(reader, "/streams/")
    assert 'href="/admin/"' not in page(reader, "/streams/")
    assert 'href="/admin/"' in page(staff, "/streams/")


def test_a_chunk_that_could_not_be_read_is_a_group_of_its_own(reader: Client) -> None:
    [id] = make_letters(1)
    DeadLetter.objects.filter(id=id).update(stream=None, reason="UndecodableChunk")
    assert "?reason=UndecodableChunk" in page(reader, "/dead-letters/")
    assert str(id) in page(reader, "/dead-letters/?reason=UndecodableChunk")
