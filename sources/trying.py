"""Trying a definition before it is saved: does the other side answer, and what would its rows become."""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from msgspec.structs import replace

from sources import uploads
from sources.address import Guard
from sources.definition import Definition, File, Sql
from sources.errors import (
    AddressRefused,
    BadDefinition,
    Forbidden,
    NotModified,
    RowRejected,
    SourceError,
    TryLater,
    Unreachable,
)
from sources.http.check import check as check_http
from sources.keys import make_key
from sources.models import Run, Source, Trigger
from sources.origin import open_origin
from sources.pipeline import Pipeline
from sources.rows import Item, Rejected, Row
from sources.sql import check as check_sql
from sources.suggestions import suggest
from sources.tally import Tally

ROWS = 20
LIMITS: dict[str, Any] = {"bytes": 50_000_000, "pages": 1, "rows": 100_000, "seconds": 20.0}


def test(definition: Definition, secrets: Mapping[str, str]) -> dict[str, Any]:
    """Whether the other side can be reached and lets us in; what goes wrong stands in the report."""
    spec = definition.extract
    if isinstance(spec, File):
        return _test_file(spec)
    if isinstance(spec, Sql):
        return _test_sql(spec, secrets)
    return asdict(check_http(spec, secrets, Guard.from_settings(), source="test"))


def _test_file(spec: File) -> dict[str, Any]:
    try:
        uploads.open_body(spec.upload).file.close()
    except SourceError as error:
        return {"reachable": False, "authorised": None, "error": error.code, "detail": str(error)}
    return {"reachable": True, "authorised": True, "error": "", "detail": ""}


def _test_sql(spec: Sql, secrets: Mapping[str, str]) -> dict[str, Any]:
    started = time.perf_counter()
    report: dict[str, Any] = {"reachable": True, "authorised": True, "error": "", "detail": ""}
    try:
        deadline = time.monotonic() + LIMITS["seconds"]
        report["columns"] = check_sql(spec, secrets=secrets, guard=Guard.from_settings(), deadline=deadline).columns
    except SourceError as error:
        report |= {"error": error.code, "detail": str(error), "authorised": not isinstance(error, Forbidden)}
        report["reachable"] = not isinstance(error, Unreachable | AddressRefused)
        if isinstance(error, BadDefinition):  # nobody was asked
            report |= {"reachable": None, "authorised": None}
    return {**report, "milliseconds": round((time.perf_counter() - started) * 1000)}


def preview(definition: Definition, secrets: Mapping[str, str], source: Source | None = None) -> dict[str, Any]:
    """The first rows after each step: decoded, normalized, mapped, filtered; and those rejected, with reasons.

    Nothing is stored. `error` and `detail` when it did not come so far. `suggestions`: see sources.suggestions.
    """
    pipeline = Pipeline(definition)
    tried = replace(definition, limits=replace(definition.limits, **LIMITS))
    run = Run(source=source or Source(pk=0, name="preview"), version=0, trigger=Trigger.HAND, state_before={})
    found: list[Item] = []
    error: dict[str, str] = {}
    try:
        with open_origin(tried, run, secrets, time.monotonic() + LIMITS["seconds"]) as origin:
            found.extend(_first(origin.items()))
    except SourceError as failure:
        if failure.code != "too_many_pages":  # the first is enough
            error = {"error": failure.code, "detail": str(failure)}
    except (TryLater, NotModified) as pause:
        error = {"error": "try_later", "detail": str(pause)}
    steps = pipeline.preview(found, ROWS)
    steps["rejected"] += _without_key(definition, steps["filtered"])
    return {**steps, "suggestions": suggest(definition, steps), **error}


def _without_key(definition: Definition, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Those that could not be loaded, as samples of what is rejected."""
    tally = Tally()
    if definition.load.key:
        key = make_key(definition.load.key)
        for row in rows:
            try:
                key(row)
            except RowRejected as rejection:
                tally.reject(Rejected("load", rejection.code, str(rejection), row))
    return tally.samples


def _first(items: Iterator[Item]) -> Iterator[Item]:
    return itertools.islice(items, ROWS)
