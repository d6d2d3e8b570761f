"""The list of sources."""

import re

from playwright.sync_api import Page, expect

from tests.browser.sources.making import Maker, definition
from tests.sources.provider import Provider, data, status


def test_without_sources_it_explains_and_leads_to_an_example(page: Page, maker: Maker) -> None:
    page.goto("/sources/")
    expect(page.get_by_test_id("empty")).to_contain_text("No sources yet")
    page.get_by_role("link", name="Begin with this").first.click()
    expect(page.get_by_label("URL", exact=True)).to_have_value("https://api.example.org/products")


def test_run_now_shows_the_outcome_without_loading_the_page(page: Page, maker: Maker, provider: Provider) -> None:
    good = maker.source(definition(provider.on("/good", data([{"id": 1}, {"id": 2}]))))
    bad = maker.source(definition(provider.on("/bad", status(404))))
    page.goto("/sources/")
    page.evaluate("window.sameDocument = true")
    for source in (good, bad):
        page.get_by_role("button", name=f"Run now: {source['name']}").click()
    row = page.get_by_test_id("source").filter(has_text=good["name"])
    expect(row).to_contain_text("success")
    expect(row).to_contain_text("2 decoded, 2 inserted")
    expect(page.get_by_test_id("source").filter(has_text=bad["name"])).to_contain_text("1 in a row")
    assert page.evaluate("window.sameDocument") is True


def test_pausing_and_resuming_keep_the_focus_on_the_button(page: Page, maker: Maker) -> None:
    document = definition("https://example.org/x", schedule={"cron": "0 0 1 1 *"})
    source = maker.source(document)
    page.goto("/sources/")
    row = page.get_by_test_id("source").filter(has_text=source["name"])
    row.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(row.locator(".run-state")).to_have_text("paused")
    expect(row.get_by_role("button", name="Resume")).to_be_visible()
    row.get_by_role("button", name="Resume").click()
    expect(row.get_by_role("button", name="Pause")).to_be_visible()
    expect(row).to_contain_text(re.compile(r"in \d+\s(month|week|day)"))


def test_what_the_reader_focused_and_opened_outlasts_what_comes_new(
    page: Page, maker: Maker, provider: Provider
) -> None:
    source = maker.source(definition(provider.on("/rows", data([{"id": 1, "n": 1}]), data([{"id": 1, "n": 2}]))))
    maker.run(source)
    page.goto(f"/sources/{source['id']}/")
    page.get_by_test_id("record").locator("summary").click()
    link = page.get_by_test_id("run").get_by_role("link")
    link.focus()
    maker.run(source)
    expect(page.get_by_test_id("run")).to_have_count(2)
    expect(page.get_by_test_id("run").nth(1).get_by_role("link")).to_be_focused()
    expect(page.get_by_test_id("record").locator("pre")).to_contain_text('"n": 2')
    expect(page.get_by_test_id("record").locator("pre")).to_be_visible()


def test_who_may_only_read_has_no_buttons(viewer: Page, maker: Maker) -> None:
    source = maker.source(definition("https://example.org/x"))
    for address in ("/sources/", f"/sources/{source['id']}/"):
        viewer.goto(address)
        expect(viewer.get_by_role("heading", level=1)).to_be_visible()
        expect(viewer.locator("main button")).to_have_count(0)
