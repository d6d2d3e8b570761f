"""Every payload that is refused, alone and among good neighbours, and every odd one that is taken."""

import json
from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

from ingest.envelope import Limits, Parsed, StreamRules, parse
from ingest.errors import BadRequest
from ingest.payload import copy_text
from tests.ingest.corpus import ACCEPTED, ARRAY_ELEMENTS_AS_LINE, MALFORMED, REFUSED, Case

GOOD = (b'{"n":1}', b'{"n":2}', b'{"n":3}')


def by_name(case: Case) -> str:
    return case.name


refused = pytest.mark.parametrize("case", REFUSED, ids=by_name)
accepted = pytest.mark.parametrize("case", ACCEPTED, ids=by_name)


def parse_as(body: bytes, content_type: str = "application/json") -> Parsed:
    return parse(body, content_type, {}, StreamRules(), Limits())


def assert_only_third_refused(parsed: Parsed, code: str) -> None:
    assert [(rejection.index, rejection.code) for rejection in parsed.rejections] == [(2, code)]
    assert [event[3] for event in parsed.events] == list(GOOD)
    assert parsed.indexes == [0, 1, 3]


@refused
def test_it_is_refused_alone(case: Case) -> None:
    parsed = parse_as(b"[" + case.body + b"]")
    assert parsed.events == []
    assert [rejection.code for rejection in parsed.rejections] == [case.code]


@pytest.mark.parametrize("case", [case for case in REFUSED if not case.body.startswith(b"[")], ids=by_name)
def test_it_is_refused_as_the_whole_body(case: Case) -> None:
    parsed = parse_as(b" " + case.body + b"\n")
    assert parsed.single
    assert [rejection.code for rejection in parsed.rejections] == [case.code]


@refused
def test_its_neighbours_in_an_array_are_taken(case: Case) -> None:
    assert_only_third_refused(parse_as(b"[" + b" , ".join([*GOOD[:2], case.body, GOOD[2]]) + b"]"), case.code)


@refused
def test_its_neighbours_in_a_batch_are_taken(case: Case) -> None:
    elements = b",\n".join([*GOOD[:2], case.body, GOOD[2]])
    assert_only_third_refused(parse_as(b'{ "batch" : [' + elements + b"] }"), case.code)


@pytest.mark.parametrize("case", [*REFUSED, *MALFORMED, ARRAY_ELEMENTS_AS_LINE], ids=by_name)
def test_its_neighbours_in_lines_are_taken(case: Case) -> None:
    body = b"\r\n".join([GOOD[0], b"", GOOD[1], case.body, GOOD[2]])
    assert_only_third_refused(parse_as(body, "application/x-ndjson"), case.code)


@pytest.mark.parametrize("case", MALFORMED, ids=by_name)
def test_what_is_no_json_spoils_an_array(case: Case) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_as(b"[" + b",".join([*GOOD, case.body]) + b"]")
    assert caught.value.code == case.code


@accepted
def test_it_is_taken_as_it_was_posted(case: Case) -> None:
    for body in (case.body, b"[" + case.body + b"]", b'{"batch":[' + case.body + b"]}"):
        assert [event[3] for event in parse_as(body).events] == [case.body]


@accepted
def test_it_is_taken_beside_one_that_needs_a_close_look(case: Case) -> None:
    parsed = parse_as(b'[{"a":NaN},' + case.body + b',{"b":"\\u0000"}]')
    assert [event[3] for event in parsed.events] == [case.body]


@accepted
def test_postgresql_gives_it_back_equal(case: Case, connection: psycopg.Connection) -> None:
    stored = store_and_read(connection, case.body)
    assert json.loads(stored, parse_int=Decimal, parse_float=Decimal) == json.loads(
        case.body, parse_int=Decimal, parse_float=Decimal
    )


@pytest.mark.parametrize("case", [case for case in REFUSED if case.refused_by_postgresql], ids=by_name)
def test_postgresql_would_refuse_it(case: Case, connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.Error):
        store_and_read(connection, case.body)


@pytest.fixture
def connection(postgres_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE stored (payload jsonb)")
        yield connection


def store_and_read(connection: psycopg.Connection, payload: bytes) -> str:
    with connection.cursor().copy("COPY stored FROM STDIN") as copy:
        copy.write(copy_text(payload) + b"\n")
    row = connection.execute("SELECT payload::text FROM stored").fetchone()
    assert row is not None
    return str(row[0])
