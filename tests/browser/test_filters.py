"""Filters are the server's; their state is the address of the page."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import live
from tests.browser.service import Service

EVENTS = [
    {"type": "alarm.high", "site": "oslo", "speed": 1200},
    {"type": "alarm.low", "site": "bergen", "speed": 900},
    {"type": "reading", "site": "oslo", "speed": 1300},
]


@pytest.mark.parametrize(
    ("name", "text", "sites"),
    [
        ("type", "alarm.*", ["bergen", "oslo"]),
        ("type", "alarm.l?w", ["bergen"]),
        ("filter", "payload.site=oslo", ["oslo", "oslo"]),
        ("filter", "payload.speed>=1000 reading", ["oslo"]),
    ],
)
def test_the_server_sends_what_the_filter_asks_for_and_counts_all(
    page: Page, service: Service, stream: str, name: str, text: str, sites: list[str]
) -> None:
    live.open_live(page)
    live.filter_by(page, name, text)
    service.post(stream, EVENTS)
    expect(live.rows(page).locator(".payload")).to_contain_text(sites)
    live.expect_counts(page, received=3, shown=len(sites), filtered=3 - len(sites), omitted=0)


def test_a_filter_is_in_the_address_and_the_back_button_takes_it_away(page: Page, service: Service) -> None:
    one, other = service.new_stream(), service.new_stream()
    live.open_live(page)
    live.filter_by(page, "stream", one)
    expect(page).to_have_url(re.compile(rf"/\?stream={one}$"))
    live.filter_by(page, "filter", "payload.n>1")
    expect(page).to_have_url(re.compile(r"filter=payload\.n%3E1"))
    service.post(one, [{"n": 1}, {"n": 2}])
    service.post(other, [{"n": 3}])
    live.expect_payloads(page, '{"n": 2}')
    page.go_back()
    expect(page.locator("#filters [name=filter]")).to_be_empty()
    expect(page.locator("#filters [name=stream]")).to_have_value(one)
    service.post(one, [{"n": 4}])
    service.post(other, [{"n": 5}])
    expect(live.rows(page).first.locator(".payload")).to_have_text('{"n": 4}')
    page.go_back()
    service.post(other, [{"n": 6}])
    expect(live.rows(page).first.locator(".payload")).to_have_text('{"n": 6}')


def test_an_address_with_a_filter_can_be_shared(page: Page, service: Service, stream: str) -> None:
    live.open_live(page, f"?stream={stream}&filter=payload.n%3D2&highlight=pump")
    service.post(stream, [{"n": 1}, {"n": 2, "of": "a pump"}])
    live.expect_payloads(page, '{"n": 2, "of": "a pump"}')
    expect(page.locator("mark")).to_have_text(["pump"])
    expect(page.locator("#filters [name=filter]")).to_have_value("payload.n=2")


def test_a_filter_that_makes_no_sense_is_explained_and_the_last_one_goes_on(
    page: Page, service: Service, stream: str
) -> None:
    live.open_live(page, f"?stream={stream}")
    live.filter_by(page, "filter", 'payload.name="unfinished')
    expect(page.get_by_test_id("filter-error")).to_contain_text(re.compile("quot", re.IGNORECASE))
    expect(page.locator("#filters [name=filter]")).to_have_attribute("aria-invalid", "true")
    service.post(stream, [{"n": 1}])
    live.expect_payloads(page, '{"n": 1}')
    live.filter_by(page, "filter", "payload.n=2")
    expect(page.get_by_test_id("filter-error")).to_be_hidden()


@pytest.mark.parametrize("name", ["stream", "type"])
def test_a_click_on_a_busy_stream_or_type_filters_by_it_and_another_click_no_more(
    page: Page, service: Service, stream: str, name: str
) -> None:
    live.open_live(page)
    service.post(stream, [{"type": stream}])
    button = page.locator(f"#top-{name}s").get_by_role("button", name=stream)
    expect(button.locator("polyline")).to_have_attribute("points", re.compile(r"^\d"))
    button.click()
    expect(page).to_have_url(re.compile(rf"\?{name}={stream}$"))
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.locator(f"#filters [name={name}]")).to_be_empty()


def test_highlighting_marks_text_and_hides_nothing(page: Page, service: Service, stream: str) -> None:
    live.open_live(page)
    service.post(stream, [{"name": "main Pump"}, {"name": "valve"}])
    live.expect_counts(page, shown=2)
    page.locator("#filters [name=highlight]").fill("pump")
    expect(page.locator("mark")).to_have_text(["Pump"])
    expect(live.rows(page)).to_have_count(2)
