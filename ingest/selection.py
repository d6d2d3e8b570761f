"""What is shown of each event: its members, or members of its payload, as JSON that PostgreSQL makes."""

from collections.abc import Iterable

import orjson

from ingest.conditions import InvalidCondition, parse_path
from ingest.members import Path, Sql
from ingest.models import Stream

COLUMNS = ("id", "stream", "type", "key", "time", "received_at", "payload")
MOST_SHOWN = 50

Selection = tuple[tuple[str, Path | None], ...]
"""Names as they are shown, with the way into the payload of those that are members of it."""

ALL: Selection = tuple((name, None) for name in COLUMNS)

STREAM = 'coalesce((%s::jsonb -> "event"."stream_id"::text)::text, \'null\')'


def parse_selection(text: str) -> Selection:
    """Of `id,received_at,payload.site`. Raises InvalidCondition."""
    names = text.split(",")
    if len(names) > MOST_SHOWN:
        raise InvalidCondition(f"It has {len(names)} names, more than {MOST_SHOWN}.")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidCondition(f"'{twice}' is there twice.")
    return tuple((name, None if name in COLUMNS else _path(name)) for name in names)


def _path(name: str) -> Path:
    if not name.startswith("payload."):
        raise InvalidCondition(f"There is no '{name}'; there are {', '.join(COLUMNS)} and payload.<path>.")
    return parse_path(name, "payload")


def stream_names() -> str:
    """The names of all streams by their ids, as JSON: a look into it costs a tenth of one into the table."""
    return orjson.dumps(
        dict(Stream.objects.order_by().values_list("pk", "name")), option=orjson.OPT_NON_STR_KEYS
    ).decode()


def json_line(selection: Selection, end: str = "") -> Sql:
    """The JSON text of an event, and `end`, from a table or subquery that is called `event`."""
    tokens: list[str | Sql] = []
    for place, (name, path) in enumerate(selection):
        tokens += ["," if place else "{", orjson.dumps(name).decode(), ":", *_member(name, path)]
    merged = _merged([*tokens, "}" + end])
    return Sql(
        f"({' || '.join(piece.text for piece in merged)})", [one for piece in merged for one in piece.parameters]
    )


def _merged(tokens: Iterable[str | Sql]) -> list[Sql]:
    """Neighbouring constants in one: each `||` copies what is before it."""
    merged, constant = [], ""
    for token in tokens:
        if isinstance(token, str):
            constant += token
        else:
            merged += [Sql("%s::text", [constant]), token] if constant else [token]
            constant = ""
    return [*merged, Sql("%s::text", [constant])]


def _member(name: str, path: Path | None) -> list[str | Sql]:
    """Constants and SQL that is never NULL, together the value as JSON."""
    column = f'"event"."{name}"'
    if path is not None:
        member, names = path.sql('"event"."payload"')
        return [Sql(f"coalesce({member}::text, 'null')", names)]
    if name == "stream":
        return [Sql(STREAM, [stream_names()])]
    if name == "id":
        return ['"', Sql(column, []), '"']
    if name == "payload":
        return [Sql(f"{column}::text", [])]
    if name == "received_at":
        return ['"', Sql(_time(column), []), 'Z"']
    if name == "time":
        return [Sql(f"coalesce('\"' || {_time(column)} || 'Z\"', 'null')", [])]
    return [Sql(f"coalesce(to_json({column})::text, 'null')", [])]


def _time(column: str) -> str:
    """RFC 3339 as everywhere in the API, but for the Z: six digits of a second, or none. The session is in UTC."""
    text = f"{column}::text"  # 2026-01-31 12:34:56.5+00
    return f"rpad(replace(left({text}, -3), ' ', 'T'), CASE length({text}) WHEN 22 THEN 19 ELSE 26 END, '0')"
