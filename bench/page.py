"""(h) The live page in Chromium at 1,000 events a second: how busy its thread is, and whether its memory grows."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from playwright.sync_api import Browser, CDPSession, Page

from bench.chromium import ChromiumMissing, running_chromium
from bench.events import batch_requests
from bench.figures import Finding
from bench.load import until
from bench.paced import Times, send_paced
from bench.stack import Stack

BATCH = 10
EVENTS_PER_SECOND = 1000
CONNECTIONS = 4
DIFFERENT_EVENTS = 10_000
WARM_UP_SECONDS = 5.0
MOST_BUSY = 0.5
MOST_GROWTH = 0.1
PATIENCE_MS = 30_000
COUNT_REPAINTS = """() => {
  window.repaints = 0
  const changes = { subtree: true, childList: true, characterData: true }
  new MutationObserver(() => { window.repaints += 1 }).observe(document.getElementById("tail-space"), changes)
}"""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the browser has counted so far; seconds of its main thread, bytes after a garbage collection."""

    at: float
    busy: float
    script: float
    layout: float
    heap_bytes: float
    nodes: float
    repaints: int


def measure_page(stack: Stack, seconds: float) -> Iterator[Finding]:
    finding = Finding("h", f"the live page in Chromium, {EVENTS_PER_SECOND:,} events/s in batches of {BATCH}")
    try:
        with running_chromium() as browser:
            _measure(stack, browser, finding, seconds)
    except ChromiumMissing as error:
        finding.rows.append(("not measured", str(error)))
    yield finding


def _measure(stack: Stack, browser: Browser, finding: Finding, seconds: float) -> None:
    stack.clear()
    requests = batch_requests(range(DIFFERENT_EVENTS), BATCH, stack.key)
    page = _open_page(stack, browser)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.evaluate(COUNT_REPAINTS)
    # Playwright keeps an event loop in this thread.
    with ThreadPoolExecutor(1) as other_thread:
        whole = until(requests, WARM_UP_SECONDS + seconds)
        sending = other_thread.submit(send_paced, stack.port, whole, CONNECTIONS, EVENTS_PER_SECOND / BATCH)
        moments = []
        for wait_seconds in (WARM_UP_SECONDS, seconds / 2, seconds / 2 - 1):
            page.wait_for_timeout(wait_seconds * 1000)
            moments.append(_look(page, session))
        times = sending.result()
    _report(finding, moments, _counts(page, times))


def _open_page(stack: Stack, browser: Browser) -> Page:
    page = browser.new_page(base_url=stack.url, viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(PATIENCE_MS)
    page.goto("/login/?next=/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill((stack.home.data_dir / "admin_password").read_text().strip())
    page.get_by_role("button", name="Log in").click()
    page.locator("[data-testid=state][data-state=live]").wait_for()
    return page


def _look(page: Page, session: CDPSession) -> Moment:
    session.send("HeapProfiler.collectGarbage")
    told = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return Moment(
        at=told["Timestamp"],
        busy=told["TaskDuration"],
        script=told["ScriptDuration"],
        layout=told["LayoutDuration"] + told["RecalcStyleDuration"],
        heap_bytes=told["JSHeapUsedSize"],
        nodes=told["Nodes"],
        repaints=page.evaluate("window.repaints"),
    )


def _counts(page: Page, times: Times) -> str:
    """What the page says that it has shown and counted, when all that was sent has arrived."""
    sent = times.requests * BATCH
    page.locator("[data-testid=received]", has_text=f"{sent:,}").wait_for()
    shown, omitted = (
        int((page.get_by_test_id(name).text_content() or "").replace(",", "")) for name in ("shown", "omitted")
    )
    exact = "exact" if shown + omitted == sent else "NOT exact"
    return f"{sent:,} sent, {shown:,} shown, {omitted:,} counted: {exact}"


def _report(finding: Finding, moments: list[Moment], counts: str) -> None:
    first, middle, last = moments
    seconds = last.at - first.at
    busy, script, layout = (
        (after - before) / seconds
        for before, after in zip(
            (first.busy, first.script, first.layout), (last.busy, last.script, last.layout), strict=True
        )
    )
    growth = last.heap_bytes / middle.heap_bytes - 1
    finding.rows += [
        ("main thread", f"{busy:.0%} busy over {seconds:.0f} s: {script:.0%} scripts, {layout:.0%} styles and layout"),
        ("heap", ", ".join(f"{one.heap_bytes / 1e6:.1f} MB" for one in moments) + " at start, middle and end"),
        ("nodes", ", ".join(f"{one.nodes:,.0f}" for one in moments) + ", those that await collection among them"),
        ("tail", f"repainted {(last.repaints - first.repaints) / seconds:.0f} times a second"),
        ("events", counts),
    ]
    finding.numbers = {"busy": busy, "script": script, "layout": layout, "heap_growth": growth}
    finding.target = f"at most {MOST_BUSY:.0%} busy, and {MOST_GROWTH:.0%} more heap at the end than in the middle"
    finding.reached = busy <= MOST_BUSY and growth <= MOST_GROWTH
