"""Query parameters of what reads records."""

from typing import Any

from rest_framework import serializers

from access.reach import Reach
from ingest import conditional
from ingest.conditional import Conditional
from ingest.files import FORMATS
from sources.api.pagination import Keyset
from sources.reading import RecordQuery
from sources.selection import RECORDS

MOST_ID = (1 << 63) - 1
CONDITIONS = conditional.described(RECORDS.document)


class RecordFilter(Conditional):
    """Which records."""

    column = RECORDS.document

    source = serializers.IntegerField(  # type: ignore[assignment]
        required=False, min_value=0, max_value=MOST_ID, help_text="The id of a source."
    )
    source_name = serializers.CharField(required=False)
    key = serializers.CharField(required=False, trim_whitespace=False)
    starts_at = serializers.DateTimeField(required=False, help_text="Records that begin at or after this time,")
    ends_at = serializers.DateTimeField(required=False, help_text="and end at or before this.")
    updated_after = serializers.DateTimeField(required=False)
    search = serializers.CharField(required=False, help_text="A text in the key or anywhere in the value.")
    q = serializers.CharField(
        required=False,
        help_text='Words that the texts of the value hold, in any order: `pump "oil leak" -test`, `pump or valve`.',
    )


class Selecting(conditional.Selecting):
    table = RECORDS


class RecordParameters(Selecting, RecordFilter):
    others = Keyset.parameters


class RecordExportParameters(Selecting, RecordFilter):
    format = serializers.ChoiceField(sorted(FORMATS), default="csv")


def query_of(asked: dict[str, Any], reach: Reach) -> RecordQuery:
    """`asked`: what a RecordFilter has validated."""
    names = [*RecordFilter().fields, "conditions"]
    return RecordQuery(reach, **{name: asked[name] for name in names if name in asked and name != "q"})
