"""Indexes on members of payloads: what is wished for, and what PostgreSQL has of it.

A row of `field_index` is a wish. Each partition of `event` gets an index of its own for it, of the events of that one
stream: events of others cost nothing more. The parent gets none: there it could neither be made nor dropped without
keeping everybody from storing meanwhile. How far an index is, is not written down anywhere but in PostgreSQL's
catalogue. `ingest.index_building` makes the one like the other.
"""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from celery import current_app
from django.db import connection

from ingest.conditions import InvalidCondition, parse_path
from ingest.members import Sql
from ingest.models import FieldIndex, IndexKind
from ingest.partitions import partition_names

logger = logging.getLogger(__name__)

MOST_OF_A_STREAM = 10
COLUMN = "payload"
NAME = re.compile(r"(event_(?:\d{8}|default))_field_(\d+)", re.ASCII)

BUILDING, READY, FAILED = "building", "ready", "failed"

PARTS = """
SELECT name.relname, indisvalid, pg_relation_size(indexrelid)
FROM pg_inherits JOIN pg_index ON indrelid = inhrelid JOIN pg_class AS name ON name.oid = indexrelid
WHERE inhparent = 'event'::regclass
"""


class Part(NamedTuple):
    """The index of one partition, as PostgreSQL has it. `wish`: the id of the FieldIndex, which may be gone."""

    partition: str
    wish: int
    is_valid: bool
    bytes: int

    @property
    def name(self) -> str:
        return name_of(self.partition, self.wish)


@dataclass(frozen=True, slots=True)
class Described:
    """A wish and what became of it: BUILDING (or waiting for it), READY or FAILED."""

    index: FieldIndex
    state: str
    partitions: int
    built: int
    bytes: int


class Definition(NamedTuple):
    """What is indexed, and of which rows."""

    expression: Sql
    condition: Sql


def name_of(partition: str, wish: int) -> str:
    return f"{partition}_field_{wish}"


def parts() -> list[Part]:
    with connection.cursor() as cursor:
        cursor.execute(PARTS)
        found = [(NAME.fullmatch(name), is_valid, size) for name, is_valid, size in cursor.fetchall()]
    return [Part(match[1], int(match[2]), is_valid, size) for match, is_valid, size in found if match]


def described(wishes: Iterable[FieldIndex]) -> list[Described]:
    wished, partitions, there = list(wishes), len(partition_names()), parts()
    return [_described(wish, partitions, [part for part in there if part.wish == wish.pk]) for wish in wished]


def _described(wish: FieldIndex, partitions: int, there: list[Part]) -> Described:
    built = sum(part.is_valid for part in there)
    state = READY if built >= partitions else FAILED if wish.failed_at else BUILDING
    return Described(wish, state, partitions, built, sum(part.bytes for part in there))


def definition(wish: FieldIndex) -> Definition:
    """With the expressions of `ingest.members` that conditions are made of."""
    path = parse_path(wish.path, COLUMN)
    if wish.kind == IndexKind.NUMBER:
        return Definition(path.number(COLUMN), Sql("stream_id = %s", [wish.stream_id]))
    check, names = path.is_text(COLUMN)
    return Definition(path.beginning(COLUMN), Sql(f"stream_id = %s AND {check}", [wish.stream_id, *names]))


def check_path(path: str) -> None:
    """Raises InvalidCondition."""
    parse_path(path, COLUMN)
    if len(path) > FieldIndex._meta.get_field("path").max_length:  # type: ignore[operator]
        raise InvalidCondition("It is too long for an index.")


def ring() -> None:
    """Ask a worker to look for wishes. One that does not hear it looks within a minute."""
    try:
        current_app.send_task("ingest.index", expires=60.0, ignore_result=True)
    except Exception as error:  # whatever the broker has, the wish is in the database
        logger.warning("The broker could not be told of an index; it is begun within a minute: %s", error)
