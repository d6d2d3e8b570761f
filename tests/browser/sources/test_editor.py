"""Making and changing a source in the form and in the JSON."""

import json
import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Allow
from tests.browser.moves import follow
from tests.browser.sources.making import Maker, definition
from tests.sources.provider import Provider, data

ROWS = [{"id": 12345678901234567890, "at": "2021-09-30"}, {"id": 2, "at": "2021-09-31"}]


def document(page: Page) -> Any:
    return json.loads(page.get_by_label("Definition, JSON").input_value())


def test_a_source_is_made_with_the_form_previewed_and_saved(page: Page, maker: Maker, provider: Provider) -> None:
    url = provider.on("/rows", data({"data": {"items": ROWS}}))
    page.goto("/sources/new/")
    page.get_by_label("Name", exact=True).fill("products")
    page.get_by_label("URL", exact=True).fill(url)
    page.get_by_label("Path to the rows").fill("data.items")
    page.get_by_label("Every", exact=True).fill("2h")
    made = document(page)
    assert (made["extract"]["url"], made["decode"], made["schedule"]) == (
        url,
        {"path": "data.items"},
        {"every_seconds": 7200},
    )
    page.get_by_label("Definition, JSON").fill(
        json.dumps({**made, "map": [{"to": "id", "from": "id"}, {"to": "at", "from": "at", "type": "date"}]})
    )
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("tab", name="filtered 1")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel", name="filtered")).to_contain_text("12345678901234567890")
    page.get_by_role("tab", name="filtered 1").press("ArrowRight")
    expect(page.get_by_role("tabpanel", name="rejected")).to_contain_text("2021-09-31")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("It answers and lets us in.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"/sources/\d+/$"))
    expect(page.get_by_test_id("definition")).to_contain_text('"type": "date"')


def test_the_form_loses_nothing_of_the_json(page: Page, maker: Maker) -> None:
    page.goto("/sources/new/")
    area = page.get_by_label("Definition, JSON")
    area.fill(
        '{"extract": {"kind": "http", "url": "https://example.org/a", "headers": {"X": "1"}, "surprise": [1]},'
        ' "load": {"kind": "upsert", "key": ["id"]}, "version": 1, "unknown": {"big": 12345678901234567890, "f": 1.0}}'
    )
    page.get_by_label("URL", exact=True).fill("https://example.org/b")
    page.get_by_label("From").select_option("sql")
    page.get_by_label("From").select_option("http")
    page.get_by_label("Load into").select_option("append")
    page.get_by_label("Stream", exact=True).fill("events")
    text = area.input_value()
    assert '"big": 12345678901234567890' in text
    assert '"f": 1.0' in text
    assert document(page)["extract"] == {
        "kind": "http",
        "url": "https://example.org/b",
        "headers": {"X": "1"},
        "surprise": [1],
    }
    assert document(page)["load"] == {"kind": "append", "stream": "events", "key": ["id"]}


def test_what_is_wrong_is_said_at_the_field_and_by_the_place_in_the_json(page: Page, maker: Maker) -> None:
    page.goto("/sources/new/?example=api")
    page.get_by_label("URL", exact=True).fill("ftp://example.org/x")
    expect(page.get_by_label("URL", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#url-problem")).to_contain_text("ftp://")
    page.get_by_role("button", name="line 5 /extract/url").click()
    area = page.get_by_label("Definition, JSON")
    expect(area).to_be_focused()
    assert area.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)") == '"ftp://example.org/x"'
    page.get_by_label("URL", exact=True).fill("https://example.org/x")
    expect(page.get_by_text("Nothing is wrong with it.")).to_be_visible()
    expect(page.get_by_label("URL", exact=True)).not_to_have_attribute("aria-invalid", "true")


def test_json_that_cannot_be_read_stops_the_form_until_it_is_mended(page: Page, maker: Maker) -> None:
    page.goto("/sources/new/?example=api")
    area = page.get_by_label("Definition, JSON")
    whole = area.input_value()
    area.fill(whole[:-3])
    expect(page.get_by_text("No JSON:")).to_be_visible()
    expect(page.get_by_label("URL", exact=True)).to_be_disabled()
    page.get_by_label("Name", exact=True).fill("x")
    page.get_by_role("button", name="Save").click()
    expect(area).to_be_focused()
    area.fill(whole)
    expect(page.get_by_label("URL", exact=True)).to_be_enabled()


def test_a_secret_is_typed_once_used_in_previews_and_never_shown(page: Page, maker: Maker, provider: Provider) -> None:
    url = provider.on("/rows", data([{"id": 1}]))
    page.goto("/sources/new/")
    page.get_by_label("Name", exact=True).fill("locked")
    page.get_by_label("URL", exact=True).fill(url)
    page.get_by_label("Logs in with").select_option("bearer")
    secret = page.get_by_label("Secret “token”")
    expect(secret).to_have_attribute("type", "password")
    secret.fill("hush-hush")
    page.get_by_role("button", name="Save").click()
    follow(page.get_by_role("link", name="Edit"))
    expect(secret).to_have_value("")
    expect(secret).to_have_attribute("placeholder", "kept as it is")
    page.get_by_label("Path to the rows").fill("$")
    page.get_by_label("Path to the rows").fill("")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("tab", name="filtered 1")).to_be_visible()
    assert provider.asked("/rows")[-1].headers["authorization"] == "Bearer hush-hush"
    assert "hush-hush" not in page.content()


def test_a_file_is_sent_and_becomes_the_source(page: Page, maker: Maker) -> None:
    page.goto("/sources/new/")
    page.get_by_label("Name", exact=True).fill("prices")
    page.get_by_label("From").select_option("file")
    content = {"name": "prices.csv", "mimeType": "text/csv", "buffer": b"id,price\n1,2.50\n"}
    page.get_by_label("File", exact=True).set_input_files(content)  # type: ignore[arg-type]
    expect(page.get_by_text("prices.csv is there, 16 bytes.")).to_be_visible()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("tabpanel", name="filtered")).to_contain_text("2.50")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("State")).to_contain_text("prices.csv")


