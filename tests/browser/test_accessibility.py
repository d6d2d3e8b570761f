"""axe-core finds nothing serious in any state of any page, in either theme."""

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser import live
from tests.browser.conftest import Allow, Opener
from tests.browser.service import REFUSED_PAYLOAD, Service
from tests.browser.test_connection import BROKEN, lose_connection

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RUN = """
(rules) => new Promise(requestAnimationFrame) // what nobody gets to see is no violation: a theme not yet in every part
  .then(() => axe.run(document, { resultTypes: ['violations'], ...(rules && { runOnly: rules }) }))
  .then((found) => found.violations)
"""
OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""All that a theme can change."""
BAD = ("serious", "critical")


def expect_accessible(page: Page, state: str) -> None:
    page.evaluate(AXE.read_text())
    themes: list[tuple[Literal["light", "dark"], list[str] | None]] = [("light", None), ("dark", OF_COLOURS)]
    for theme, rules in themes:
        page.emulate_media(color_scheme=theme)
        found: list[dict[str, Any]] = page.evaluate(RUN, rules)
        bad = [
            f"{state}, {theme}: {one['id']}: {one['help']}: {[node['html'] for node in one['nodes']][:3]}"
            for one in found
            if one["impact"] in BAD
        ]
        assert bad == []


def test_the_live_page_while_it_is_empty_busy_paused_and_disconnected(
    page: Page, service: Service, stream: str, allow: Allow
) -> None:
    allow(BROKEN)
    live.open_live(page, f"?stream={stream}")
    expect_accessible(page, "empty")
    service.post(stream, [{"type": f"kind-{n % 12}", "id": f"key {n}", "n": n} for n in range(800)])
    service.lose_numbers(5)
    service.post(stream, [{"n": 1}])
    live.expect_counts(page, received=801, missing=5)
    page.locator("#filters [name=highlight]").fill("kind")
    expect_accessible(page, "busy")
    page.get_by_role("grid").focus()
    page.keyboard.press("ArrowDown")
    service.post(stream, [{"n": 2}])
    expect(page.get_by_test_id("paused-new")).to_have_text("1 new while paused")
    expect_accessible(page, "paused")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect_accessible(page, "an event open")
    page.keyboard.press("Escape")
    lose_connection(page, service)
    expect_accessible(page, "disconnected")


def test_the_live_page_when_the_session_has_ended_and_in_states_that_do_not_last(
    page: Page, service: Service, allow: Allow
) -> None:
    allow(BROKEN)
    live.open_live(page)
    page.context.clear_cookies()
    service.kill_web()
    live.expect_state(page, "Logged out")
    expect_accessible(page, "logged out")
    for state in ("catching_up", "refused"):
        page.evaluate("state => { document.getElementById('state').dataset.state = state }", state)
        expect_accessible(page, state)


def test_the_live_page_with_an_alert_an_error_and_its_dialogs(page: Page) -> None:
    live.open_live(page)
    live.filter_by(page, "filter", 'payload.name="unfinished')
    expect(page.get_by_test_id("filter-error")).to_be_visible()
    page.get_by_role("button", name="Alerts").click()
    page.get_by_label("fewer than so many events a second").fill("1000000")
    expect_accessible(page, "alerts open")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_test_id("alert")).to_be_visible()
    expect_accessible(page, "alert and error")
    page.get_by_role("button", name="Keys").click()
    expect_accessible(page, "help open")


def test_the_pages_of_streams(page: Page, viewer: Page, service: Service, stream: str) -> None:
    service.post(stream, [{"type": "reading", "n": n} for n in range(30)], stored=True)
    for address in ("/streams/", "/streams/?q=nothing", f"/streams/{stream}/"):
        page.goto(address)
        expect_accessible(page, address)
    viewer.goto(f"/streams/{stream}/")
    expect_accessible(viewer, "settings to read")


def test_the_page_of_dead_letters(page: Page, service: Service, stream: str) -> None:
    service.make_letters(stream, [REFUSED_PAYLOAD] * 2, detail="unsupported Unicode escape sequence")
    page.goto("/dead-letters/")
    expect_accessible(page, "groups")
    page.goto(f"/dead-letters/?stream={stream}")
    page.get_by_test_id("letter").first.locator("summary").click()
    expect_accessible(page, "letters")
    page.get_by_role("button", name="Edit and replay").click()
    expect_accessible(page, "editor")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Discard…").first.click()
    expect_accessible(page, "confirmation")
    service.sql("DELETE FROM dead_letter")
    page.goto("/dead-letters/")
    expect_accessible(page, "none")


def test_the_page_of_the_audit_log(page: Page, service: Service) -> None:
    service.sql(
        "INSERT INTO audit_entry"
        " (at, actor, actor_name, action, object_type, object_id, object_name, changes, request_id)"
        " VALUES (now(), 'user:1', 'admin', 'stream.update', 'stream', '1', 's', '{\"a\": 1}', '')"
    )
    page.goto("/audit/?object=stream")
    page.get_by_test_id("entry").first.locator("summary").click()
    expect_accessible(page, "entries")
    page.goto("/audit/?actor=nobody")
    expect_accessible(page, "none")


@pytest.mark.parametrize("address", ["/login/", "/login/?next=/streams/", "/nothing/"])
def test_the_pages_of_those_who_are_not_logged_in(open_window: Opener, address: str, allow: Allow) -> None:
    page = open_window(None).new_page()
    allow("404")
    page.goto(address)
    expect_accessible(page, address)


def test_a_log_in_that_fails(open_window: Opener) -> None:
    page = open_window(None).new_page()
    page.goto("/login/")
    page.get_by_label("User name").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect_accessible(page, "refused")
