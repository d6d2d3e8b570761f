"""What holds for every page of sources: texts stay texts, telephones and screen readers are served."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.service import Service
from tests.browser.sources.making import Maker, definition
from tests.browser.test_accessibility import expect_accessible
from tests.browser.test_markup import EVIL, expect_harmless
from tests.sources.provider import Provider, data


def stage(maker: Maker, service: Service, provider: Provider) -> list[str]:
    """Addresses of all pages, everything on them as bad as it can be."""
    rows = [{"id": EVIL, EVIL: [EVIL]}, {"id": "x" * 300, "note": "y" * 600}, {"id": 3, "at": EVIL}]
    document = definition(
        provider.on("/rows", data(rows)), map=[{"to": "id", "from": "id"}, {"to": "at", "from": "at", "type": "time"}]
    )
    document["extract"]["headers"] = {"X-Note": "<img src=x onerror=window.broken=1>"}
    source = maker.source(document)
    run = maker.run(source)
    service.sql("UPDATE source_run SET error = 'broken', status = 'failed', detail = %s", EVIL)
    service.sql("UPDATE source_run_log SET message = %s", EVIL)
    service.sql("UPDATE source SET failures = 3, name = %s WHERE id = %s", EVIL[:80], source["id"])
    one = f"/sources/{source['id']}/"
    return ["/sources/", one, f"{one}edit/", f"/sources/runs/{run}/", "/records/", f"/records/?search={EVIL[:30]}"]


def test_what_came_from_outside_is_text(page: Page, maker: Maker, service: Service, provider: Provider) -> None:
    for address in stage(maker, service, provider):
        page.goto(address)
        if not address.endswith("edit/"):
            for details in page.locator("details > summary").all():
                details.click()
            expect_harmless(page, places=1)
        else:
            page.get_by_role("button", name="Preview").click()
            expect(page.get_by_role("tab", name="rejected 2")).to_be_visible()
            expect_harmless(page, places=1)


def test_a_phone_scrolls_no_page_sideways(
    open_window: Opener, maker: Maker, service: Service, provider: Provider
) -> None:
    page = open_window(viewport={"width": 360, "height": 740}, has_touch=True).new_page()
    for address in [*stage(maker, service, provider), "/sources/new/"]:
        page.goto(address)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


def test_axe_finds_nothing_serious(page: Page, maker: Maker, service: Service, provider: Provider) -> None:
    page.goto("/sources/")
    expect_accessible(page, "no sources")
    for address in stage(maker, service, provider):
        page.goto(address)
        if "/edit/" in address:
            page.get_by_role("button", name="Preview").click()
            expect(page.get_by_role("tab", name="rejected 2")).to_be_visible()
            page.get_by_label("URL", exact=True).fill("")
            expect(page.get_by_text("It is missing.")).to_be_visible()
        expect_accessible(page, address)
