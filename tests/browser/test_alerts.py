"""Thresholds of the user's own."""

import re

from playwright.sync_api import Page, expect

from tests.browser import live
from tests.browser.service import Service


def set_threshold(page: Page, label: str, value: str) -> None:
    page.get_by_role("button", name="Alerts").click()
    page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Done").click()


def test_a_banner_stands_while_a_threshold_is_crossed(page: Page, service: Service, stream: str) -> None:
    live.open_live(page)
    set_threshold(page, "more than so many events a second", "2")
    expect(page.get_by_test_id("alert")).to_be_hidden()
    service.post(stream, [{"n": n} for n in range(50)])
    expect(page.get_by_test_id("alert")).to_have_text("More than 2 events a second")
    expect(page).to_have_title(re.compile("^⚠"))
    expect(page.get_by_test_id("alert")).to_be_hidden()
    expect(page).to_have_title("Live – Data Handler")


def test_slow_storage_and_dead_letters_are_told_of_too(page: Page, service: Service, stream: str) -> None:
    service.post(stream, [{"n": 1}], stored=True)
    live.open_live(page)
    alert = page.get_by_test_id("alert")
    set_threshold(page, "storing takes longer than", "0")
    expect(alert).to_have_text("Storing takes longer than 0 ms (p99)")
    set_threshold(page, "storing takes longer than", "1000000")
    expect(alert).to_be_hidden()
    [[dead]] = service.sql("SELECT coalesce(sum(dead), 0) FROM rollup_total")
    set_threshold(page, "more than so many dead letters", str(dead + 2))
    refuse = "UPDATE rollup_total SET dead = dead + %s WHERE stream_id = (SELECT id FROM stream WHERE name = %s)"
    service.sql(refuse, 3, stream)
    expect(alert).to_have_text(f"More than {dead + 2:,} dead letters")
    service.sql(refuse, -1, stream)
    expect(alert).to_be_hidden()
    service.sql(refuse, -2, stream)


def test_thresholds_are_kept_and_can_be_taken_away(page: Page) -> None:
    live.open_live(page)
    set_threshold(page, "fewer than so many events a second", "1000000")
    expect(page.get_by_test_id("alert")).to_have_text("Fewer than 1,000,000 events a second")
    page.reload()
    expect(page.get_by_test_id("alert")).to_be_visible()
    set_threshold(page, "fewer than so many events a second", "")
    expect(page.get_by_test_id("alert")).to_be_hidden()
