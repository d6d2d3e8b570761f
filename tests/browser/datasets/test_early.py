"""Pages whose scripts are slow to come."""

from playwright.sync_api import Page, Route, expect

from tests.browser.datasets.making import Datasets


def held(page: Page, script: str, address: str) -> Route:
    """Opens the page; its script comes when the route goes on."""
    routes: list[Route] = []
    page.route(script, lambda route: routes.append(route))
    page.goto(address, wait_until="commit")
    while not routes:
        page.wait_for_timeout(10)
    return routes[0]


def test_a_button_pressed_before_the_script_is_there_does_its_work_once(page: Page, datasets: Datasets) -> None:
    route = held(page, "**/datasets/form*.js", "/datasets/new/?kind=events")
    add, conditions = page.get_by_role("button", name="Add a condition"), page.locator("[name=condition]")
    add.click()
    add.click()
    expect(conditions).to_have_count(0)
    route.continue_()
    expect(conditions).to_have_count(1)
    add.click()
    expect(conditions).to_have_count(2)


def test_a_form_that_needs_no_script_waits_for_none(page: Page) -> None:
    held(page, "**/theme_switch*.js", "/audit/")
    page.get_by_label("Who").fill("nobody")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**/audit/?actor=nobody*", wait_until="commit")


def test_a_form_sent_before_the_script_is_there_is_sent_by_the_script(page: Page, datasets: Datasets) -> None:
    route = held(page, "**/datasets/query*.js", f"/datasets/{datasets.make()}/")
    page.get_by_label("SQL").fill("SELECT 40 + 2 AS answer")
    page.get_by_role("button", name="Run the query").click()
    route.continue_()
    expect(page.get_by_role("region", name="Rows of the answer")).to_contain_text("42")
