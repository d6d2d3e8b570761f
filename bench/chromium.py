"""The Chromium of this machine, to look at the pages with."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumMissing(Exception):
    """There is none; the message says how to get it."""


def executable() -> str:
    """What CHROMIUM names, else the first of NAMES on the PATH. Raises ChromiumMissing."""
    asked = os.environ.get("CHROMIUM")
    for name in (asked,) if asked else NAMES:
        if found := shutil.which(name):
            return found
    raise ChromiumMissing(
        f"There is no {asked or 'Chromium'}: install it (apt-get install chromium, brew install chromium)"
        " or set CHROMIUM to the path of one."
    )


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Raises ChromiumMissing."""
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
