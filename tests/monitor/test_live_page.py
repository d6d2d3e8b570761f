"""The live page as the server makes it: what a browser has before the feed says anything."""

import json
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from access.models import Role
from data_handler import embedded
from ingest import feed
from ingest.flush import flush
from monitor import live
from monitor.history import History
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream, push_chunk
from tests.monitor.frozen import frozen
from tests.monitor.test_pages import Inline
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

MARKUP = "</script><script>alert(1)</script>"


@pytest.fixture
def reader() -> Client:
    client = Client()
    client.force_login(person(Role.VIEWER))
    return client


def html(client: Client) -> str:
    answer = client.get("/")
    assert answer.status_code == 200
    return answer.content.decode()


def figure(page: str, name: str) -> str:
    found = re.search(rf'data-figure="{name}".*?class="value">(.*?)</span>', page, re.DOTALL)
    assert found
    return found[1]


def past(page: str) -> History:
    found = re.search(r'<script id="live-history" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    told: History = json.loads(found[1])
    return told


def announce(events: int) -> None:
    feed.append(
        {
            "producer": feed.new_producer(),
            "before": 0,
            "n": events,
            "counts": [["sensors", "reading", events]],
            "events": [],
            "accepted_at": 0.0,
        }
    )


def scripts() -> list[Path]:
    page = finders.find("monitor/live/page.js")
    assert isinstance(page, str)
    return sorted(Path(page).parent.glob("*.js"))


def test_it_needs_a_login_and_leads_back() -> None:
    assert Client().get("/?stream=doors").headers["Location"] == "/login/?next=/%3Fstream%3Ddoors"


def test_the_first_paint_has_the_numbers_of_now(reader: Client) -> None:
    sensors = make_stream()
    announce(2001)
    push_chunk(sensors, [make_event(number) for number in range(1999)] + [make_event(payload=BAD_PAYLOAD)])
    flush()
    push_chunk(sensors, [make_event()])
    shown = html(reader)
    numbers = {name: figure(shown, name) for name in ("received", "stored", "buffered", "dead", "duplicates")}
    assert numbers == {"received": "2,001", "stored": "1,999", "buffered": "1", "dead": "1", "duplicates": "0"}
    assert re.fullmatch(r"[\d,]+ / [\d,]+", figure(shown, "lag"))
    assert figure(shown, "rate") == live.UNKNOWN


def test_the_first_paint_has_the_past_of_the_charts(reader: Client) -> None:
    assert past(html(reader))["events"] == []
    push_chunk(make_stream(), [make_event(number) for number in range(7)])
    flush()
    told = past(html(reader))
    assert told["minutes"] == 60
    assert [(line["type"], line["events"]) for line in told["events"]] == [("reading", 7)]


def test_a_type_that_looks_like_markup_does_not_end_the_script_that_holds_it(reader: Client) -> None:
    key, _, time, payload = make_event()
    push_chunk(make_stream(), [(key, MARKUP, time, payload)])
    flush()
    shown = html(reader)
    assert MARKUP not in shown
    assert past(shown)["events"][0]["type"] == MARKUP


def test_numbers_of_a_buffer_that_is_away_are_unknown_and_the_page_is_there(
    reader: Client, services: embedded.Services
) -> None:
    push_chunk(make_stream(), [make_event()])
    flush()
    announce(1)
    with frozen(services.buffer):
        shown = html(reader)
    assert (figure(shown, "received"), figure(shown, "stored")) == ("1", live.UNKNOWN)
    assert figure(shown, "lag") == "– / –"
    assert past(shown)["events"] != []


def test_numbers_of_a_broker_that_is_away_are_unknown_and_the_page_is_there(
    reader: Client, services: embedded.Services
) -> None:
    push_chunk(make_stream(), [make_event()])
    flush()
    with frozen(services.broker):
        shown = html(reader)
    assert (figure(shown, "received"), figure(shown, "stored")) == (live.UNKNOWN, "1")


def test_nothing_in_it_would_be_stopped_by_the_policy_that_it_comes_with(reader: Client) -> None:
    parser = Inline()
    parser.feed(html(reader))
    assert parser.found == []
    policy = reader.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy


def test_it_has_every_part_that_its_scripts_look_up(reader: Client) -> None:
    sources = "".join(script.read_text() for script in scripts())
    wanted = set(re.findall(r'(?:part|getElementById)\("([\w-]+)"\)', sources))
    there = set(re.findall(r'\bid="([\w-]+)"', html(reader)))
    assert {"tail", "filters", "state"} <= wanted
    assert wanted <= there


def test_every_module_that_its_scripts_import_is_there() -> None:
    for script in scripts():
        for name in re.findall(r'(?:from|import\() ?"\./([\w-]+\.js)"', script.read_text()):
            assert script.with_name(name).is_file(), f"{script.name} imports {name}"
