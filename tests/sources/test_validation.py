"""What is wrong with a definition, and where."""

from typing import Any

import jsonschema_rs
import pytest

from sources import validation

GOOD: dict[str, Any] = {
    "version": 1,
    "extract": {"kind": "http", "url": "https://example.org/a.json"},
    "load": {"kind": "upsert", "key": ["id"]},
}


def problems(**changes: Any) -> dict[str, str]:
    with pytest.raises(validation.InvalidDefinition) as invalid:
        validation.read({**GOOD, **changes})
    return {problem.pointer: problem.message for problem in invalid.value.problems}


def http(**fields: Any) -> dict[str, Any]:
    return {**GOOD["extract"], **fields}


def test_a_good_one_is_read() -> None:
    assert validation.read(GOOD).load.key == ["id"]
    jsonschema_rs.meta.validate(validation.schema())


@pytest.mark.parametrize(
    ("changes", "pointer", "message"),
    [
        ({"extract": http(url="ftp://x")}, "/extract/url", "http://"),
        ({"extract": http(pagination={"kind": "page", "size": 0})}, "/extract/pagination/size", "at least 1"),
        ({"extract": http(pagination={"kind": "pages"})}, "/extract/pagination/kind", "none, page, offset"),
        ({"extract": http(surprise=1)}, "/extract/surprise", "not known"),
        ({"extract": {"url": "https://x"}}, "/extract/kind", "is missing"),
        ({"extract": {"kind": "htp"}}, "/extract/kind", "http, sql, file"),
        ({"load": {"kind": "upsert", "key": []}}, "/load/key", "at least 1"),
        ({"normalize": 5}, "/normalize", "not 5"),
        ({"normalize": {"explode": [""]}}, "/normalize/explode/0", "name the list"),
        ({"map": [{"to": "a", "from": "[["}]}, "/map/0/from", "[["),
        ({"filter": {"field": "a", "op": "like", "value": 1}}, "/filter/op", "like"),
        ({"schedule": {"cron": "61 * * * *"}}, "/schedule/cron", "61"),
        ({"schedule": {"cron": "1 * * * *", "every_seconds": 5}}, "/schedule", "not both"),
        ({"dedupe": {"by": "key"}}, "/dedupe", "key"),
        ({"dedupe": {}, "load": {"kind": "replace", "key": ["id"]}}, "/dedupe", "replace"),
        ({"dedupe": {}, "load": {"kind": "upsert", "key": ["id"]}}, "/dedupe/by", "changes back"),
        ({"extract": {"kind": "sql", "url": "postgresql://me@db.example/x"}}, "/extract", "table"),
        ({"version": 2}, "/version", "1"),
        ({"colour": "red"}, "/colour", "schedule"),
    ],
)
def test_each_mistake_is_said_by_its_place(changes: dict[str, Any], pointer: str, message: str) -> None:
    found = problems(**changes)
    assert message in found[pointer], found


def test_all_mistakes_are_said_at_once() -> None:
    assert set(problems(extract=http(url="x", attempts=99), load={"kind": "append", "stream": "no/pe"})) == {
        "/extract/url",
        "/extract/attempts",
        "/load/stream",
    }


@pytest.mark.parametrize("document", [None, [], "x", 5, {}])
def test_what_is_no_document_is_refused(document: Any) -> None:
    with pytest.raises(validation.InvalidDefinition):
        validation.read(document)


@pytest.mark.parametrize(
    ("every", "seconds"), [(90, 90.0), ("90s", 90.0), ("30m", 1800.0), ("2h", 7200.0), ("1d", 86_400.0)]
)
def test_the_short_form_is_written_out(every: Any, seconds: float) -> None:
    document = validation.written_out({"endpoint_url": "https://example.org/a.csv", "every": every, "key": "id"})
    assert document["schedule"] == {"every_seconds": seconds}
    assert validation.read(document).load.key == ["id"]


@pytest.mark.parametrize("every", ["soon", True, None, "5 weeks"])
def test_a_duration_that_is_none_is_named(every: Any) -> None:
    with pytest.raises(validation.InvalidDefinition, match="no duration"):
        validation.written_out({"endpoint_url": "https://example.org/a.csv", "every": every})
