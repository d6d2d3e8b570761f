"""What holds for every page of datasets: texts stay texts, charts are drawn, phones and screen readers are served."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.datasets.making import Datasets
from tests.browser.service import Service
from tests.browser.test_accessibility import expect_accessible
from tests.browser.test_markup import EVIL, expect_harmless
from tests.datasets.results import DATA

PHONE_PIXELS = 360
NEW = [f"/datasets/new/?kind={kind}" for kind in ("events", "records", "upload")]


def stage(datasets: Datasets, service: Service) -> list[str]:
    """Addresses of all pages, everything on them as bad as it can be."""
    service.post("sensors", [{"type": EVIL, EVIL: EVIL, "note": "x" * 600, "n": n} for n in range(5)], stored=True)
    pk = datasets.make(name=EVIL, streams=["sensors"], conditions={f"payload.{EVIL}": EVIL})
    service.sql("UPDATE dataset SET description = %s, tags = ARRAY[%s] WHERE id = %s", EVIL, EVIL[:50], pk)
    tasks = [datasets.put(pk, kind) for kind in DATA]
    tasks.append(datasets.put(pk, "query", "failed", error="refused", detail=EVIL, parameters={EVIL: EVIL}))
    tasks.append(datasets.put(pk, "profile", "running", step=EVIL[:100], progress=0.4))
    one = f"/datasets/{pk}/"
    return ["/datasets/", one, f"{one}edit/", *tasks]


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach((details) => { details.open = true; })")


def test_what_came_from_outside_is_text_charts_are_drawn_and_no_phone_scrolls_sideways(
    open_window: Opener, datasets: Datasets, service: Service
) -> None:
    page = open_window(viewport={"width": PHONE_PIXELS, "height": 740}, has_touch=True).new_page()
    for address in [*stage(datasets, service), *NEW]:
        page.goto(address)
        open_all(page)
        if address not in NEW and not address.endswith("edit/"):
            expect_harmless(page, places=1)
        for place in page.locator("[data-chart]").all():
            expect(place.locator("canvas")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_PIXELS, address


def test_axe_finds_nothing_serious(page: Page, datasets: Datasets, service: Service) -> None:
    page.goto("/datasets/")
    expect_accessible(page, "no datasets")
    for address in [*stage(datasets, service), *NEW]:
        if address.endswith(("edit/", "=records")):
            continue  # as new ones of events
        page.goto(address)
        open_all(page)
        if address.endswith("=events"):
            page.get_by_role("button", name="Add a condition").click()
        expect_accessible(page, address)
