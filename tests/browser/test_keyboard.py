"""The live page without a mouse."""

from playwright.sync_api import Page, expect

from tests.browser import live
from tests.browser.service import Service


def test_keys_pause_filter_help_and_clear(page: Page) -> None:
    live.open_live(page)
    page.keyboard.press(" ")
    live.expect_state(page, "Paused")
    page.keyboard.press(" ")
    live.expect_state(page, "Live")
    page.keyboard.press("/")
    filter_field = page.locator("#filters [name=filter]")
    expect(filter_field).to_be_focused()
    page.keyboard.type("a b /?")
    expect(filter_field).to_have_value("a b /?")
    live.expect_state(page, "Live")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(filter_field).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(filter_field).to_be_empty()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_arrows_choose_an_event_and_enter_opens_it(page: Page, service: Service, stream: str) -> None:
    live.open_live(page)
    service.post(stream, [{"n": 1}, {"n": 2}, {"n": 3}])
    live.expect_counts(page, shown=3)
    page.get_by_role("grid").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    live.expect_state(page, "Paused")
    expect(page.locator('[role=row][aria-selected="true"]')).to_contain_text('{"n": 2}')
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_test_id("payload")).to_have_text('{\n  "n": 2\n}')
    page.keyboard.press("Escape")
    expect(page.get_by_role("grid")).to_be_focused()
