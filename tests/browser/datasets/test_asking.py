"""From nothing to answers, by the pages alone."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Allow
from tests.browser.datasets.making import Datasets
from tests.browser.moves import follow
from tests.browser.service import Service

READINGS = [{"type": "reading", "site": ("oslo", "bergen")[n % 2], "celsius": 20 + n % 7 / 2} for n in range(200)]


def make_by_hand(page: Page, name: str, stream: str) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("checkbox", name=stream, exact=True).check()
    page.get_by_label("at any time").check()
    follow(page.get_by_role("button", name="Make the dataset"))
    expect(page).to_have_url(re.compile(r"/datasets/\d+/$"))


def test_events_become_a_dataset_a_profile_and_answers(
    page: Page, datasets: Datasets, service: Service, stream: str
) -> None:
    service.post(stream, READINGS, stored=True)
    page.goto("/datasets/")
    follow(page.get_by_test_id("empty").get_by_role("link", name="Of events"))
    make_by_hand(page, "readings", stream)
    expect(page.get_by_test_id("rows")).to_have_text("200")
    column = page.get_by_test_id("column").filter(has_text="payload.celsius")
    expect(column.get_by_role("img", name="Histogram of")).to_be_visible()
    expect(page.get_by_test_id("task")).to_have_count(2)
    page.get_by_label("SQL").fill("SELECT payload.site AS place, count(*) AS n FROM data GROUP BY place ORDER BY place")
    page.keyboard.press("Control+Enter")
    answer = page.get_by_role("region", name="Rows of the answer")
    expect(answer).to_contain_text(re.compile(r"bergen\s*100\s*oslo\s*100"))
    with page.expect_download() as download:
        page.get_by_role("region", name="Query").get_by_role("link", name="CSV").click()
    assert download.value.path().read_text().splitlines()[1].startswith("bergen,100")


def test_two_windows_and_a_metric_over_time_are_asked_for_in_the_forms(
    page: Page, datasets: Datasets, service: Service, stream: str, allow: Allow
) -> None:
    allow("400")
    service.post(stream, READINGS, stored=True)
    pk = datasets.make(streams=[stream])
    page.goto(f"/datasets/{pk}/")
    forms = page.get_by_role("region", name="Analyse", exact=True)
    forms.get_by_text("Time series", exact=True).click()
    forms.get_by_role("checkbox", name="payload.celsius").check()
    forms.get_by_role("button", name="Run: Time series").click()
    expect(page.get_by_test_id("metric")).to_contain_text("payload.celsius")
    expect(page.locator(".chart canvas")).to_be_visible()
    page.goto(f"/datasets/{pk}/")
    forms.get_by_text("Comparison", exact=True).click()
    forms.get_by_role("button", name="Run: Comparison").click()
    expect(forms.get_by_role("alert")).to_contain_text("Name another dataset")
    forms.get_by_label("Window, Starts at").first.fill("2026-01-01T00:00:00")
    forms.get_by_label("Other window, Ends at").fill("2100-01-01T00:00:00")
    forms.get_by_role("button", name="Run: Comparison").click()
    expect(page.get_by_test_id("column").first).to_contain_text("no drift")


def test_a_mistake_in_sql_is_said_and_shown_where_it_is(page: Page, datasets: Datasets, service: Service) -> None:
    pk = datasets.make()
    page.goto(f"/datasets/{pk}/")
    area = page.get_by_label("SQL")
    for sql, place in [
        ("SELECT count(*)\nFROM data GRUP BY type", "BY"),
        ("SELECT 1,\n  nothing FROM data", "nothing"),
    ]:
        area.fill(sql)
        page.get_by_role("button", name="Run the query").click()
        expect(page.get_by_role("region", name="Query").get_by_role("alert")).to_contain_text(place)
        expect(area).to_be_focused()
        assert area.evaluate("area => area.value.slice(area.selectionStart)").startswith(place)


def test_what_is_wrong_with_the_form_is_said_beside_the_field(page: Page, datasets: Datasets, allow: Allow) -> None:
    allow("400")
    datasets.make(name="taken")
    page.goto("/datasets/new/?kind=events")
    name, last = page.get_by_label("Name", exact=True).first, page.get_by_role("textbox", name="Within the last")
    name.fill("taken")
    last.fill("soon")
    page.get_by_role("button", name="Add a condition").click()
    page.locator("[name=condition]").fill("nothing")
    page.get_by_role("button", name="Make the dataset").click()
    expect(page.locator("#name-problem")).to_contain_text("exists")
    expect(name).to_be_focused()
    name.fill("free")
    page.get_by_role("button", name="Make the dataset").click()
    expect(page.locator("#window-problem")).to_contain_text("such as 15m")
    expect(last).to_be_focused()
    last.fill("1h")
    page.get_by_role("button", name="Make the dataset").click()
    expect(page.locator("#conditions-problem")).to_contain_text("There is no 'nothing'")
    page.get_by_role("button", name="Remove this condition").click()
    page.get_by_role("button", name="Make the dataset").click()
    expect(page.get_by_role("heading", name="free")).to_be_visible()


def test_an_analysis_is_cancelled_and_tried_again(page: Page, datasets: Datasets, service: Service) -> None:
    pk = datasets.make()
    service.sql("UPDATE analysis_task SET worker = ''")
    page.goto(datasets.put(pk, "profile", "running", progress=0.4, step="Histograms"))
    expect(page.get_by_test_id("step")).to_have_text("40 %, Histograms")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("ends soon")).to_be_visible()
    service.sql("UPDATE analysis_task SET status = 'cancelled', ended_at = now() WHERE cancel_requested")
    expect(page.get_by_role("status")).to_have_text("cancelled")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("status")).to_have_text("success")
    expect(page.get_by_test_id("profile-rows")).to_be_visible()


def test_a_dataset_is_changed_and_deleted(page: Page, datasets: Datasets) -> None:
    pk = datasets.make(streams=["sensors"], window={"last": "2h"})
    page.goto(f"/datasets/{pk}/")
    follow(page.get_by_role("link", name="Edit"))
    expect(page.get_by_role("textbox", name="Within the last")).to_have_value("2h")
    page.get_by_label("Tags").fill("a, b")
    page.get_by_label("Types").fill("reading")
    page.get_by_label("From, UTC").fill("2026-01-31T12:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="What it is")).to_contain_text("of type reading since 2026-01-31 12:00")
    expect(page.get_by_role("link", name="b", exact=True)).to_be_visible()
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_test_id("empty")).to_be_visible()
