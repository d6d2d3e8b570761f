"""The pages of streams."""

import json
import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Allow
from tests.browser.moves import follow
from tests.browser.service import Service
from tests.browser.test_accessibility import expect_accessible


def test_streams_are_listed_and_their_settings_saved(page: Page, service: Service, stream: str) -> None:
    service.post(stream, [{"type": "reading", "n": n} for n in range(12)], stored=True)
    page.goto("/streams/")
    row = page.get_by_test_id("stream").filter(has=page.get_by_role("link", name=stream, exact=True))
    expect(row.locator("td.number").first).to_have_text("12")
    follow(row.get_by_role("link", name=stream, exact=True))
    expect(page.get_by_test_id("event")).to_have_count(12)
    page.get_by_label("Idempotency key path").fill("meta.id")
    page.get_by_label("Days that events are kept").fill("7")
    page.get_by_label("What to do with events").select_option("enforce")
    page.get_by_label("JSON Schema").fill('{"type": "object", "required": ["n"]}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    saved = service.get(f"/api/streams/{stream}/")
    assert (saved["key_path"], saved["retention_days"], saved["schema_mode"]) == ("meta.id", 7, "enforce")
    page.reload()
    expect(page.get_by_label("Days that events are kept")).to_have_value("7")
    assert json.loads(page.get_by_label("JSON Schema").input_value()) == {"type": "object", "required": ["n"]}


def test_settings_that_make_no_sense_are_refused_at_their_field(page: Page, service: Service, stream: str) -> None:
    service.post(stream, [{"n": 1}], stored=True)
    page.goto(f"/streams/{stream}/")
    page.get_by_label("JSON Schema").fill('{"type":')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("The schema is no JSON")
    expect(page.get_by_label("JSON Schema")).to_be_focused()
    expect(page.get_by_label("JSON Schema")).to_have_attribute("aria-invalid", "true")
    assert service.get(f"/api/streams/{stream}/")["schema"] is None


def test_an_index_is_added_followed_until_it_is_ready_and_deleted(
    page: Page, service: Service, stream: str, allow: Allow
) -> None:
    allow("400")
    service.post(stream, [{"site": "oslo", "n": n} for n in range(5)], stored=True)
    page.goto(f"/streams/{stream}/")
    page.get_by_label("Field", exact=True).fill("site")
    page.get_by_role("button", name="Add index").click()
    expect(page.get_by_role("alert")).to_contain_text("payload")
    page.get_by_label("Field", exact=True).fill("payload.site")
    page.get_by_role("button", name="Add index").click()
    index = page.get_by_test_id("index")
    expect(index).to_contain_text("payload.site")
    expect(index).to_contain_text("ready", timeout=20_000)
    expect_accessible(page, "a stream with an index")
    index.get_by_role("button", name="Delete").click()
    expect(index).to_have_count(0)
    assert service.get(f"/api/streams/{stream}/indexes/") == []


def test_who_may_only_read_sees_settings_and_no_form(viewer: Page, service: Service, stream: str) -> None:
    service.post(stream, [{"n": 1}], stored=True)
    viewer.goto(f"/streams/{stream}/")
    expect(viewer.get_by_text("Days that events are kept")).to_be_visible()
    expect(viewer.locator("main button, main input, main select, main textarea")).to_have_count(0)
    expect(viewer.get_by_role("link", name="Admin")).to_have_count(0)


def test_a_stream_leads_to_its_live_view_and_to_its_events(page: Page, service: Service, stream: str) -> None:
    service.post(stream, [{"note": "stored before"}], stored=True)
    page.goto(f"/streams/{stream}/")
    page.get_by_test_id("event").get_by_role("link").click()
    expect(page.get_by_role("dialog").get_by_test_id("payload")).to_contain_text("stored before")
    page.goto(f"/streams/{stream}/")
    follow(page.get_by_role("link", name="Watch live"))
    expect(page).to_have_url(re.compile(rf"/\?stream={stream}$"))
    service.post(stream, [{"note": "now"}])
    expect(page.locator('[data-testid="row"]:visible .payload')).to_have_text('{"note": "now"}')
