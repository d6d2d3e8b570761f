"""From one page to the next."""

from playwright.sync_api import Locator


def follow(pressed: Locator) -> None:
    """Press what leads to another page and wait until the scripts of that one are there, as `goto` does."""
    with pressed.page.expect_navigation():
        pressed.click()
