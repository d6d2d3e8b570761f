"""Records as files, in the order in which they were made.

CSV of all fields has the columns FIXED, `value.<member>` for each member that any of the values has when it begins, and
`value` if one is no object; lists and objects are JSON, null is empty. Numbers keep all their digits.
"""

from collections.abc import Iterator

import msgspec
from django.db.models import F, Func, TextField

from ingest import files
from ingest.columns import Selection
from ingest.formulas import defused
from ingest.members import Sql
from ingest.pieces import Reader, Row
from ingest.reading import time_limit
from ingest.streaming import Pieces, csv_cell, csv_lines
from sources.errors import LimitExceeded
from sources.reading import ADVICE, RecordQuery, indexed, select, wanted
from sources.selection import RECORDS

FIXED = ("key", "source", "updated_at", "starts_at", "ends_at")
READ = RECORDS.parse_selection("key,source_name,updated_at,starts_at,ends_at,value")
MOST_COLUMNS = 2000
SCANNED = ("id", "source_id", "key", "value", "starts_at", "ends_at", "created_at", "updated_at")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Names(Func):
    function = "jsonb_object_keys"
    output_field = TextField()
    set_returning = True


def file(format: str, query: RecordQuery, selection: Selection | None) -> Pieces:
    """Of what is selected, or all. Raises QueryTooSlow, and LimitExceeded as `csv_table` does."""
    if format == "csv" and selection is None:
        return csv_table(query)
    _, make = files.FORMATS[format]
    return make(reader(query), selection or RECORDS.all)


def reader(query: RecordQuery) -> Reader:
    return Reader(
        table=RECORDS,
        scan=lambda last, rows: _scan(query, last, rows),
        wanted=wanted(query),
        last='max("record"."id")',
        advice=ADVICE,
    )


def _scan(query: RecordQuery, last: int | None, rows: int) -> Sql:
    found = indexed(query).filter(pk__gt=last or 0).order_by("pk").values(*SCANNED)[:rows]
    text, parameters = found.query.sql_with_params()
    return Sql(text, list(parameters))


def csv_table(query: RecordQuery) -> Pieces:
    """Raises LimitExceeded when the values have more than MOST_COLUMNS different members."""
    with time_limit(ADVICE):
        names, has_others = _columns(query)
    yield csv_lines([[*FIXED, *(f"value.{name}" for name in names), *["value"] * has_others]])
    for rows in reader(query).rows(READ):
        yield csv_lines(_cells(row, names, has_others) for row in rows)


def _columns(query: RecordQuery) -> tuple[list[str], bool]:
    """The members that values have, and whether one is no object."""
    kinds = select(query).annotate(kind=Func(F("value"), function="jsonb_typeof", output_field=TextField()))
    objects = kinds.filter(kind="object").annotate(name=_Names(F("value"))).values_list("name", flat=True)
    names = sorted(objects.distinct()[: MOST_COLUMNS + 1])
    if len(names) > MOST_COLUMNS:
        raise LimitExceeded(
            f"The values have more than {MOST_COLUMNS} different members: say fields, or choose ndjson."
        )
    return names, kinds.exclude(kind="object").exists()


def _cells(row: Row, names: list[str], has_others: bool) -> Iterator[str]:
    *fixed, text = row
    for value in fixed:
        yield "" if value is None else defused(value)
    members = _members.decode(text) if text.startswith("{") else {}
    for name in names:
        yield csv_cell(bytes(members[name])) if name in members else ""
    if has_others:
        yield "" if text.startswith("{") else csv_cell(text.encode())
