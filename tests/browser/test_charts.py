"""The charts: the past from the counts by minute, the present from the feed."""

from playwright.sync_api import Page, expect

from tests.browser import live
from tests.browser.service import Service

PAST = """
INSERT INTO rollup_minute (stream_id, minute, type, events, bytes, duplicates, dead)
SELECT id, date_trunc('minute', now()) - %s * interval '1 minute', %s, 1000000, 0, 0, 0 FROM stream WHERE name = %s
"""
"""Minutes ago, type, stream. The minute that is not over yet comes from the feed alone."""


def test_as_much_of_the_past_is_shown_as_is_asked_for_and_what_comes_joins_it(
    page: Page, service: Service, stream: str
) -> None:
    service.post(stream, [{"type": "now"}], stored=True)
    for minutes_ago, type in ((30, f"past-{stream}"), (3, f"lately-{stream}")):
        service.sql(PAST, minutes_ago, type, stream)
    live.open_live(page)
    window = page.get_by_label("Time that the charts show")
    legend = page.locator("#rates-chart .u-legend")
    for minutes, is_shown in (("60", True), ("15", False), ("5", False), ("60", True)):
        window.select_option(minutes)
        for chart, name in (("rates", "Events per second"), ("lags", "From acceptance to storage")):
            expect(page.locator(f"#{chart}-summary")).to_contain_text(f"{name} in the last {minutes} minutes")
        expect(legend.get_by_text(f"past-{stream}", exact=True)).to_have_count(int(is_shown))
    expect(page.locator("#lags-summary")).to_contain_text("99 % within")
    window.select_option("5")
    service.post(stream, [{"type": f"new-{stream}"}] * 500)
    expect(legend.get_by_text(f"new-{stream}", exact=True)).to_be_visible()
    service.sql("DELETE FROM rollup_minute WHERE type IN (%s, %s)", f"past-{stream}", f"lately-{stream}")
