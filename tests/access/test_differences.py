"""What the audit log shows of a change, and what it hides."""

from typing import Any

import pytest

from access.differences import HIDDEN, MOST_CHARACTERS, MOST_FIELDS, difference, storable


def test_only_what_changed_is_shown_by_its_place() -> None:
    old = {"name": "s", "definition": {"extract": {"url": "a", "pages": [1]}, "load": {"kind": "upsert"}}}
    new = {"name": "s", "definition": {"extract": {"url": "b", "pages": [1, 2]}, "load": {"kind": "upsert"}}}
    assert difference(old, new) == {
        "definition.extract.url": {"old": "a", "new": "b"},
        "definition.extract.pages": {"old": [1], "new": [1, 2]},
    }


def test_what_was_added_or_removed_has_one_side() -> None:
    assert difference({"a": 1}, {"b": None}) == {"a": {"old": 1}, "b": {"new": None}}


@pytest.mark.parametrize(
    "secret",
    [
        {"password": "hush"},
        {"user_password1": "hush"},
        {"auth": {"client_secret": "hush"}},
        {"secrets": {"anything": "hush"}},
        {"headers": {"Authorization": "Bearer hush"}},
        {"headers": {"X-API-Key": "hush"}},
        {"query": {"key": "hush"}},
        {"list": [{"token": "hush"}]},
        {"list": [{"name": "X-Api-Key", "value": "hush"}]},
        {"url": "https://user:hush@example.org/x"},
        {"url": "https://example.org/x?page=1&api_key=hush"},
        {"url": "https://example.org/x?key=hush"},
        {"body": "client_secret=hush&grant=x"},
    ],
    ids=str,
)
def test_secrets_are_hidden_and_that_they_changed_is_not(secret: dict[str, Any]) -> None:
    changes = difference({}, secret)
    assert "hush" not in str(changes)
    assert HIDDEN in str(changes)


@pytest.mark.parametrize("plain", [{"key": ["id"]}, {"auth": {"kind": "none"}}, {"url": "https://example.org/?page=1"}])
def test_what_is_no_secret_is_shown(plain: dict[str, Any]) -> None:
    assert HIDDEN not in str(difference({}, plain))


def test_long_values_are_cut_and_many_fields_counted() -> None:
    [change] = difference({}, {"note": "x" * 10_000}).values()
    assert len(change["new"]) == MOST_CHARACTERS + 1
    changes = difference({}, {f"f{number}": number for number in range(MOST_FIELDS + 5)})
    assert (len(changes), changes["…"]) == (MOST_FIELDS + 1, "5 more")


def test_what_jsonb_refuses_becomes_storable() -> None:
    assert storable({"a\x00": ["\ud800", float("inf"), 1]}) == {"a\N{REPLACEMENT CHARACTER}": ["?", "inf", 1]}
