import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.conversion import make_converter
from sources.errors import BadDefinition, RowRejected

CHECKED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def refusal(type_: str, value: Any, *options: str) -> RowRejected:
    with pytest.raises(RowRejected) as caught:
        make_converter(type_, *options)(value)
    assert caught.value.code == f"bad_{type_}"
    return caught.value


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("any", [1], [1]),
        ("any", " ", " "),
        ("text", " a ", " a "),
        ("text", "", ""),
        ("text", 12, "12"),
        ("text", 12.0, "12.0"),
        ("text", Decimal("12.50"), "12.50"),
        ("text", True, "true"),
        ("text", datetime(2021, 6, 30, tzinfo=UTC), "2021-06-30T00:00:00+00:00"),
        ("text", date(2021, 6, 30), "2021-06-30"),
        ("integer", 12, 12),
        ("integer", 12.0, 12),
        ("integer", Decimal("12.0"), 12),
        ("integer", "12", 12),
        ("integer", " -12 ", -12),
        ("integer", "+007", 7),
        ("integer", "12.0", 12),
        ("integer", "1e3", 1000),
        ("integer", "123456789012345678901.0", 123456789012345678901),
        ("integer", 1e22, 10**22),
        ("number", 12, 12),
        ("number", 1.5, 1.5),
        ("number", "20.00", 20.0),
        ("number", "12", 12),
        ("number", ".5", 0.5),
        ("number", "5.", 5.0),
        ("number", "-1.5E-7", -1.5e-7),
        ("number", Decimal("0.1"), 0.1),
        ("number", "0.12345678901234567890", Decimal("0.12345678901234567890")),
        ("number", "123456789012345678901234567890", 123456789012345678901234567890),
        ("number", "1e400", Decimal("1E+400")),
        ("boolean", True, True),
        ("boolean", 0, False),
        ("boolean", 1.0, True),
        ("boolean", "TRUE", True),
        ("boolean", " no ", False),
        ("boolean", "1", True),
        ("json", '{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ("json", " null ", None),
        ("json", {"a": 1}, {"a": 1}),
        ("json", 5, 5),
        ("json", "[0.12345678901234567890, 1e300]", [Decimal("0.12345678901234567890"), 1e300]),
        ("json", "[12345678901234567890123]", [12345678901234567890123]),
    ],
)
def test_it_converts(type_: str, value: Any, expected: Any) -> None:
    converted = make_converter(type_)(value)
    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("text", []),
        ("text", {}),
        ("integer", "1,234"),
        ("integer", "1_234"),
        ("integer", "12.5"),
        ("integer", 12.5),
        ("integer", "twelve"),
        ("integer", "0x1f"),
        ("integer", "１２"),
        ("integer", True),
        ("integer", [1]),
        ("integer", float("inf")),
        ("integer", "9" * 1001),
        ("number", "1,5"),
        ("number", "1.5.1"),
        ("number", "NaN"),
        ("number", "inf"),
        ("number", "1e"),
        ("number", "1e9999"),
        ("number", "1e-9999"),
        ("number", "1e9999999"),
        ("number", float("nan")),
        ("number", Decimal("Infinity")),
        ("number", False),
        ("number", 10**1000),
        ("number", "1." + "1" * 1200),
        ("boolean", "on"),
        ("boolean", 2),
        ("boolean", "2"),
        ("boolean", []),
        ("json", "{"),
        ("json", "NaN"),
        ("json", "[1,]"),
        ("json", '"\\ud800"'),
        ("json", "[1e400]"),
        ("json", "[" * 100_000),
    ],
)
def test_it_refuses(type_: str, value: Any) -> None:
    refusal(type_, value)


@pytest.mark.parametrize("type_", ["integer", "number", "boolean", "time", "date", "json"])
def test_blank_text_is_null_but_for_texts(type_: str) -> None:
    assert make_converter(type_)("") is None
    assert make_converter(type_)(" \t\n") is None


@CHECKED
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_a_number_loses_nothing(number: Decimal) -> None:
    converted = make_converter("number")(str(number))
    assert Decimal(repr(converted) if isinstance(converted, float) else converted) == number


@CHECKED
@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_a_number_that_was_written_is_read_back(number: float) -> None:
    assert make_converter("number")(repr(number)) == number


@CHECKED
@given(st.recursive(st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.lists, max_leaves=5))
def test_json_that_was_written_is_read_back(value: Any) -> None:
    assert make_converter("json")(json.dumps(value)) == value


def test_a_long_value_is_shown_in_part() -> None:
    assert str(refusal("integer", "x" * 1000)).startswith("x" * 80 + "… is no integer")


