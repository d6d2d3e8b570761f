"""One event in full, and the tail as a file."""

import csv
import io
import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser import live
from tests.browser.conftest import Allow, Opener
from tests.browser.service import Service

DIGITS = '{"big": 12345678901234567890, "exact": 1.10}'


def test_a_row_opens_its_payload_with_every_digit(open_window: Opener, service: Service, stream: str) -> None:
    page = open_window(permissions=["clipboard-read", "clipboard-write"]).new_page()
    live.open_live(page)
    service.post_text(stream, DIGITS)
    live.rows(page).first.click()
    shown = page.get_by_role("dialog").get_by_test_id("payload")
    expect(shown).to_have_text('{\n  "big": 12345678901234567890,\n  "exact": 1.10\n}')
    page.get_by_role("button", name="Copy JSON").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == shown.text_content()
    expect(page).to_have_url(re.compile(r"\?event=[0-9a-f-]{36}$"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page).to_have_url(f"{service.url}/")


def test_the_link_to_an_event_opens_it_from_the_store(open_window: Opener, service: Service, stream: str) -> None:
    page = open_window(permissions=["clipboard-read", "clipboard-write"]).new_page()
    service.post(stream, [{"note": "find me"}], stored=True)
    [event] = service.get(f"/api/streams/{stream}/events/")["results"]
    live.open_live(page, f"?event={event['id']}")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_test_id("payload")).to_contain_text("find me")
    expect(dialog).to_contain_text(stream)
    dialog.get_by_role("button", name="Copy link").click()
    expect(dialog.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == f"{service.url}/?event={event['id']}"


def test_an_unknown_event_is_said_to_be_unknown(page: Page, allow: Allow) -> None:
    allow("404")
    live.open_live(page, "?event=00000000-0000-7000-8000-000000000000")
    expect(page.get_by_role("dialog")).to_contain_text("There is no event with this id.")


def saved(page: Page, kind: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=kind).click()
    assert download.value.suggested_filename.endswith(f".{kind.lower()}")
    return Path(download.value.path()).read_bytes().decode()


def test_the_tail_is_saved_as_lines_of_json_and_as_csv_without_formulas(
    page: Page, service: Service, stream: str
) -> None:
    live.open_live(page)
    service.post(stream, [{"id": "=HYPERLINK(1)", "type": "+1"}, {"id": 'say "hi", you', "type": "reading"}])
    live.expect_counts(page, shown=2)
    lines = [json.loads(line) for line in saved(page, "NDJSON").splitlines()]
    assert [line["key"] for line in lines] == ["=HYPERLINK(1)", 'say "hi", you']
    table = list(csv.DictReader(io.StringIO(saved(page, "CSV"), newline="")))
    assert [row["key"] for row in table] == ["'=HYPERLINK(1)", 'say "hi", you']
    assert [row["type"] for row in table] == ["'+1", "reading"]
    assert [json.loads(row["payload"]) for row in table] == [line["payload"] for line in lines]
