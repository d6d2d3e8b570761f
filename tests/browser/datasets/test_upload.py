"""A file from the reader's computer becomes a dataset."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Allow
from tests.browser.datasets.making import Datasets


def test_a_csv_file_is_sent_with_its_progress_and_profiled(page: Page, datasets: Datasets, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("sku,price\n" + "".join(f"A-{n},{n}.50\n" for n in range(1000)))
    page.goto("/datasets/new/?kind=upload")
    seen = "window.sent = []; new MutationObserver(() => window.sent.push(bar.value)).observe(bar, {attributes: true})"
    page.evaluate(f"const bar = document.querySelector('[data-file-progress]'); {seen}")
    page.get_by_label("File", exact=True).set_input_files(file)
    expect(page.locator("[data-file-state]")).to_contain_text("prices.csv is there")
    assert page.evaluate("window.sent.at(-1)") == 1
    expect(page.get_by_label("Name", exact=True)).to_have_value("prices")
    page.get_by_role("button", name="Make the dataset").click()
    expect(page).to_have_url(re.compile(r"/datasets/\d+/$"))
    expect(page.get_by_test_id("rows")).to_have_text("1,000")
    expect(page.get_by_role("region", name="Table of the first rows")).to_contain_text("A-0")
    expect(page.get_by_test_id("column").filter(has_text="price").get_by_role("img")).to_be_visible()


def test_without_a_file_it_is_asked_for(page: Page, datasets: Datasets, allow: Allow) -> None:
    allow("400")
    page.goto("/datasets/new/?kind=upload")
    page.get_by_label("Name", exact=True).fill("nothing")
    page.get_by_role("button", name="Make the dataset").click()
    expect(page.locator("#upload-problem")).to_be_visible()
