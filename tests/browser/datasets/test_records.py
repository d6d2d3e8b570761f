"""From the page of a source to a dataset of its records, and what is asked of them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.datasets.making import Datasets
from tests.browser.moves import follow
from tests.browser.service import Service
from tests.browser.sources.making import Maker, definition
from tests.sources.provider import data, running

PRODUCTS = [{"id": f"P-{n}", "price": 10 + n % 40, "stock": {"place": ("Oslo", "Bergen")[n % 2]}} for n in range(200)]


@pytest.fixture
def shop(open_window: Opener, service: Service, datasets: Datasets) -> Iterator[str]:
    """The address of a source whose records are there."""
    maker = Maker(open_window())
    with running() as provider:
        source = maker.source(definition(provider.on("/products", data(PRODUCTS))), name="shop", active=False)
        maker.run(source)
        yield f"/sources/{source['id']}/"
    service.sql("DELETE FROM record")
    service.sql("TRUNCATE source CASCADE")


def test_records_become_a_dataset_a_profile_and_answers(page: Page, shop: str) -> None:
    page.goto(shop)
    follow(page.get_by_role("link", name="Make a dataset"))
    expect(page.get_by_label("Source")).to_have_value("shop")
    page.get_by_label("Name", exact=True).fill("cheap in Oslo")
    for name, value in [("value.price__lt", "30"), ("value.stock.place", "Oslo")]:
        page.get_by_role("button", name="Add a condition").click()
        page.get_by_label("Name", exact=True).last.fill(name)
        page.get_by_label("Value", exact=True).last.fill(value)
    follow(page.get_by_role("button", name="Make the dataset"))
    expect(page).to_have_url(re.compile(r"/datasets/\d+/$"))
    expect(page.get_by_test_id("rows")).to_have_text("50")
    what = "records of shop where value.price < 30 and value.stock.place is Oslo"
    expect(page.get_by_role("region", name="What it is")).to_contain_text(what)
    column = page.get_by_test_id("column").filter(has_text="value.price")
    expect(column.get_by_role("img", name="Histogram of")).to_be_visible()
    area = page.get_by_label("SQL")
    area.fill("SELECT max()")
    area.press("ArrowLeft")
    page.get_by_role("region", name="Query").get_by_role("button", name="value.price").click()
    area.press("End")
    area.press_sequentially(" FROM data")
    area.press("Control+Enter")
    expect(page.get_by_role("region", name="Rows of the answer")).to_contain_text("28")
