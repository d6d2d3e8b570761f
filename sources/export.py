"""Records as files: CSV for spreadsheets, NDJSON for programs, made piece by piece in memory that does not grow.

Records come in the order in which they were made, each piece by a query of its own: a slow client keeps no transaction
open. CSV has the columns FIXED, `value.<member>` for each member that any of the values has when it begins, and `value`
if one is no object; lists and objects are JSON, null is empty. Numbers keep all their digits.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson
from django.db.models import F, Func, QuerySet, TextField
from django.db.models.functions import Cast

from ingest.formulas import defused
from ingest.streaming import Pieces, csv_cell, csv_lines, following
from sources.errors import LimitExceeded
from sources.models import Record

FIXED = ("key", "source", "updated_at", "starts_at", "ends_at")
MOST_COLUMNS = 2000
ROWS_A_PIECE = 1000

Line = tuple[Any, ...]

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Names(Func):
    function = "jsonb_object_keys"
    output_field = TextField()
    set_returning = True


def ndjson(found: "QuerySet[Record]") -> Pieces:
    """A line for each record, as `/api/records/` has them."""
    names = ("id", "source", "source_name", "key", "value", "starts_at", "ends_at", "created_at", "updated_at")
    fields = ("source_id", "source__name", "key", "text", *names[5:])
    return _pieces(found, fields, lambda lines: b"".join(_json_line(names, line) for line in lines))


def _json_line(names: Iterable[str], line: Line) -> bytes:
    record = dict(zip(names, line, strict=True))
    record["value"] = orjson.Fragment(record["value"])
    return orjson.dumps(record, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)


def csv_table(found: "QuerySet[Record]") -> Pieces:
    """Raises LimitExceeded when the values have more than MOST_COLUMNS different members."""
    kinds = found.annotate(kind=Func(F("value"), function="jsonb_typeof", output_field=TextField())).order_by()
    objects = kinds.filter(kind="object")
    names = sorted(
        objects.annotate(name=_Names(F("value"))).values_list("name", flat=True).distinct()[: MOST_COLUMNS + 1]
    )
    if len(names) > MOST_COLUMNS:
        raise LimitExceeded(f"The values have more than {MOST_COLUMNS} different members: choose ndjson, or a source.")
    has_others = kinds.exclude(kind="object").exists()
    header = [*FIXED, *(f"value.{name}" for name in names), *["value"] * has_others]
    fields = ("key", "source__name", *FIXED[2:], "text")
    pieces = _pieces(found, fields, lambda lines: csv_lines(_cells(line, names, has_others) for line in lines))
    return following(csv_lines([header]), pieces)


def _cells(line: Line, names: list[str], has_others: bool) -> Iterator[str]:
    _, *fixed, text = line
    for value in fixed:
        yield "" if value is None else defused(value) if isinstance(value, str) else _time(value)
    members = _members.decode(text) if text.startswith("{") else {}
    for name in names:
        yield csv_cell(bytes(members[name])) if name in members else ""
    if has_others:
        yield "" if text.startswith("{") else csv_cell(text.encode())


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _pieces(found: "QuerySet[Record]", fields: tuple[str, ...], make: Callable[[list[Line]], bytes]) -> Pieces:
    """The lines that are made begin with the record's id."""
    texts = found.annotate(text=Cast("value", TextField())).order_by("pk")
    last = 0
    while lines := list(texts.filter(pk__gt=last).values_list("pk", *fields)[:ROWS_A_PIECE]):
        last = lines[-1][0]
        yield make(lines)


FORMATS: dict[str, tuple[str, Callable[["QuerySet[Record]"], Pieces]]] = {
    "csv": ("text/csv; charset=utf-8", csv_table),
    "ndjson": ("application/x-ndjson", ndjson),
}
