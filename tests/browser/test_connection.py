"""A connection that breaks, and what was missed meanwhile."""

from datetime import datetime, timedelta

from playwright.sync_api import Page, expect

from tests.browser import live
from tests.browser.conftest import REPLAY_EVENTS, Allow, Opener, log_in
from tests.browser.service import Service

BROKEN = "WebSocket connection to .* failed|ERR_CONNECTION|ERR_INTERNET_DISCONNECTED"


def lose_connection(page: Page, service: Service) -> None:
    """Until the page is online again it does not come back; the service does."""

    def go_offline() -> None:
        """Not sooner: of a connection that ends while the page is offline Chromium may say nothing."""
        live.expect_state(page, "Disconnected")
        page.context.set_offline(True)

    service.kill_web(before_another=go_offline)
    live.expect_state(page, "Disconnected")


def test_after_the_web_process_was_killed_the_page_comes_back_and_misses_nothing(
    page: Page, service: Service, stream: str, allow: Allow
) -> None:
    allow(BROKEN)
    live.open_live(page)
    service.post(stream, [{"n": 1}])
    live.expect_counts(page, shown=1)
    lose_connection(page, service)
    expect(page.get_by_test_id("state-detail")).to_contain_text("trying again in")
    before = service.announced()
    service.post(stream, [{"n": 2}, {"n": 3}])
    service.wait_announced(before + 2)
    live.expect_counts(page, received=1)
    page.context.set_offline(False)
    live.expect_state(page, "Live")
    service.post(stream, [{"n": 4}])
    live.expect_payloads(page, *(f'{{"n": {n}}}' for n in (4, 3, 2, 1)))
    live.expect_counts(page, received=4, shown=4, omitted=0, missing=0)


def test_who_does_not_want_to_wait_connects_at_once(page: Page, service: Service, allow: Allow) -> None:
    allow(BROKEN)
    page.clock.install()
    page.add_init_script("addEventListener('online', (event) => event.stopImmediatePropagation())")
    live.open_live(page)
    lose_connection(page, service)
    page.clock.pause_at(datetime.now() + timedelta(seconds=60))
    page.context.set_offline(False)
    live.expect_state(page, "Disconnected")
    page.get_by_role("button", name="Now").click()
    live.expect_state(page, "Live")


def test_what_the_feed_no_longer_has_is_a_gap_that_the_store_fills(
    page: Page, service: Service, stream: str, allow: Allow
) -> None:
    allow(BROKEN)
    live.open_live(page, f"?stream={stream}")
    service.post(stream, [{"n": 0}])
    live.expect_counts(page, shown=1)
    lose_connection(page, service)
    for batch in range(4):
        expected = service.announced() + 200
        service.post(stream, [{"n": batch * 200 + n} for n in range(1, 201)], stored=True)
        service.wait_announced(expected)
    page.context.set_offline(False)
    live.expect_state(page, "Live")
    service.post(stream, [{"n": 801}])
    missing = 800 - REPLAY_EVENTS + REPLAY_EVENTS % 200
    live.expect_counts(page, received=802 - missing, missing=missing)
    page.get_by_role("grid").hover()
    page.mouse.wheel(0, 100_000)
    gap = page.get_by_test_id("row-gap")
    expect(gap).to_contain_text(f"Missing {missing} events (too long ago)")
    gap.get_by_role("button", name="Load missing").click()
    expect(gap).to_contain_text(f"{missing} events found in the store")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(1 + 802 + 1))


def test_numbers_with_nothing_behind_them_are_said_to_be_lost(page: Page, service: Service, stream: str) -> None:
    live.open_live(page)
    service.post(stream, [{"n": 1}])
    live.expect_counts(page, shown=1)
    service.lose_numbers(7)
    service.post(stream, [{"n": 2}])
    live.expect_counts(page, received=2, shown=2, missing=7)
    gap = page.get_by_test_id("row-gap")
    expect(gap).to_contain_text("Missing 7 events (lost)")
    gap.get_by_role("button", name="Load missing").click()
    expect(gap).to_contain_text("nothing found in the store")


def test_who_logs_out_elsewhere_is_told_and_led_back(open_window: Opener, service: Service, allow: Allow) -> None:
    context = open_window(None)
    allow(BROKEN)
    page = context.new_page()
    log_in(page, f"{service.url}/?stream=mine", "admin", service.admin_password)
    live.expect_state(page, "Live")
    other = context.new_page()
    other.goto("/streams/")
    other.get_by_role("button", name="Log out").click()
    service.kill_web()  # sooner than the server's next look at the session
    live.expect_state(page, "Logged out")
    page.get_by_role("link", name="Log in").click()
    expect(page.get_by_label("User name")).to_be_visible()
    log_in(page, page.url, "admin", service.admin_password)
    expect(page).to_have_url(f"{service.url}/?stream=mine")