# Times


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2021-06-30T21:00:00", "2021-06-30T21:00:00+00:00"),
        ("2021-06-30T21:00:00Z", "2021-06-30T21:00:00+00:00"),
        ("2021-06-30t21:00:00z", "2021-06-30T21:00:00+00:00"),
        ("2021-06-30 21:00", "2021-06-30T21:00:00+00:00"),
        ("2021-06-30T21:00:00+02:00", "2021-06-30T19:00:00+00:00"),
        ("2021-06-30 21:00:00.5-0330", "2021-07-01T00:30:00.500000+00:00"),
        ("2021-06-30T21:00:00,123456789Z", "2021-06-30T21:00:00.123456+00:00"),
        ("2021-06-30", "2021-06-30T00:00:00+00:00"),
        ("20210630", "2021-06-30T00:00:00+00:00"),
        ("20210630T210000Z", "2021-06-30T21:00:00+00:00"),
        ("20210630T21", "2021-06-30T21:00:00+00:00"),
        ("2021-W26-3T21:00", "2021-06-30T21:00:00+00:00"),
        (" 2021-06-30 ", "2021-06-30T00:00:00+00:00"),
        ("Wed, 30 Jun 2021 21:00:00 +0200", "2021-06-30T19:00:00+00:00"),
        ("Wed, 30 Jun 2021 21:00:00 GMT", "2021-06-30T21:00:00+00:00"),
        ("30 Jun 2021 21:00 EST", "2021-07-01T02:00:00+00:00"),
        ("30 Jun 21 21:00:00 -0000 (no comment)", "2021-06-30T21:00:00+00:00"),
        (1625086800, "2021-06-30T21:00:00+00:00"),
        (1625086800.25, "2021-06-30T21:00:00.250000+00:00"),
        (Decimal("1625086800.123456"), "2021-06-30T21:00:00.123456+00:00"),
        (1625086800123, "2021-06-30T21:00:00.123000+00:00"),
        (1625086800123456, "2021-06-30T21:00:00.123456+00:00"),
        (123456789012345, "1973-11-29T21:33:09.012345+00:00"),
        (99_999_999_999, "5138-11-16T09:46:39+00:00"),
        (1625086800123456789, "2021-06-30T21:00:00.123456+00:00"),
        ("1625086800", "2021-06-30T21:00:00+00:00"),
        ("1625086800.5", "2021-06-30T21:00:00.500000+00:00"),
        ("1625086800123", "2021-06-30T21:00:00.123000+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
        (-1, "1969-12-31T23:59:59+00:00"),
        (datetime(2021, 6, 30, 21, tzinfo=timezone(timedelta(hours=2))), "2021-06-30T19:00:00+00:00"),
        (datetime(2021, 6, 30, 21), "2021-06-30T21:00:00+00:00"),
        (date(2021, 6, 30), "2021-06-30T00:00:00+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00"),
    ],
)
def test_it_reads_times(value: Any, expected: str) -> None:
    moment = make_converter("time")(value)
    assert moment.isoformat() == expected
    assert moment.tzinfo is UTC


def test_the_31st_of_september_is_no_date() -> None:
    text = str(refusal("time", "2021-09-31T20:00:00"))
    assert text.startswith("2021-09-31T20:00:00 is no date: day ")


@pytest.mark.parametrize(
    "value",
    [
        "2021-02-29",
        "2021-06-30T25:00:00",
        "2021-06-30T21:00:60Z",
        "Fri, 31 Sep 2021 20:00:00 GMT",
        "2021-06-30x21:00:00",
        "2021-06-30T",
        "30/06/2021",
        "30 Jun 2021 21:00",
        "30 Jun 2021 21:00 XYZ",
        "now",
        "2021",
        "12345678",
        "20210630200000",
        "0000-01-01",
        "10000-01-01",
        "0001-01-01T00:00:00+02:00",
        "9999-12-31T23:59:59-01:00",
        10**20,
        10**400,
        -99_999_999_999_999,
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        True,
        [],
        {},
    ],
)
def test_it_refuses_what_is_no_time(value: Any) -> None:
    refusal("time", value)


