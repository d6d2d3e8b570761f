"""The page of records: filters, the newest first, page by page."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import F, Func, Q, QuerySet, TextField
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.models import Scope
from access.pages import needs, reach
from access.reach import Reach
from ingest import conditions
from ingest.conditions import InvalidCondition
from ingest.errors import QueryTooSlow
from ingest.reading import time_limit
from sources.models import Record, Source
from sources.reading import ADVICE, RecordQuery, select

RECORDS_A_PAGE = 50
VALUE_CHARACTERS = 4000
LINE_CHARACTERS = 300
MOST_SOURCES = 1000
COLUMN = "value"
FILTERS = ("source", "key", "search", "q")
FIELD = ("field", "how", "is")
COMPARISONS = {
    "eq": "is",
    "ne": "is not",
    "gt": "is greater than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "in": "is one of",
    "contains": "contains",
    "exists": "is there: true or false",
}


class _Text(Func):
    """The value as PostgreSQL writes it: no digit is lost."""

    function = "jsonb_pretty"
    output_field = TextField()


@never_cache
@require_safe
@needs(Scope.READ)
def records(request: HttpRequest) -> HttpResponse:
    given = {name: value for name in (*FILTERS, *FIELD) if (value := _clean(request.GET, name))}
    context: dict[str, Any] = {
        "asked": given,
        "comparisons": COMPARISONS.items(),
        "sources": Source.objects.filter(reach(request).of_sources())
        .order_by("name")
        .only("id", "name")[:MOST_SOURCES],
        "query": urlencode(given),
        "export_query": urlencode(export_query(given)),
        "records": [],
    }
    try:
        found = page_of_records(select(asked(given, reach(request))), request.GET.get("before", ""))
    except QueryTooSlow:
        context["too_slow"] = settings.QUERY_TIMEOUT_SECONDS
    except InvalidCondition as error:
        context["wrong"] = str(error)
    else:
        context |= found
    return render(request, "sources/records.html", context)


def _clean(query: QueryDict, name: str) -> str:
    return query.get(name, "").replace("\x00", "").strip()


def asked(given: dict[str, str], reach: Reach) -> RecordQuery:
    """A mistyped source chooses none. Raises InvalidCondition."""
    found = [conditions.parse(_condition(given), given.get("is", ""), COLUMN)] if "field" in given else []
    words = [conditions.parse_words(given["q"])] if "q" in given else []
    source = given.get("source")
    return RecordQuery(
        reach,
        source=None if source is None else _id(source),
        key=given.get("key"),
        search=given.get("search"),
        conditions=(*found, *words),
    )


def _id(text: str) -> int:
    """0, which is none, for what cannot be one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _condition(given: dict[str, str]) -> str:
    """As the API calls it."""
    name, how = f"{COLUMN}.{given['field']}", given.get("how", "eq")
    return name if how == "eq" and "__" not in name else f"{name}__{how}"


def export_query(given: dict[str, str]) -> dict[str, str]:
    """What `/api/records/export/` is asked for the same records."""
    query = {"format": "csv"} | {name: given[name] for name in FILTERS if name in given}
    return query | ({_condition(given): given.get("is", "")} if "field" in given else {})


def page_of_records(found: "QuerySet[Record]", before: str) -> dict[str, Any]:
    """`before`: time and id of the last record of the page before, as `older` says them. Raises QueryTooSlow."""
    if cursor := _cursor(before):
        time, pk = cursor
        found = found.filter(updated_at__lte=time).filter(Q(updated_at__lt=time) | Q(pk__lt=pk))
    with time_limit(ADVICE):
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
