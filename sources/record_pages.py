"""The page of records: filters, the newest first, page by page."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db import OperationalError, connection, transaction
from django.db.models import F, Func, Q, QuerySet, TextField
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from psycopg.errors import QueryCanceled

from access.models import Scope
from access.pages import needs, reach
from access.reach import Reach
from sources.api.records import FIELD, RecordFilter, with_field
from sources.models import Record, Source

RECORDS_A_PAGE = 50
VALUE_CHARACTERS = 4000
LINE_CHARACTERS = 300
MOST_SOURCES = 1000
MOST_SECONDS = 10
FILTERS = ("source", "key", "search")


class _Text(Func):
    """The value as PostgreSQL writes it: no digit is lost."""

    function = "jsonb_pretty"
    output_field = TextField()


@never_cache
@require_safe
@needs(Scope.READ)
def records(request: HttpRequest) -> HttpResponse:
    given = {name: value for name in (*FILTERS, "field", "is") if (value := _clean(request.GET, name))}
    context = {
        "asked": given,
        "sources": Source.objects.filter(reach(request).of_sources())
        .order_by("name")
        .only("id", "name")[:MOST_SOURCES],
        "query": urlencode(given),
        "export_query": urlencode(export_query(given)),
    }
    try:
        found = page_of_records(chosen(given, reach(request)), request.GET.get("before", ""))
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        return render(request, "sources/records.html", {**context, "records": [], "too_slow": MOST_SECONDS})
    return render(request, "sources/records.html", {**context, **found})


def _clean(query: QueryDict, name: str) -> str:
    return query.get(name, "").replace("\x00", "").strip()


def chosen(given: dict[str, str], reach: Reach) -> "QuerySet[Record]":
    """A mistyped source chooses none."""
    visible = Record.objects.filter(reach.of_sources("source__name"))
    filters = RecordFilter({name: given[name] for name in FILTERS if name in given}, visible)
    found: QuerySet[Record] = filters.qs if filters.is_valid() else Record.objects.none()
    return with_field(found, given["field"], given.get("is", "")) if "field" in given else found


def export_query(given: dict[str, str]) -> dict[str, str]:
    """What `/api/records/export/` is asked for the same records."""
    query = {"format": "csv"} | {name: given[name] for name in FILTERS if name in given}
    return query | ({f"{FIELD}{given['field']}": given.get("is", "")} if "field" in given else {})


def page_of_records(found: "QuerySet[Record]", before: str) -> dict[str, Any]:
    """`before`: time and id of the last record of the page before, as `older` says them."""
    if cursor := _cursor(before):
        time, pk = cursor
        found = found.filter(updated_at__lte=time).filter(Q(updated_at__lt=time) | Q(pk__lt=pk))
    with transaction.atomic(), connection.cursor() as database:
        database.execute(f"SET LOCAL statement_timeout = {MOST_SECONDS * 1000}")
        shown = shown_records(found, RECORDS_A_PAGE + 1)
    last = shown[RECORDS_A_PAGE - 1] if len(shown) > RECORDS_A_PAGE else None
    older = urlencode({"before": f"{last.updated_at.isoformat()} {last.pk}"}) if last else ""
    return {"records": shown[:RECORDS_A_PAGE], "older": older}


def shown_records(found: "QuerySet[Record]", most: int) -> list[Any]:
    """The newest, each with `text`, the beginning of its value, and `line`, the beginning of that."""
    text = Left(_Text(F("value"), output_field=TextField()), VALUE_CHARACTERS)
    newest = found.select_related("source").defer("value").annotate(text=text)
    return [_shown(record) for record in newest.order_by("-updated_at", "-pk")[:most]]


def _shown(record: Any) -> Any:
    record.line = " ".join(record.text[:LINE_CHARACTERS].split())
    record.is_cut = len(record.text) >= VALUE_CHARACTERS
    return record


def _cursor(text: str) -> tuple[datetime, int] | None:
    time, _, pk = text.rpartition(" ")
    try:
        parsed = parse_datetime(time)
    except ValueError:
        return None
    return (parsed, int(pk)) if parsed and parsed.tzinfo and pk.isdecimal() and len(pk) < 19 else None
