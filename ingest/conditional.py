"""Query parameters of what reads rows with a document: none is ignored. What is unknown, twice or wrong is named."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from ingest import conditions
from ingest.columns import Selection, Table
from ingest.conditions import Condition, InvalidCondition

MOST_CONDITIONS = 16

Problems = dict[str, list[str]]
Given = TypeVar("Given")
Parsed = TypeVar("Parsed")


def described(column: str) -> OpenApiParameter:
    """Conditions on that column, for the API's description."""
    return OpenApiParameter(
        "conditions",
        {"type": "object", "additionalProperties": {"type": "string"}, "example": {f"{column}.site": "oslo"}},
        style="form",
        explode=True,
        description=f"Parameters of their own, as many as {MOST_CONDITIONS}: `{column}.site=oslo`,"
        f" `{column}.motor.speed__gte=1200`. Dots lead into objects, a number into an array. After `__`: `eq` (also"
        " without), `ne`, `gt`, `gte`, `lt`, `lte`, `in` (comma-separated), `contains` (a text within a text, an"
        " element of an array), `exists` (true or false). A value that is a JSON number, string, true, false or null is"
        f' compared as such, anything else as text. `{column}@={{"a": 1}}`: the {column} contains this JSON.',
    )


def unknown(names: str) -> str:
    return f"There is no such parameter; there are {names}."


def refused(texts: list[str], repeats: bool = False) -> str:
    """Why a parameter that is there so is refused, or ""."""
    if len(texts) > 1 and not repeats:
        return "It is there twice."
    return "" if texts[-1] else "It is empty: leave it out."


class Conditional(serializers.Serializer[Any]):
    """Fields, and conditions on `column`; `validated_data` has the latter as `conditions`.

    A field called `q` is one of them, words. `others`: parameters that somebody else reads.
    """

    column: ClassVar[str]
    others: ClassVar[tuple[str, ...]] = ()

    def to_internal_value(self, data: QueryDict) -> dict[str, Any]:
        found, problems = self._conditions(data)
        for name, texts in data.lists():
            if name not in self.fields:
                if name not in self.others and not conditions.is_condition(name, self.column):
                    problems[name] = [unknown(self._names())]
            elif refusal := refused(texts, repeats=isinstance(self.fields[name], serializers.ListField)):
                problems[name] = [refusal]
        try:
            asked = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **problems}) from error  # type: ignore[dict-item]
        if problems:
            raise serializers.ValidationError(problems)
        return {**asked, "conditions": found}

    def _conditions(self, data: QueryDict) -> tuple[tuple[Condition, ...], Problems]:
        found: list[Condition] = []
        problems: Problems = {}
        for name, texts in data.lists():
            try:
                if conditions.is_condition(name, self.column):
                    found += [conditions.parse(name, text, self.column) for text in texts]
                elif name == "q" and texts[-1].strip():
                    found.append(conditions.parse_words(texts[-1]))
            except InvalidCondition as error:
                problems[name] = [str(error)]
            if len(found) > MOST_CONDITIONS:
                problems[name] = [f"There are more than {MOST_CONDITIONS} conditions."]
                break
        return tuple(found), problems

    def _names(self) -> str:
        return ", ".join([*sorted([*self.fields, *self.others]), f"{self.column}.<path>", f"{self.column}@"])


class Selecting(serializers.Serializer[Any]):
    """`fields` of `table`."""

    table: ClassVar[Table]

    fields = serializers.CharField(  # type: ignore[assignment]
        required=False, help_text="What is shown of each: `id,received_at,payload.site`. Default: all."
    )

    def validate_fields(self, text: str) -> Selection:
        return read(self.table.parse_selection, text)


def read(parse: Callable[[Given], Parsed], given: Given) -> Parsed:
    """What the parser makes of it; what it refuses is the field's error."""
    try:
        return parse(given)
    except InvalidCondition as error:
        raise serializers.ValidationError(str(error)) from error
