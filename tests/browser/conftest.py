"""One Chromium and one whole installation for all browser tests of a process; a window of its own for each.

Playwright keeps an event loop running in this thread, so these tests are a pytest run of their own.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from bench.chromium import ChromiumMissing, executable, running_chromium
from data_handler import embedded
from tests.browser.complaints import Complaints
from tests.browser.service import Service
from tests.faults.installation import Installation

REPLAY_EVENTS = 500
VIEWER = ("viewer", "looks but does not touch")

LIGHT = "chromium-headless-shell"
"""Opens a window in a third of the time."""

expect.set_options(timeout=15_000)
if shutil.which(LIGHT):
    os.environ.setdefault("CHROMIUM", LIGHT)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without Chromium one test says so for all."""
    try:
        executable()
    except ChromiumMissing:
        ours = [item for item in items if Path(__file__).parent in item.path.parents]
        config.hook.pytest_deselected(items=ours[1:])
        items[:] = [item for item in items if item not in ours[1:]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        with running_chromium() as browser:
            yield browser
    except ChromiumMissing as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def service(browser: Browser) -> Iterator[Service]:
    folder = Path(tempfile.mkdtemp(prefix="data-handler-browser-"))
    installation = Installation(folder, FEED_REPLAY_EVENTS=str(REPLAY_EVENTS), SOURCES_ALLOWED_HOSTS="127.0.0.1")
    try:
        installation.start()
        service = Service(installation)
        service.make_user(*VIEWER)
        yield service
        service.close()
    finally:
        installation.stop()
        embedded.remove(installation.home)
        shutil.rmtree(folder)


def log_in(page: Page, url: str, name: str, password: str) -> None:
    page.goto(url)
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


@pytest.fixture(scope="session")
def log_ins(browser: Browser, service: Service) -> dict[str, StorageState]:
    """Cookies by user: `admin` may do everything, `viewer` may read."""
    cookies = {}
    for name, password in [("admin", service.admin_password), VIEWER]:
        context = browser.new_context()
        log_in(context.new_page(), f"{service.url}/streams/", name, password)
        cookies[name] = context.storage_state()
        context.close()
    return cookies


Opener = Callable[..., BrowserContext]
Allow = Callable[[str], None]


@pytest.fixture
def open_window(
    browser: Browser, service: Service, log_ins: dict[str, StorageState], complaints: list[Complaints]
) -> Iterator[Opener]:
    """`open_window("admin")`, "viewer", or None for nobody; options as Playwright has them."""
    opened: list[BrowserContext] = []

    def open_one(user: str | None = "admin", **options: object) -> BrowserContext:
        state = log_ins[user] if user else None
        chosen = {"reduced_motion": "reduce", "viewport": {"width": 1280, "height": 800}, **options}
        context = browser.new_context(storage_state=state, base_url=service.url, **chosen)  # type: ignore[arg-type]
        opened.append(context)
        complaints.append(Complaints(context))
        return context

    yield open_one
    for context in opened:
        context.close()
    assert [text for one in complaints for text in one.found] == []


@pytest.fixture
def complaints() -> list[Complaints]:
    return []


@pytest.fixture
def allow(complaints: list[Complaints]) -> Allow:
    """What the browser may complain about from now on, as a pattern."""

    def allow_everywhere(pattern: str) -> None:
        for one in complaints:
            one.allow(pattern)

    return allow_everywhere


@pytest.fixture
def page(open_window: Opener) -> Page:
    """An administrator's."""
    return open_window().new_page()


@pytest.fixture
def viewer(open_window: Opener) -> Page:
    """A page of somebody who may read and no more."""
    return open_window("viewer").new_page()


@pytest.fixture
def stream(service: Service) -> str:
    return service.new_stream()