def test_times_beyond_the_calendar_are_said_to_be() -> None:
    assert "years 1 to 9999" in str(refusal("time", "9999-12-31T23:59:59-01:00"))


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2021-06-30T21:00:00", "2021-06-30T19:00:00+00:00"),
        ("2021-01-30T21:00:00", "2021-01-30T20:00:00+00:00"),
        ("2021-10-31T02:30:00", "2021-10-31T00:30:00+00:00"),  # twice: the earlier
        ("2021-03-28T02:30:00", "2021-03-28T01:30:00+00:00"),  # never: as if clocks had not been changed
        ("2021-06-30T21:00:00Z", "2021-06-30T21:00:00+00:00"),
        ("2021-06-30", "2021-06-29T22:00:00+00:00"),
        ("30 Jun 2021 21:00 -0000", "2021-06-30T21:00:00+00:00"),
        ("1625086800", "2021-06-30T21:00:00+00:00"),
    ],
)
def test_a_time_without_a_zone_is_one_of_the_zone_said(local: str, utc: str) -> None:
    assert make_converter("time", "Europe/Madrid")(local).isoformat() == utc


@pytest.mark.parametrize(
    ("format_", "value", "expected"),
    [
        ("%d/%m/%Y %H:%M", "30/06/2021 21:00", "2021-06-30T19:00:00+00:00"),
        ("%d/%m/%Y %H:%M %z", "30/06/2021 21:00 +0100", "2021-06-30T20:00:00+00:00"),
        ("%Y%m%d", 20210630, "2021-06-29T22:00:00+00:00"),
        ("%Y%m%d%H%M%S", "20210630210000", "2021-06-30T19:00:00+00:00"),
        ("%Y-%m", "2021-06", "2021-05-31T22:00:00+00:00"),
        ("%d.%m.%y", datetime(2021, 6, 30, tzinfo=UTC), "2021-06-30T00:00:00+00:00"),
    ],
)
def test_a_format_says_how_times_are_written(format_: str, value: Any, expected: str) -> None:
    assert make_converter("time", "Europe/Madrid", format_)(value).isoformat() == expected


@pytest.mark.parametrize("value", ["31/09/2021", "2021-06-30", "30/06/2021 21:00", 1.5, True, "30/06/21"])
def test_with_a_format_nothing_else_is_read(value: Any) -> None:
    refusal("time", value, "UTC", "%d/%m/%Y")


@pytest.mark.parametrize(
    ("value", "time_zone", "expected"),
    [
        ("2021-06-30", "Europe/Madrid", "2021-06-30"),
        ("20210630", "UTC", "2021-06-30"),
        ("2021-06-30T23:30:00", "Europe/Madrid", "2021-06-30"),
        ("2021-06-30T23:30:00Z", "Europe/Madrid", "2021-07-01"),
        ("2021-06-30T23:30:00Z", "UTC", "2021-06-30"),
        (1625095800, "Europe/Madrid", "2021-07-01"),
        (date(2021, 6, 30), "Asia/Tokyo", "2021-06-30"),
        (datetime(2021, 6, 30, 23, tzinfo=UTC), "Asia/Tokyo", "2021-07-01"),
        ("9999-12-31", "America/New_York", "9999-12-31"),
    ],
)
def test_a_date_is_that_of_the_moment_in_the_zone(value: Any, time_zone: str, expected: str) -> None:
    assert make_converter("date", time_zone)(value) == expected


@pytest.mark.parametrize(
    ("value", "time_zone"),
    [
        ("2021-09-31", "UTC"),
        ("hello", "UTC"),
        ([], "UTC"),
        ("9999-12-31T23:30:00", "America/New_York"),
        ("9999-12-31T23:30:00Z", "Asia/Tokyo"),
    ],
)
def test_it_refuses_what_is_no_date(value: Any, time_zone: str) -> None:
    refusal("date", value, time_zone)


def test_a_date_can_have_a_format() -> None:
    assert make_converter("date", "Europe/Madrid", "%d/%m/%Y")("30/06/2021") == "2021-06-30"


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc/passwd", "Europe", "a\0b"])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(BadDefinition, match="time_zone"):
        make_converter("time", name)


@pytest.mark.parametrize("format_", ["%Y-%q", "%", "%H:%M", "YYYY-MM-DD", "%d/%m", "%Y-%m-%d %Z", "%G-%m"])
def test_a_format_that_reads_no_time_is_refused(format_: str) -> None:
    with pytest.raises(BadDefinition, match="format"):
        make_converter("time", "UTC", format_)


COMMON = st.from_regex(r"-?[0-9]{0,20}\.?[0-9]{0,20}|20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]{0,12}Z?", fullmatch=True)


@CHECKED
@given(COMMON, st.sampled_from(["integer", "number", "boolean", "time"]))
def test_what_is_common_is_read_as_with_blanks_around_it(text: str, type_: str) -> None:
    """Which takes the longer way."""
    convert = make_converter(type_)

    def read(value: str) -> Any:
        try:
            found = convert(value)
        except RowRejected as rejection:
            return rejection.code
        return type(found), found

    assert read(text) == read(f" {text} ")
