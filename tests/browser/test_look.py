"""Themes, narrow windows, and what a person with a screen reader needs."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import live
from tests.browser.conftest import Allow, Opener
from tests.browser.service import REFUSED_PAYLOAD, Service


def ground(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))


def test_a_chosen_theme_is_kept_and_the_charts_follow(page: Page, service: Service, stream: str) -> None:
    page.emulate_media(color_scheme="light")
    live.open_live(page)
    service.post(stream, [{"n": 1}])
    expect(page.locator("#rates-chart canvas")).to_be_visible()
    light, drawn = ground(page), page.locator("#rates-chart canvas").screenshot()
    page.get_by_label("Colour theme").select_option("dark")
    assert ground(page) != light
    assert page.locator("#rates-chart canvas").screenshot() != drawn
    page.goto("/streams/")
    assert ground(page) != light
    expect(page.get_by_label("Colour theme")).to_have_value("dark")
    page.get_by_label("Colour theme").select_option("system")
    assert ground(page) == light


@pytest.mark.parametrize("width", [320, 360])
def test_a_phone_scrolls_no_page_sideways(open_window: Opener, service: Service, width: int) -> None:
    stream = service.new_stream() + "-with-a-name-that-goes-on-and-on-for-very-long-indeed"
    service.make_letters(stream, [REFUSED_PAYLOAD], reason="AReasonThatIsLongerThanATelephoneIsWide" * 2)
    service.post(stream, [{"type": "reading." + "long" * 20, "note": "x" * 500}], stored=True)
    page = open_window(viewport={"width": width, "height": 740}, has_touch=True).new_page()
    letters = ["/dead-letters/", f"/dead-letters/?stream={stream}"]
    addresses = ["/", "/streams/", f"/streams/{stream}/", *letters, "/audit/"]
    for address in addresses:
        page.goto(address)
        if address == "/":
            live.expect_state(page, "Live")
            service.post(stream, [{"type": "reading." + "long" * 20, "note": "x" * 500}])
            live.expect_counts(page, shown=1)
        for details in page.locator("details > summary").all():
            details.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_the_first_stop_of_the_keyboard_skips_to_the_content(page: Page) -> None:
    page.goto("/streams/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_an_address_with_nothing_there_has_a_page_that_leads_back(page: Page, allow: Allow) -> None:
    allow("404")
    page.goto("/nothing/")
    expect(page.get_by_role("heading", name="Not Found")).to_be_visible()
    page.get_by_role("link", name="To the start page").click()
    expect(page).to_have_url(re.compile(r"/(login/\?next=/)?$"))
