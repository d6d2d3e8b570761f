"""The pages of one source and of one run."""

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.sources.making import Maker, definition
from tests.sources.provider import Provider, data, status


def test_a_run_is_followed_while_it_runs_and_cancelled(page: Page, maker: Maker, provider: Provider) -> None:
    document = definition(provider.answer("/endless", lambda request: data([{"id": int(request.query["page"])}])))
    document["extract"]["pagination"] = {"kind": "page", "size": 1}
    run = maker.begin(maker.source(document))
    page.goto(f"/sources/runs/{run}/")
    expect(page.get_by_role("status")).to_have_text("running")
    expect(page.get_by_role("log")).to_contain_text("Attempt 1")
    expect(page.get_by_test_id("count-decoded")).to_contain_text(re.compile("[1-9]"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_have_text("cancelled", timeout=40_000)
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    expect(page.locator("[data-every]")).to_have_attribute("data-every", "0")


def test_rejected_rows_are_shown_with_their_reasons(page: Page, maker: Maker, provider: Provider) -> None:
    rows = [{"id": 1}, {"id": 2, "at": "2021-09-31"}]
    fields = [{"to": "id", "from": "id"}, {"to": "at", "from": "at", "type": "date"}]
    run = maker.run(maker.source(definition(provider.on("/rows", data(rows)), map=fields)))
    page.goto(f"/sources/runs/{run}/")
    expect(page.get_by_test_id("count-rejected")).to_contain_text("1")
    expect(page.get_by_text("1 × map: bad_")).to_be_visible()
    page.get_by_test_id("rejected").locator("summary").click()
    expect(page.get_by_test_id("rejected").locator("pre")).to_contain_text('"id":2')


def test_a_failed_run_says_why_and_can_be_tried_again(page: Page, maker: Maker, provider: Provider) -> None:
    source = maker.source(definition(provider.on("/rows", status(404), data([{"id": 1}]))))
    page.goto(f"/sources/runs/{maker.run(source)}/")
    failed = page.url
    expect(page.get_by_test_id("error")).to_contain_text("404")
    page.get_by_role("button", name="Retry").click()
    expect(page).not_to_have_url(failed)
    expect(page.get_by_role("status")).to_have_text("success")


def test_the_page_of_a_source_has_its_chart_its_export_and_its_end(
    page: Page, maker: Maker, provider: Provider, tmp_path: Path
) -> None:
    source = maker.source(definition(provider.on("/rows", data([{"id": 1}]))))
    page.goto(f"/sources/{source['id']}/")
    page.get_by_role("button", name="Run now").click()
    expect(page.locator(".run-chart canvas")).to_be_visible()
    expect(page.locator("[data-chart-summary]")).to_contain_text("1 run, 0 failed; at most 1 rows")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    download.value.save_as(tmp_path / "source.json")
    exported = json.loads((tmp_path / "source.json").read_text())
    assert exported == {"name": source["name"], "active": True, "definition": source["definition"]}
    page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    dialog.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile("/sources/$"))
    expect(page.get_by_text(source["name"])).to_have_count(0)


def test_a_backfill_is_begun_and_its_windows_are_listed(page: Page, maker: Maker, provider: Provider) -> None:
    url = provider.on("/rows", data([{"id": 1, "at": "2026-01-01T00:00:00Z"}]))
    document = definition(url)
    document["extract"]["cursor"] = {"field": "at", "parameter": "since", "format": "iso8601"}
    source = maker.source(document)
    page.goto(f"/sources/{source['id']}/")
    page.get_by_role("button", name="Backfill…").click()
    page.get_by_label("From, UTC").fill("2026-01-01T00:00")
    page.get_by_label("Until, UTC").fill("2026-01-04T00:00")
    page.get_by_role("button", name="Begin").click()
    run = page.get_by_test_id("run").filter(has_text="backfill")
    expect(run).to_contain_text("2026-01-01 00:00")
    run.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Backfill of")).to_be_visible()
    expect(page.get_by_test_id("run")).to_have_count(3)
    expect(page.get_by_role("status")).to_have_text("success", timeout=40_000)
