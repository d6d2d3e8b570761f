"""What is read from an event: key, type and time; and the payload as COPY takes it."""

from typing import Any

import pytest

from ingest.fields import read_key, read_time, reader
from ingest.payload import Refused, copy_text

AT = "2026-11-22T15:40:56"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"{AT}Z", f"{AT}.000000+00:00"),
        (f"{AT}.1Z", f"{AT}.100000+00:00"),
        (f"{AT}.123Z", f"{AT}.123000+00:00"),
        (f"{AT}.123456Z", f"{AT}.123456+00:00"),
        (f"{AT}.123456789Z", f"{AT}.123456+00:00"),
        (f"{AT},123Z", f"{AT}.123000+00:00"),
        ("2026-11-22 15:40:56.123Z", f"{AT}.123000+00:00"),
        ("2026-11-22t15:40:56z", f"{AT}.000000+00:00"),
        ("20261122T154056.1234567Z", f"{AT}.123456+00:00"),
        ("2026-W47-7T15:40:56Z", f"{AT}.000000+00:00"),
        (AT, f"{AT}.000000+00:00"),
        ("2026-11-22T17:10:56+01:30", f"{AT}.000000+00:00"),
        ("2026-11-22T10:40:56-0500", f"{AT}.000000+00:00"),
        ("2026-11-22", "2026-11-22T00:00:00.000000+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000+00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"),
        (1_795_362_056, f"{AT}.000000+00:00"),
        (1_795_362_056.5, f"{AT}.500000+00:00"),
        (1_795_362_056_123, f"{AT}.123000+00:00"),
        (1_795_362_056_123_456, f"{AT}.123456+00:00"),
        (1_795_362_056_123_456_789, f"{AT}.123456+00:00"),
        (0, "1970-01-01T00:00:00.000000+00:00"),
        (-1.5, "1969-12-31T23:59:58.500000+00:00"),
    ],
)
def test_a_time_becomes_utc_with_microseconds(value: Any, expected: str) -> None:
    assert read_time(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "now", "infinity", "-infinity", "today", "epoch", "", " ", "2026-09-31T00:00:00Z", "2026-02-29", "15:40:56",
        "2026-11-22T15:40:56.123ZZ", "2026-11-22T15:40:60Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "２０２６-11-22T15:40:56Z", f"{AT}Z\n", "1795362056",
        -99_999_999_999, 10**21, -(10**30), 1e300, True, False, None, [], {}, [1_795_362_056],
    ],
)  # fmt: skip
def test_what_is_no_time_is_none(value: Any) -> None:
    assert read_time(value) is None


@pytest.mark.parametrize(
    ("value", "key"), [("k-1", "k-1"), ("é" * 255, "é" * 255), (7, "7"), (-(2**63), "-9223372036854775808")]
)
def test_a_key_is_a_string_or_an_integer(value: Any, key: str) -> None:
    assert read_key(value) == key


@pytest.mark.parametrize("value", ["", 1.0, True, None, [], {"id": 1}])
def test_nothing_else_is_a_key(value: Any) -> None:
    assert read_key(value) is None


def test_a_key_is_never_cut_short() -> None:
    with pytest.raises(Refused) as caught:
        read_key("k" * 256)
    assert caught.value.code == "key_too_long"


def test_without_paths_the_usual_names_are_read() -> None:
    read = reader("", "", "")
    assert read({"id": 5, "type": "reading", "time": AT, "ts": 0}) == ("5", "reading", f"{AT}.000000+00:00")
    assert read({"timestamp": AT, "ts": 0})[2] == f"{AT}.000000+00:00"
    assert read({"time": None, "ts": 0})[2] == "1970-01-01T00:00:00.000000+00:00"
    assert read({"time": "now", "ts": 0})[2] is None
    assert read({}) == (None, None, None)


def test_a_path_leads_into_objects() -> None:
    read = reader("meta.device.id", "kind", "meta.at")
    assert read({"meta": {"device": {"id": "d1"}, "at": 0}, "kind": "k", "id": "no"}) == (
        "d1",
        "k",
        "1970-01-01T00:00:00.000000+00:00",
    )


@pytest.mark.parametrize("event", [{}, {"meta": 1}, {"meta": [1]}, {"meta": {"device": "x"}}, {"meta": None}])
def test_a_path_that_leads_nowhere_finds_nothing(event: dict[str, Any]) -> None:
    assert reader("meta.device.id", "", "")(event)[0] is None


def test_a_dash_as_path_means_none() -> None:
    assert reader("-", "-", "-")({"id": "1", "type": "t", "time": AT, "-": 1}) == (None, None, None)


def test_a_type_that_does_not_fit_is_none() -> None:
    read = reader("", "", "")
    for value in ("", "t" * 256, 5, None, ["t"]):
        assert read({"type": value})[1] is None


def test_a_payload_is_escaped_for_copy() -> None:
    assert copy_text(b'{"a":"x"}') == b'{"a":"x"}'
    assert copy_text(b'{\r\n\t"a":"\\n"}') == b'{\\r\\n\\t"a":"\\\\n"}'
