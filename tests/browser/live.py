"""The live page, in the words of these tests."""

from playwright.sync_api import Locator, Page, expect


def open_live(page: Page, query: str = "") -> None:
    """Returns when events would be shown."""
    page.goto(f"/{query}")
    expect_state(page, "Live")


def expect_state(page: Page, state: str) -> None:
    expect(page.get_by_test_id("state")).to_have_text(state)


def expect_counts(page: Page, **counts: int) -> None:
    """Of what came since the page was opened: received, shown, omitted, filtered, unchecked, missing."""
    for name, number in counts.items():
        expect(page.get_by_test_id(name)).to_have_text(f"{number:,}")


def count(page: Page, name: str) -> int:
    return int((page.get_by_test_id(name).text_content() or "").replace(",", ""))


def rows(page: Page) -> Locator:
    """The events that are in the document, which are few of those in the tail."""
    return page.locator('[data-testid="row"]:visible')


def expect_payloads(page: Page, *payloads: str) -> None:
    """All of the tail, newest first."""
    expect(page.locator('[data-testid="row"]:visible .payload')).to_have_text(list(payloads))


def filter_by(page: Page, name: str, text: str) -> None:
    """Returns when it is followed."""
    field = page.locator(f"#filters [name={name}]")
    field.fill(text)
    field.press("Enter")
