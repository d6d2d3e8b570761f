"""JSON documents and lines of JSON into rows."""

import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.bodies import Body
from sources.decode import json_rows, json_stream, rows
from sources.definition import Decode, RunLimits
from sources.errors import LimitExceeded, Undecodable
from sources.rows import Rejected
from tests.sources.decoding import decoded, refusals


@pytest.fixture(params=["whole", "stream"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of reading a document: at once, and element by element through a small window."""
    if request.param == "stream":
        monkeypatch.setattr(json_rows, "WHOLE_BYTES", 0)
        monkeypatch.setattr(json_stream, "_CHUNK_BYTES", 7)
    return str(request.param)


texts = st.text(st.characters(codec="utf-8"), max_size=10)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(texts, children, max_size=4),
    max_leaves=10,
)
documents = st.dictionaries(texts, values, max_size=5)


@settings(deadline=None)
@given(
    st.lists(documents, max_size=8),
    st.booleans(),
    st.sampled_from([None, 1]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.integers(1, 50),
    st.booleans(),
)
def test_what_json_writes_is_read_back(
    rows: list[Any], ascii_only: bool, indent: int | None, encoding: str, chunk_bytes: int, at_once: bool
) -> None:
    around = {
        "a": [{"x": ']}\\"', "y": [1, {"z": []}]}],
        "b": {"skipped": 1, "rows": rows, "after": [{}, "]"]},
        "c": None,
    }
    data = json.dumps(around, ensure_ascii=ascii_only, indent=indent).encode(encoding)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(json_rows, "WHOLE_BYTES", 1 << 24 if at_once else 0)
        monkeypatch.setattr(json_stream, "_CHUNK_BYTES", chunk_bytes)
        assert decoded(data, path="b.rows") == rows


@settings(deadline=None)
@given(st.lists(documents, min_size=1), st.booleans(), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_what_json_writes_line_by_line_is_read_back(rows: list[Any], ascii_only: bool, end: str) -> None:
    data = "".join(json.dumps(row, ensure_ascii=ascii_only) + end for row in rows)
    assert decoded(data.encode(), format="ndjson") == rows


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12345678901234567890123", 12345678901234567890123),
        ("-9223372036854775809", -9223372036854775809),
        ("20.00", 20.0),
        ("0.1428571428571428492", Decimal("0.1428571428571428492")),
        ("0.14285714285714285", 0.14285714285714285),
        ("1e400", Decimal("1e400")),
        ("1.23456e-320", Decimal("1.23456e-320")),
        ("1e22", 1e22),
    ],
)
def test_numbers_lose_nothing(way: str, text: str, value: object) -> None:
    for data, kind in ((f'[{{"n": {text}}}]', "json"), (f'{{"n": {text}}}\n', "ndjson")):
        [row] = decoded(data.encode(), format=kind)
        assert isinstance(row, dict)
        assert row["n"] == value
        assert type(row["n"]) is type(value)


def test_elements_that_are_no_objects_are_rejected(way: str) -> None:
    items = decoded(b'[{"a": 1}, 2, null, ["x"], {"b": 2}]')
    assert items[0] == {"a": 1}
    assert items[4] == {"b": 2}
    assert refusals(items) == [
        ("not_an_object", "row 2: a number, not an object"),
        ("not_an_object", "row 3: null, not an object"),
        ("not_an_object", "row 4: a list, not an object"),
    ]


def test_rows_that_nest_too_deep_or_have_half_a_surrogate_are_rejected(way: str) -> None:
    deep = b'{"a":' * 64 + b"[]" + b"}" * 64
    items = decoded(b'[{"a": 1}, %s, {"a": "\\ud800"}, {"a": "\\ud83d\\ude00"}]' % deep)
    assert refusals(items) == [
        ("too_deep", "row 2: nested more than 64 levels"),
        ("lone_surrogate", "row 3: has half of a surrogate pair (\\ud800…\\udfff)"),
    ]
    assert items[3] == {"a": "😀"}


def test_an_object_at_the_path_is_one_row_and_null_is_none(way: str) -> None:
    assert decoded(b'{"a": {"b": {"c": 1}}}', path="a.b") == [{"c": 1}]
    assert decoded(b'{"a": {"b": null}}', path="a.b") == []


def test_a_wrong_path_is_told_what_is_there(way: str) -> None:
    with pytest.raises(Undecodable, match=r"no 'rows' in 'data': its members are 'items', 'total'"):
        decoded(b'{"data": {"items": [{}], "total": 0}}', path="data.rows")
    with pytest.raises(Undecodable, match="'data' is a"):
        decoded(b'{"data": [1]}', path="data.rows")
    with pytest.raises(Undecodable, match="'data' is"):
        decoded(b'{"data": "x"}', path="data")


BROKEN = {
    "cut off": (b'[{"a": 1}, {"a": ', "broken or cut off"),
    "cut off after the rows": (b'{"rows": [{"a": 1}]', "broken or cut off"),
    "comma": (b'[{"a": 1} {"a": 2}]', "broken"),
    "NaN": (b'[{"a": NaN}]', "NaN is no JSON"),
    "Infinity": (b'[{"a": -Infinity}]', "Infinity is no JSON"),
    "more after it": (b'[{"a": 1}] x', "broken"),
    "too many digits": (b'[{"a": %s}]' % (b"1" * 5000), "digits"),
    "exponent": (b'[{"a": 1e99999999999999999999}]', "out of range"),
    "not UTF-8": (b'[{"a": "\xe9"}]', "Byte 8 is not utf-8"),
    "deep": (b"[" * 3_000_000, "far too deeply"),
    "deep beside the path": (b'{"x": ' + b"[" * 3_000_000, "cut off|far too deeply"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_documents_are_refused(way: str, what: str) -> None:
    data, reason = BROKEN[what]
    with pytest.raises(Undecodable, match=reason):
        decoded(data, format="json", path="rows" if data.startswith(b"{") else "")


@pytest.mark.parametrize("data", [b"", b"  \n"])
def test_an_empty_body_is_refused_but_as_lines(data: bytes) -> None:
    with pytest.raises(Undecodable, match="empty"):
        decoded(data, format="json")
    assert decoded(data, format="ndjson") == []


def test_an_encoding_may_be_configured() -> None:
    assert decoded('[{"a": "é"}]'.encode("latin-1"), encoding="latin-1") == [{"a": "é"}]


def test_one_value_of_more_than_16_mib_exceeds_the_limit() -> None:
    with pytest.raises(LimitExceeded, match=r"decode\.path"):
        decoded(b'{"a": [%s]}' % b",".join([b'"' + b"x" * 1000 + b'"'] * 20_000))


def test_malformed_lines_are_rejected_and_the_others_kept() -> None:
    items = decoded(b'{"a": 1}\n\n{"a": \n[1]\n{"a": "\\ud800"}\n{"a": 2}', format="ndjson")
    assert [item for item in items if not isinstance(item, Rejected)] == [{"a": 1}, {"a": 2}]
    assert [(code, detail.partition(":")[0]) for code, detail in refusals(items)] == [
        ("malformed_json", "line 3"),
        ("not_an_object", "line 4"),
        ("lone_surrogate", "line 5"),
    ]
    assert items[1] == Rejected("decode", "malformed_json", refusals(items)[0][1], '{"a": \n')


def test_a_path_leads_into_each_line() -> None:
    items = decoded(b'{"d": [{"a": 1}, {"a": 2}]}\n{"d": {"a": 3}}\n{"e": 1}\n', format="ndjson", path="d")
    assert items[:3] == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert [code for code, _ in refusals(items)] == ["no_such_path"]


def test_deep_lines_are_rejected() -> None:
    deep = [b"[" * levels + b"]" * levels for levels in (64, 500_000)]
    items = decoded(b"".join(b'{"a": %s}\n' % lists for lists in (b"1", *deep)), format="ndjson")
    assert [code for code, _ in refusals(items)] == ["too_deep", "too_deep"]


def test_lines_of_which_none_is_json_are_refused() -> None:
    with pytest.raises(Undecodable, match="No line is JSON; line 1"):
        decoded(b"Service unavailable\nTry later\n", format="ndjson")
    with pytest.raises(Undecodable, match="No line is JSON; line 1"):
        decoded(b"x\n" * 1000 + b'{"a": 1}\n', format="ndjson")


def test_an_endless_line_exceeds_the_limit() -> None:
    with pytest.raises(LimitExceeded, match="longer than 16,777,216 bytes"):
        decoded(b'{"a": 1}\n' + b"x" * 40_000_000, format="ndjson")


def test_the_iterator_may_be_dropped_and_the_file_stays_open() -> None:
    file = io.BytesIO(b'{"a": 1}\n{"a": 2}\n')
    items = rows(Body(file), Decode(), RunLimits())
    assert next(items) == {"a": 1}
    del items
    assert not file.closed
