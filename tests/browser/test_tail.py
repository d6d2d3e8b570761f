"""What is posted is on the page: shown, or counted."""

import re

from playwright.sync_api import Page, expect

from tests.browser import live
from tests.browser.service import Service

COUNT_PAINTS = """() => {
  const ask = window.requestAnimationFrame
  window.paints = new Map()
  window.requestAnimationFrame = (paint) => ask((time) => {
    const name = `${time} ${paint}`
    window.paints.set(name, (window.paints.get(name) ?? 0) + 1)
    paint(time)
  })
}"""
CHANGE_OFTEN = """() => {
  const field = document.querySelector("#filters [name=highlight]")
  for (let n = 0; n < 20; n += 1) {
    field.value = `text ${n}`
    field.dispatchEvent(new Event("input", { bubbles: true }))
  }
}"""


def test_every_event_is_shown_and_counted_whether_it_comes_alone_or_in_thousands(
    page: Page, service: Service, stream: str
) -> None:
    live.open_live(page)
    for number in range(20):
        service.post(stream, [{"number": number}])
    live.expect_counts(page, received=20, shown=20, omitted=0, unchecked=0, missing=0)
    live.expect_payloads(page, *(f'{{"number": {number}}}' for number in reversed(range(20))))
    for batch in range(10):
        service.post(stream, [{"number": batch * 500 + n} for n in range(500)])
    live.expect_counts(page, received=5_020, unchecked=0, missing=0)
    assert live.count(page, "shown") + live.count(page, "omitted") == 5_020
    expect(live.rows(page).first.locator(".payload")).to_contain_text("4999")


def test_only_the_visible_rows_are_in_the_document(page: Page, service: Service, stream: str) -> None:
    live.open_live(page)
    for batch in range(5):
        service.post(stream, [{"number": batch * 100 + n} for n in range(100)])
        live.expect_counts(page, shown=(batch + 1) * 100)
    tail = page.get_by_role("grid")
    expect(tail).to_have_attribute("aria-rowcount", "501")
    assert live.rows(page).count() < 60
    tail.hover()
    page.mouse.wheel(0, 100_000)
    expect(page.locator(".payload").get_by_text('"number": 0}')).to_be_visible()
    assert live.rows(page).count() < 60


def test_the_newest_two_thousand_rows_are_kept_and_all_are_counted(page: Page, service: Service, stream: str) -> None:
    live.open_live(page)
    for batch in range(12):
        service.post(stream, [{"number": batch * 200 + n} for n in range(200)])
        live.expect_counts(page, shown=(batch + 1) * 200)
        page.wait_for_timeout(200)  # more than 1,000 a second would be counted instead
    tail = page.get_by_role("grid")
    expect(tail).to_have_attribute("aria-rowcount", "2001")
    tail.hover()
    page.mouse.wheel(0, 100_000)
    expect(page.locator(".payload").get_by_text('"number": 400}')).to_be_visible()


def test_however_often_something_changes_the_tail_is_painted_once_for_each_frame_of_the_screen(page: Page) -> None:
    live.open_live(page)
    page.evaluate(COUNT_PAINTS)
    page.evaluate(CHANGE_OFTEN)
    page.wait_for_function("window.paints.size > 0")
    assert set(page.evaluate("[...window.paints.values()]")) == {1}


def test_a_paused_tail_counts_what_comes_and_shows_it_when_resumed(page: Page, service: Service, stream: str) -> None:
    live.open_live(page)
    service.post(stream, [{"n": 1}])
    live.expect_payloads(page, '{"n": 1}')
    page.get_by_role("button", name="Pause").click()
    live.expect_state(page, "Paused")
    service.post(stream, [{"n": 2}, {"n": 3}])
    expect(page.get_by_test_id("paused-new")).to_have_text("2 new while paused")
    live.expect_payloads(page, '{"n": 1}')
    live.expect_counts(page, received=3, shown=3)
    page.get_by_role("button", name="Resume").click()
    live.expect_state(page, "Live")
    live.expect_payloads(page, '{"n": 3}', '{"n": 2}', '{"n": 1}')
    expect(page.get_by_test_id("paused-new")).to_be_empty()


def test_who_scrolls_away_from_the_newest_pauses_and_who_returns_goes_on(
    page: Page, service: Service, stream: str
) -> None:
    live.open_live(page)
    service.post(stream, [{"n": n} for n in range(60)])
    live.expect_counts(page, shown=60)
    tail = page.get_by_role("grid")
    tail.hover()
    page.mouse.wheel(0, 400)
    live.expect_state(page, "Paused")
    place = tail.evaluate("tail => tail.scrollTop")
    service.post(stream, [{"n": "new"}])
    expect(page.get_by_test_id("paused-new")).to_have_text("1 new while paused")
    assert tail.evaluate("tail => tail.scrollTop") == place
    page.mouse.wheel(0, -10_000)
    live.expect_state(page, "Live")
    expect(live.rows(page).first.locator(".payload")).to_have_text('{"n": "new"}')


def test_the_numbers_at_the_head_follow_the_service(page: Page, service: Service, stream: str) -> None:
    live.open_live(page)
    before = service.announced()
    service.post(stream, [{"n": n} for n in range(30)], stored=True)
    expect(page.get_by_test_id("figure-received").locator(".value")).to_have_text(f"{before + 30:,}")
    expect(page.get_by_test_id("figure-rate").locator(".value")).to_have_text(re.compile(r"^\d"))
    expect(page.locator("#top-streams").get_by_role("button", name=stream)).to_be_visible()
    expect(page.locator("#rates-summary")).to_contain_text("Events per second in the last 15 minutes")
