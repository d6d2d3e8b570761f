"""The client that docs/live-feed.md gives, as a module in a page of the service."""

import re
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.conftest import Allow
from tests.browser.service import Service, until
from tests.browser.test_connection import BROKEN

PAGE = Path(__file__).parents[2] / "docs" / "live-feed.md"
WATCH = """async ([url, stream]) => {
  const { watch } = await import("/client.js")
  window.frames_seen = []
  watch(url, (frame) => window.frames_seen.push(frame), { stream })
}"""
NUMBERS = "window.frames_seen.flatMap((frame) => frame.events ?? []).map((event) => event.payload.n)"


def source() -> str:
    match = re.search(r"^```javascript\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert match
    return match[1]


def test_the_client_of_the_documentation_watches_and_comes_back(
    page: Page, service: Service, stream: str, allow: Allow
) -> None:
    allow(BROKEN)
    page.route("**/client.js", lambda route: route.fulfill(body=source(), content_type="text/javascript"))
    page.goto("/streams/")
    page.evaluate(WATCH, [f"{service.url.replace('http', 'ws')}/ws/events/", stream])
    until(lambda: page.evaluate("window.frames_seen.some((frame) => frame.op === 'ok')"))
    service.post(stream, [{"n": 1}])
    until(lambda: len(page.evaluate(NUMBERS)) == 1)
    service.kill_web()
    service.post(stream, [{"n": 2}])
    until(lambda: len(page.evaluate(NUMBERS)) == 2)
    assert page.evaluate(NUMBERS) == [1, 2]
