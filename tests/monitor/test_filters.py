"""What the words of a filter hold for."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.filters import Document, Filter, InvalidFilter, parse

PAYLOAD = {
    "site": "Oslo",
    "name": "main pump",
    "code": "12",
    "speed": 1200.5,
    "count": 3,
    "on": True,
    "none": None,
    "motor": {"rpm": 900, "tags": ["hot", "new"]},
    "at": "2026-01-31T12:00:00Z",
}


def holds(text: str, payload: Any = PAYLOAD, type: str | None = "reading", key: str | None = "K-1") -> bool:
    document = Document(json.dumps({"type": type, "key": key, "payload": payload}))
    return Filter(words=parse(text)).holds(document)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oslo",
        "OSLO main",
        '"main pump"',
        "k-1",
        "read",
        "payload.site=Oslo",
        'payload.name="main pump"',
        'payload.code="12"',
        "payload.speed=1200.5",
        "payload.speed>1200",
        "payload.speed>=1200.5",
        "payload.count<=3",
        "payload.count=3.0",
        "payload.on=true",
        "payload.none=null",
        "payload.motor.rpm<1e3",
        "payload.motor.tags.1=new",
        "payload.at>2026-01-31",
        "payload.missing!=1",
        "payload.count!=4",
        "payload.site!=oslo",
        "payload.code!=12",
        "payload.site=Oslo payload.on!=false pump",
    ],
)
def test_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "bergen",
        "oslo bergen",
        '"pump main"',
        "payload.site=oslo",
        "payload.code=12",
        "payload.code>11",
        "payload.speed>1200.5",
        "payload.site<1",
        "payload.missing=null",
        "payload.missing<1",
        "payload.on=1",
        "payload.count=true",
        "payload.motor=x",
        "payload.motor.tags.2=new",
        "payload.motor.tags.-1=new",
        "payload.none!=null",
    ],
)
def test_does_not_hold(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('"open', "not closed"),
        ("payload.site", "lacks a comparison"),
        ("payload.=3", "lacks a comparison"),
        ("payload.a..b=3", "empty name"),
        ("payload.a>true", "neither a number nor a text"),
        ("x " * 17, "at most 16 words"),
        ("x" * 1001, "at most 1000 characters"),
    ],
)
def test_a_filter_that_makes_no_sense_is_explained(text: str, says: str) -> None:
    with pytest.raises(InvalidFilter, match=says):
        parse(text)


def test_text_is_found_however_it_was_escaped() -> None:
    document = Document('{"type": null, "key": null, "payload": {"name": "T\\u00fcr"}}')
    assert Filter(words=parse("TÜR")).holds(document)


@pytest.mark.parametrize(
    ("glob", "type", "matches"),
    [
        ("alarm", "alarm", True),
        ("alarm", "alarms", False),
        ("alarm.*", "alarm.high", True),
        ("alarm.*", "alarm", False),
        ("*", "", True),
        ("*", None, False),
        ("?.?", "a.b", True),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("a\nb*", "a\nbc", True),
    ],
)
def test_types_match_a_glob(glob: str, type: str | None, matches: bool) -> None:
    assert Filter(type=glob).matches("s", type) is matches


def test_a_glob_of_many_asterisks_takes_no_time() -> None:
    assert not Filter(type="*a" * 80 + "b").matches("s", "a" * 200)


@given(st.text(max_size=300))
def test_any_text_is_a_filter_or_is_explained(text: str) -> None:
    with suppress(InvalidFilter):
        assert Filter(words=parse(text)).holds(Document('{"payload": {}}')) in (True, False)
