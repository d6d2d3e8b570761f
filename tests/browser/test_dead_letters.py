"""The page of dead letters."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Allow
from tests.browser.service import REFUSED_PAYLOAD, Service


def opened(page: Page, stream: str) -> None:
    """The letters of a stream, the newest open."""
    page.goto(f"/dead-letters/?stream={stream}")
    page.get_by_test_id("letter").first.locator("summary").click()


def test_letters_are_grouped_by_stream_and_reason_and_counted_in_the_navigation(
    page: Page, service: Service, stream: str
) -> None:
    service.make_letters(stream, [REFUSED_PAYLOAD] * 3, reason="UntranslatableCharacter")
    page.goto("/dead-letters/")
    expect(page.get_by_test_id("dead-letters-badge")).to_be_visible()
    group = page.get_by_test_id("group").filter(has_text=stream)
    expect(group).to_contain_text("3")
    group.get_by_role("link", name="UntranslatableCharacter").click()
    expect(page.get_by_test_id("letter")).to_have_count(3)


def test_a_letter_is_edited_and_replayed(page: Page, service: Service, stream: str, allow: Allow) -> None:
    allow("400")
    [letter] = service.make_letters(stream, [REFUSED_PAYLOAD])
    opened(page, stream)
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_text("Refused again.")).to_be_visible()
    page.get_by_role("button", name="Edit and replay").click()
    editor = page.get_by_role("dialog", name="Edit and replay")
    editor.get_by_role("button", name="Replay").click()
    expect(editor.get_by_role("alert")).to_be_visible()
    editor.get_by_label("Payload").fill('{"nul": "mended", "big": 12345678901234567890}')
    editor.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("Stored.", exact=True)).to_be_visible()
    assert service.sql("SELECT payload::text FROM event WHERE id = %s", letter) == [
        ('{"big": 12345678901234567890, "nul": "mended"}',)
    ]
    assert service.letters(stream) == 0


def test_all_letters_of_a_filter_are_replayed_with_progress(page: Page, service: Service, stream: str) -> None:
    service.make_letters(stream, ['{"n": 1}'] * 1200 + [REFUSED_PAYLOAD] * 2)
    page.goto(f"/dead-letters/?stream={stream}")
    page.get_by_role("button", name="Replay all 1,202").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text("1,200 stored, 2 refused again; 0 not tried.")).to_be_visible()
    assert service.letters(stream) == 2
    page.get_by_role("link", name="Load the page again").click()
    expect(page.get_by_test_id("letter")).to_have_count(2)


def test_discarding_asks_first(page: Page, service: Service, stream: str) -> None:
    service.make_letters(stream, [REFUSED_PAYLOAD] * 3)
    opened(page, stream)
    dialog = page.get_by_role("dialog")
    letter = page.get_by_test_id("letter").first
    letter.get_by_role("button", name="Discard…").click()
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert service.letters(stream) == 3
    letter.get_by_role("button", name="Discard…").click()
    dialog.get_by_role("button", name="Discard").click()
    expect(letter.get_by_text("Discarded.")).to_be_visible()
    assert service.letters(stream) == 2
    page.get_by_role("button", name="Discard all 3…").click()
    dialog.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("2 discarded, 0 left.")).to_be_visible()
    assert service.letters(stream) == 0


def test_who_may_only_read_sees_letters_and_no_buttons(viewer: Page, service: Service, stream: str) -> None:
    service.make_letters(stream, [REFUSED_PAYLOAD])
    opened(viewer, stream)
    expect(viewer.get_by_label("Payload", exact=True)).to_be_visible()
    expect(viewer.locator("main button, dialog")).to_have_count(0)
