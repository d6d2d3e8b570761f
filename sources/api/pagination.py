"""Pages by what the last record of a page is, not by how many came before it.

A cursor names the field of the order, that field of the page's last object, and its id. So whatever is added, deleted
or changed meanwhile, an object that stays as it is comes exactly once, among any number that are equal in the field;
one whose field changes comes where it then belongs. Objects without a value come last, in both directions.
"""

import base64
import binascii
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from django.core.exceptions import ValidationError as InvalidValue
from django.db.models import DateTimeField, F, Field, Model, Q
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param


class Cursor(NamedTuple):
    ordering: str
    value: str | int | None
    id: str | int


class Keyset(BasePagination):
    """`ordering`: a field of the view's `ordering_fields`, `-` before it for descending."""

    parameters = ("cursor", "limit", "ordering")
    ordering: str
    page_size = 100
    max_page_size = 1000

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Raises ValidationError for an ordering, a cursor or a limit that is none."""
        self._request = request
        order = _Order(queryset.model, self._ordering(request, view))
        if text := request.query_params.get("cursor"):
            queryset = queryset.filter(order.after(_decoded(text, order.name)))
        limit = self._limit(request)
        found = list(queryset.order_by(*order.terms())[: limit + 1])
        self._next = _encoded(order.cursor(found[limit - 1])) if len(found) > limit else None
        return found[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        address = self._request.build_absolute_uri()
        following = replace_query_param(address, "cursor", self._next) if self._next else None
        return Response({"next": following, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": following, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        most = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        parameters = {"cursor": {"type": "string"}, "limit": most}
        if names := getattr(view, "ordering_fields", []):
            both = [sign + name for name in names for sign in ("", "-")]
            parameters["ordering"] = {"type": "string", "enum": both, "default": self.ordering}
        return [{"name": name, "in": "query", "required": False, "schema": of} for name, of in parameters.items()]

    def _ordering(self, request: Request, view: Any) -> str:
        asked = request.query_params.get("ordering", self.ordering)
        names = getattr(view, "ordering_fields", [])
        if asked != self.ordering and asked.removeprefix("-") not in names:
            raise ValidationError({"ordering": [f"It is one of {', '.join(names) or self.ordering}, or - and that."]})
        return str(asked)

    def _limit(self, request: Request) -> int:
        text = request.query_params.get("limit", str(self.page_size))
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
            raise ValidationError({"limit": [f"It is a number from 1 to {self.max_page_size}."]})
        return min(int(text), self.max_page_size)


class Newest(Keyset):
    ordering = "-created_at"
    page_size = 50
    max_page_size = 500


class Ordered(Keyset):
    """By id, or as `ordering` asks."""

    ordering = "id"


class _Order:
    """By one field, and by id among equals, in the same direction."""

    def __init__(self, model: type[Model], name: str) -> None:
        self.name = name
        self._is_descending = name.startswith("-")
        self._field: Field[Any, Any] = model._meta.get_field(name.removeprefix("-"))  # type: ignore[assignment]
        self._id: Field[Any, Any] = model._meta.pk

    def terms(self) -> list[Any]:
        """Nothing is said of nulls where there are none: an index has its own idea of where they would be."""
        by = F(self._field.name)
        nulls_last = True if self._field.null else None
        first = by.desc(nulls_last=nulls_last) if self._is_descending else by.asc(nulls_last=nulls_last)
        return [first, "-pk" if self._is_descending else "pk"]

    def after(self, cursor: Cursor) -> Q:
        name, beyond = self._field.name, "lt" if self._is_descending else "gt"
        id, value = self._read(self._id, cursor.id), self._read(self._field, cursor.value)
        later = Q(**{f"pk__{beyond}": id})
        if value is None:
            return Q(**{f"{name}__isnull": True}) & later
        # The first condition is implied by the second; it is what lets PostgreSQL begin there in an index.
        rest = Q(**{f"{name}__{beyond}e": value}) & (Q(**{f"{name}__{beyond}": value}) | later)
        return rest | Q(**{f"{name}__isnull": True}) if self._field.null else rest

    def cursor(self, last: Any) -> Cursor:
        value = getattr(last, self._field.attname)
        id = last.pk if isinstance(last.pk, int) else str(last.pk)
        return Cursor(self.name, value.isoformat() if isinstance(value, datetime) else value, id)

    def _read(self, field: "Field[Any, Any]", value: str | int | None) -> Any:
        try:
            read = field.to_python(value)
        except InvalidValue:
            raise _no_cursor() from None
        is_naive = isinstance(field, DateTimeField) and read is not None and read.tzinfo is None
        if (read is None and not field.null) or is_naive or (isinstance(read, str) and "\x00" in read):
            raise _no_cursor()
        return read


def _encoded(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _decoded(text: str, ordering: str) -> Cursor:
    try:
        padded = f"{text}{'=' * (-len(text) % 4)}"
        cursor = msgspec.json.decode(base64.b64decode(padded, altchars="-_", validate=True), type=Cursor)
    except (binascii.Error, ValueError, RecursionError):
        raise _no_cursor() from None
    if cursor.ordering != ordering:
        raise ValidationError({"cursor": ["It is of another order: begin again without it."]})
    return cursor


def _no_cursor() -> ValidationError:
    return ValidationError({"cursor": ["It is no cursor of ours: begin again without it."]})
