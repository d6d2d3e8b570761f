"""Reading definitions: what is wrong with one is said by the place in it, and a short form is written out."""

import itertools
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from sources import sql
from sources.conditions import make_filter
from sources.dedupe import Dedupe
from sources.definition import Definition, Extract, Http, Replace, Sql, Upsert
from sources.errors import BadDefinition, SourceError
from sources.http.urls import checked_url
from sources.mapping import make_mapper
from sources.normalize import make_normalizer
from sources.problems import Checker, Problem
from sources.schedule import check_schedule

UNITS_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
DEFAULT_EVERY_SECONDS = 1800.0
MOST_PROBLEMS = 50
MEMBERS = ("cron", "every_seconds", "time_zone")


class InvalidDefinition(ValueError):
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.pointer or '/'}: {problem.message}" for problem in problems))
        self.problems = problems


@cache
def schema() -> dict[str, Any]:
    """The published JSON Schema of a definition."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Definition)}


@cache
def _checker() -> Checker:
    return Checker(schema())


def read(document: object) -> Definition:
    """Raises InvalidDefinition with every problem that was found."""
    if problems := list(itertools.islice(_checker().problems(document), MOST_PROBLEMS)):
        raise InvalidDefinition(problems)
    try:
        definition = msgspec.convert(document, Definition)
    except msgspec.ValidationError as error:
        raise InvalidDefinition([Problem("", str(error))]) from error
    if problems := list(_inconsistencies(definition)):
        raise InvalidDefinition(problems)
    return definition


def _inconsistencies(definition: Definition) -> list[Problem]:
    """What no schema can say."""
    found = []
    checks: dict[str, Callable[[], object]] = {
        "/map": lambda: make_mapper(definition.map),
        "/filter": lambda: make_filter(definition.filter),
        "/schedule": lambda: check_schedule(definition.schedule),
        "/extract": lambda: _check_sql(definition.extract),
        "/extract/url": lambda: _check_url(definition.extract),
        "/normalize": lambda: make_normalizer(definition.normalize),
        "/dedupe": lambda: _check_dedupe(definition),
    }
    for place, check in checks.items():
        try:
            check()
        except SourceError as error:
            found.append(_placed(place, str(error)))
    return found


def _placed(place: str, message: str) -> Problem:
    """Messages may begin with the pointer, or the name of a member of the place."""
    where, colon, rest = message.partition(": ")
    if colon and where.startswith(place):
        return Problem(where, rest)
    return Problem(f"{place}/{where}", rest) if colon and where in MEMBERS else Problem(place, message)


def _check_sql(extract: Extract) -> None:
    if isinstance(extract, Sql):
        sql.check_definition(extract)


def _check_url(extract: Extract) -> None:
    if isinstance(extract, Http):
        checked_url(extract.url)


def _check_dedupe(definition: Definition) -> None:
    if definition.dedupe is not None:
        Dedupe(definition.dedupe, 0)
        if isinstance(definition.load, Replace):
            raise BadDefinition("'replace' deletes what does not come: it cannot leave out what came before")
        if isinstance(definition.load, Upsert) and definition.dedupe.by == "content":
            raise BadDefinition(
                "/dedupe/by: a record that changes back to what it was would stay as it is. Records know by themselves"
                ' what is unchanged: leave dedupe out; or say "key", to keep the first of each key.'
            )


def written_out(short: dict[str, Any]) -> dict[str, Any]:
    """The definition that {"endpoint_url", "every", "key"} stands for. Raises InvalidDefinition."""
    return {
        "version": 1,
        "extract": {"kind": "http", "url": short["endpoint_url"]},
        "load": {"kind": "upsert", "key": _as_list(short.get("key", "id"))},
        "schedule": {"every_seconds": _seconds(short.get("every", DEFAULT_EVERY_SECONDS))},
    }


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _seconds(every: object) -> float:
    """A number of seconds, or a text such as 90s, 30m, 2h, 1d."""
    if isinstance(every, int | float) and not isinstance(every, bool):
        return float(every)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*", every) if isinstance(every, str) else None
    if match is None:
        raise InvalidDefinition([Problem("/every", f"{every!r} is no duration: write seconds, or 90s, 30m, 2h, 1d")])
    return float(match[1]) * UNITS_SECONDS.get(match[2], 1)