def test_a_name_that_is_taken_is_refused_at_its_field(page: Page, maker: Maker, allow: Allow) -> None:
    allow("400")
    taken = maker.source(definition("https://example.org/x"))["name"]
    page.goto("/sources/new/?example=api")
    page.get_by_label("Name", exact=True).fill(taken)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#name-problem")).to_contain_text("already exists")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()


def test_an_older_version_is_where_a_new_one_can_begin(page: Page, maker: Maker) -> None:
    source = maker.source(definition("https://example.org/1"))
    maker.call("PATCH", f"/api/data_sources/{source['id']}/", {"definition": definition("https://example.org/2")})
    page.goto(f"/sources/{source['id']}/")
    page.get_by_test_id("version").nth(1).locator("summary").click()
    page.get_by_role("link", name="Edit from here").click()
    expect(page.get_by_label("URL", exact=True)).to_have_value("https://example.org/1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Definition, version 3")).to_be_visible()


def test_what_a_preview_suggests_makes_the_definition(page: Page, maker: Maker, provider: Provider) -> None:
    rows = [{"-sku": f"A-{n}", "sold": {"where": ("shop", "online")[n % 2], "price": f"{n}.50"}} for n in range(4)]
    url = provider.on("/sold", data({"data": {"items": rows}}))
    page.goto("/sources/new/")
    page.get_by_label("Name", exact=True).fill("sold")
    page.get_by_label("URL", exact=True).fill(url)
    page.get_by_role("button", name="Preview").click()
    for suggestion in ("Rows are at data.items", "Members of members as columns", "Key: -sku", "Map these columns"):
        page.get_by_role("toolbar", name="Suggestions").get_by_role("button", name=suggestion).click()
    expect(page.get_by_role("tab", name="filtered 4")).to_be_visible()
    page.get_by_label("Keep rows").select_option(label="where a field is")
    page.get_by_label("Field", exact=True).fill("sold_where")
    page.get_by_label("Value", exact=True).fill("online")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("tab", name="filtered 2")).to_have_attribute("aria-selected", "true")
    made = document(page)
    assert made["load"]["key"] == ["sku"]
    assert made["filter"] == {"field": "sold_where", "op": "eq", "value": "online"}
    assert {"to": "sold_price", "from": '"sold.price"', "type": "number"} in made["map"]
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"/sources/\d+/$"))


def test_rows_that_the_key_does_not_name_are_shown_before_they_are_lost(
    page: Page, maker: Maker, provider: Provider
) -> None:
    url = provider.on("/unnamed", data([{"sku": 1}, {"sku": 2}]))
    page.goto("/sources/new/")
    page.get_by_label("URL", exact=True).fill(url)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("tab", name="rejected 2")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel", name="rejected")).to_contain_text("id is missing, so the row has no key")


def test_pages_and_the_sheet_are_asked_for_where_they_matter(page: Page, maker: Maker) -> None:
    page.goto("/sources/new/")
    expect(page.get_by_label("Sheet")).to_be_hidden()
    page.get_by_label("Format").select_option("xlsx")
    page.get_by_label("Sheet").fill("Prices")
    page.get_by_role("combobox", name="Pages").select_option("next_url")
    page.get_by_label("Where it stands").fill("links.next")
    made = document(page)
    assert made["extract"]["pagination"] == {"kind": "next_url", "path": "links.next"}
    assert made["decode"] == {"format": "xlsx", "sheet": "Prices"}
    page.get_by_role("combobox", name="Pages").select_option("none")
    assert "pagination" not in document(page)["extract"]
