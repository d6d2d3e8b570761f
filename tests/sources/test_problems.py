"""What is wrong with any field of a definition is said in words, at that field."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from sources import validation

Path = tuple[str | int, ...]

UPSERT = {"kind": "upsert", "key": ["id"], "starts_at": "from", "ends_at": "to"}
REPLACE = {"kind": "replace", "allow_empty": True, "allow_rejected": True}
HTTP: dict[str, Any] = {
    "kind": "http",
    "url": "https://example.org/a.json",
    "method": "GET",
    "headers": {"X-A": "b"},
    "query": {"a": "b"},
    "conditional": True,
    "attempts": 4,
    "auth": {"kind": "basic", "user": "u", "secret": "s"},
    "pagination": {"kind": "page", "parameter": "p", "first": 1, "size_parameter": "n", "size": 10},
    "cursor": {
        **{"field": "t", "parameter": "s", "until_parameter": "u", "initial": "0", "lookback_seconds": 5},
        **{"format": "unix"},
    },
    "rate_limit": {"requests": 5, "seconds": 1},
}
OAUTH2 = {"kind": "oauth2", "token_url": "https://example.org/t", "client_id": "c", "secret": "s", "scope": "x"}
API_KEY = {"kind": "api_key", "name": "X-Key", "secret": "s", "place": "header"}
OFFSET = {"kind": "offset", "parameter": "o", "limit_parameter": "l", "limit": 9}
SQL = {
    **{"kind": "sql", "url": "postgresql://me@db.example/x", "secret": "s", "cursor_column": "c", "table": "t"},
    **{"lookback_seconds": 0, "statement_timeout_seconds": 5},
}
FIELD = {
    **{"to": "id", "from": "id", "type": "time", "time_zone": "UTC", "format": "%Y", "required": True},
    **{"on_error": "null", "decimal": "."},
}
WHOLE: dict[str, Any] = {
    "version": 1,
    "extract": HTTP,
    "decode": {
        **{"format": "csv", "path": "a.b", "force_list": ["x"], "sheet": 1, "header": True, "delimiter": ";"},
        **{"encoding": "utf-8", "skip_rows": 1},
    },
    "normalize": {"explode": ["x"], "flatten": True, "separator": ".", "depth": 1},
    "map": [FIELD],
    "filter": {"field": "a", "op": "eq", "value": 1},
    "dedupe": {"by": "key", "key": ["id"], "window_seconds": 5},
    "load": UPSERT,
    "schedule": {"every_seconds": 60, "time_zone": "UTC"},
    "limits": {"bytes": 1, "rows": 1, "pages": 1, "seconds": 1},
    "alert_after_failures": 3,
}
SHORT: dict[str, Any] = {"version": 1, "extract": HTTP, "load": UPSERT}
DOCUMENTS: list[dict[str, Any]] = [
    WHOLE,
    {**SHORT, "extract": {**HTTP, "auth": OAUTH2, "pagination": {"kind": "cursor", "path": "n", "parameter": "c"}}},
    {**SHORT, "extract": {**HTTP, "auth": API_KEY, "pagination": OFFSET}, "schedule": {"cron": "1 * * * *"}},
    {**SHORT, "extract": {**HTTP, "auth": {"kind": "none"}, "pagination": {"kind": "next_url", "path": "n"}}},
    {**SHORT, "extract": {**HTTP, "auth": {"kind": "bearer", "secret": "s"}, "pagination": {"kind": "link_header"}}},
    {**SHORT, "extract": SQL, "load": {"kind": "append", "stream": "s", "key": ["id"], "type": "t"}},
    {**SHORT, "extract": {"kind": "sql", "url": "sqlite:upload", "query": "SELECT 1"}},
    {**SHORT, "extract": {"kind": "file", "upload": "u"}, "load": {**UPSERT, **REPLACE}},
]
BAD = [None, True, -1, 0, 0.5, 10**30, "", "no such/thing", "x" * 5000, [], [-1], {}, {"kind": "no such"}]
JARGON = ("anyof", "oneof", "valid under", "keyword", "schemas", "$ref", "does not match", "property", "expected", "^")
ANYTHING = {"body", "default", "value"}


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    yield here
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        yield from paths(inner, (*here, name))


CASES = [
    (number, path)
    for number, document in enumerate(DOCUMENTS)
    for path in paths(document)
    if number == 0 or len(path) > 1
]


def changed(document: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    copy = deepcopy(document)
    around = copy
    for step in path[:-1]:
        around = around[step]
    around[path[-1]] = value
    return copy


def problems(document: Any) -> list[Any]:
    try:
        validation.read(document)
    except validation.InvalidDefinition as invalid:
        return invalid.problems
    return []


@pytest.mark.parametrize(("number", "path"), CASES)
def test_a_bad_value_of_any_field_is_said_in_words_at_the_field(number: int, path: Path) -> None:
    place = "".join(f"/{step}" for step in path)
    said = [(problem, bad) for bad in BAD for problem in problems(changed(DOCUMENTS[number], path, bad))]
    assert said or path[-1] in ANYTHING
    for (pointer, message), bad in said:
        assert 0 < len(message) <= 250, (bad, message)
        assert not [word for word in JARGON if word in message.lower()], (bad, message)
        assert pointer.startswith(place) or place.startswith(pointer), (pointer, bad, message)
        assert message.endswith((".", ")")), message


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_a_field_that_is_not_known_is_named_where_it_stands(number: int) -> None:
    for path in paths(DOCUMENTS[number]):
        around = DOCUMENTS[number]
        for step in path:
            around = around[step]  # type: ignore[index]
        if not isinstance(around, dict) or path[-1:] in (("headers",), ("query",), ("filter",)):
            continue
        [problem] = problems(changed(DOCUMENTS[number], (*path, "surprise"), 1))
        assert problem.pointer == "".join(f"/{step}" for step in (*path, "surprise"))
        assert "is not known here; there are " in problem.message
        assert len(problem.message) <= 200


def test_every_field_was_tried() -> None:
    known = {name for part in validation.schema()["$defs"].values() for name in part["properties"]}
    assert known - {str(step) for _, path in CASES for step in path} <= ANYTHING


@pytest.mark.parametrize(
    ("changes", "pointer", "message"),
    [
        ({"schedule": {"every_seconds": 0}}, "/schedule/every_seconds", "must be a number of at least 1, not 0."),
        ({"schedule": {"every_seconds": "1h"}}, "/schedule/every_seconds", 'must be a number of at least 1, not "1h".'),
        ({"decode": {"sheet": 0}}, "/decode/sheet", "must be a whole number of at least 1, not 0."),
        ({"extract": {**HTTP, "attempts": 11}}, "/extract/attempts", "must be a whole number from 1 to 10, not 11."),
        ({"load": {"kind": "append"}}, "/load/stream", "is missing."),
    ],
)
def test_what_would_be_right_is_said(changes: dict[str, Any], pointer: str, message: str) -> None:
    assert [tuple(problem) for problem in problems({**SHORT, **changes})] == [(pointer, message)]
