"""What somebody stored is text on every page, however much it looks like HTML."""

import json
import re

from playwright.sync_api import Page, expect

from tests.browser import live
from tests.browser.conftest import Allow
from tests.browser.service import Service

EVIL = "<img src=x onerror=window.broken=1><script>window.broken=1</script>\"'></td>&lt;b&gt;{{7*7}}"
EVENT = {"type": EVIL, "id": EVIL, "note": EVIL, EVIL: [EVIL]}


def expect_harmless(page: Page, places: int) -> None:
    seen = page.get_by_text("<img src=x onerror=window.broken=1>").filter(visible=True)
    expect(seen.nth(places - 1)).to_be_visible()
    assert page.locator("img, main script:not([type='application/json'])").count() == 0
    assert page.evaluate("window.broken") is None


def test_events_are_text_in_the_tail_the_lists_and_the_dialog(page: Page, service: Service, stream: str) -> None:
    live.open_live(page)
    service.post(stream, [EVENT], stored=True)
    page.locator("#filters [name=highlight]").fill("<img")
    expect(page.locator("mark").first).to_have_text("<img")
    expect(page.locator("#top-types").get_by_text(EVIL)).to_be_visible()
    live.rows(page).first.click()
    expect(page.get_by_role("dialog").get_by_test_id("payload")).to_contain_text(json.dumps(EVIL)[1:-1])
    expect_harmless(page, places=3)
    page.reload()
    expect_harmless(page, places=1)


def test_the_address_of_the_page_is_text(page: Page, allow: Allow) -> None:
    allow("404")
    evil = "%22%3E%3Cimg src=x onerror=window.broken=1%3E"
    page.goto(f"/?type={evil}&highlight={evil}&event={evil}")
    live.expect_state(page, "Live")
    expect(page.get_by_role("dialog")).to_contain_text("There is no event with this id.")
    expect(page.locator("#filters [name=type]")).to_have_value('"><img src=x onerror=window.broken=1>')
    assert page.locator("img").count() == 0
    assert page.evaluate("window.broken") is None


def test_streams_and_their_settings_are_text(page: Page, viewer: Page, service: Service, stream: str) -> None:
    service.post(stream, [EVENT], stored=True)
    page.goto(f"/streams/{stream}/")
    page.get_by_label("JSON Schema").fill(json.dumps({"description": EVIL}))
    page.get_by_label("Time path").fill(f"a.{EVIL}"[:190])
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).not_to_have_text("Saving…")
    service.sql(
        "UPDATE stream SET time_path = %s, schema = %s WHERE name = %s", EVIL, json.dumps({"title": EVIL}), stream
    )
    for one in (page, viewer):
        one.goto(f"/streams/{stream}/")
        expect_harmless(one, places=2)
    page.goto(f"/streams/?q={EVIL}")
    expect_harmless(page, places=1)


def test_dead_letters_are_text(page: Page, service: Service, stream: str) -> None:
    service.make_letters(stream, [json.dumps(EVENT)], reason=EVIL[:100], detail=EVIL)
    service.sql("UPDATE dead_letter SET type = %s, key = %s WHERE reason = %s", EVIL, EVIL, EVIL[:100])
    page.goto(f"/dead-letters/?stream={stream}")
    page.get_by_test_id("letter").locator("summary").click()
    expect_harmless(page, places=4)
    page.get_by_role("button", name="Edit and replay").click()
    expect(page.get_by_label("Payload, a JSON object")).to_have_value(re.compile("<img src=x"))
    page.goto(f"/dead-letters/?reason={EVIL}")
    expect_harmless(page, places=1)
