"""The document that declares a source, version 1. Its JSON Schema follows from these classes.

{"version": 1,
 "extract": {"kind": "http", "url": "https://example.org/events.xml"},
 "decode": {"format": "xml", "path": "eventList.output.base_event", "force_list": ["event", "zone"]},
 "load": {"kind": "upsert", "key": ["-base_event_id"]},
 "schedule": {"every_seconds": 60}}
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Path = Annotated[str, Meta(max_length=500, description="Dot-separated names of members; empty: the whole.")]
Seconds = Annotated[float, Meta(gt=0)]
Positive = Annotated[int, Meta(ge=1)]
SQLITE = "sqlite:"  # begins the URL of an SQLite file, which goes on with the id of its upload
SecretName = Annotated[str, Meta(min_length=1, max_length=100, description="Name of a secret of this source.")]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class NoAuth(_Part, frozen=True, tag_field="kind", tag="none"):
    pass


class BearerAuth(_Part, frozen=True, tag_field="kind", tag="bearer"):
    secret: SecretName


class BasicAuth(_Part, frozen=True, tag_field="kind", tag="basic"):
    user: str
    secret: SecretName


class ApiKeyAuth(_Part, frozen=True, tag_field="kind", tag="api_key"):
    name: Annotated[str, Meta(min_length=1, max_length=200, description="Of the header or query parameter.")]
    secret: SecretName
    place: Literal["header", "query"] = "header"


class OAuth2Auth(_Part, frozen=True, tag_field="kind", tag="oauth2"):
    """Client credentials (RFC 6749, section 4.4)."""

    token_url: str
    client_id: str
    secret: SecretName
    scope: str = ""


Auth = NoAuth | BearerAuth | BasicAuth | ApiKeyAuth | OAuth2Auth


class NoPagination(_Part, frozen=True, tag_field="kind", tag="none"):
    pass


class PagePagination(_Part, frozen=True, tag_field="kind", tag="page"):
    """Ends at a page without rows, and at one with fewer than `size` if pages are known to have so many.

    They are where `size` is given without `size_parameter`, and once a page had the `size` (100) that was asked for.
    """

    parameter: str = "page"
    first: int = 1
    size_parameter: str = ""
    size: Positive | None = None


class OffsetPagination(_Part, frozen=True, tag_field="kind", tag="offset"):
    """The offset grows by the rows that came. Ends as `page` does, with `limit` for `size`."""

    parameter: str = "offset"
    limit_parameter: str = "limit"
    limit: Positive = 100


class CursorPagination(_Part, frozen=True, tag_field="kind", tag="cursor"):
    """`path`: where in the answer the cursor of the next page stands; none, null or empty: the end."""

    path: Path
    parameter: str = "cursor"


class LinkHeaderPagination(_Part, frozen=True, tag_field="kind", tag="link_header"):
    """RFC 8288, rel="next"."""


class NextUrlPagination(_Part, frozen=True, tag_field="kind", tag="next_url"):
    path: Path


Pagination = (
    NoPagination | PagePagination | OffsetPagination | CursorPagination | LinkHeaderPagination | NextUrlPagination
)


class HttpCursor(_Part, frozen=True):
    """Ask only for what is new: `parameter` gets the largest `field` of the rows so far, less `lookback_seconds`.

    A backfill gives it the start of a window, and `until_parameter`, if there is one, the end; rows outside the window
    are left out. `format` of all of them: `as_is` as the rows have it, which for a window is Unix time where the cursor
    so far, or `initial`, is a number (seconds, or milliseconds above 100,000,000,000), else ISO 8601 in UTC.
    """

    field: Path
    parameter: str
    until_parameter: str = ""
    initial: str = ""
    lookback_seconds: Annotated[float, Meta(ge=0)] = 0.0
    format: Literal["iso8601", "unix", "unix_ms", "as_is"] = "as_is"


class RateLimit(_Part, frozen=True):
    """Starts of requests, over all workers."""

    requests: Positive
    seconds: Seconds


class Http(_Part, frozen=True, tag_field="kind", tag="http"):
    url: Annotated[str, Meta(min_length=1, max_length=4000, pattern="^https?://")]
    method: Literal["GET", "POST"] = "GET"
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    body: Any = None
    auth: Auth = NoAuth()
    pagination: Pagination = NoPagination()
    cursor: HttpCursor | None = None
    conditional: bool = True
    attempts: Annotated[int, Meta(ge=1, le=10)] = 4
    rate_limit: RateLimit | None = None


class Sql(_Part, frozen=True, tag_field="kind", tag="sql"):
    """`table` or `query`; a query may use :cursor."""

    url: Annotated[str, Meta(description="dialect://user@host:port/database, without the password.")]
    secret: SecretName | None = None
    table: str | None = None
    query: str | None = None
    cursor_column: str | None = None
    lookback_seconds: Annotated[float, Meta(ge=0)] = 0.0
    statement_timeout_seconds: Seconds = 60.0


class File(_Part, frozen=True, tag_field="kind", tag="file"):
    """Something uploaded, by its id."""

    upload: str


Extract = Http | Sql | File


class Decode(_Part, frozen=True):
    """`path`: where the rows stand. `sheet`: name or number from 1. `delimiter`, `encoding`: found out."""

    format: Literal["auto", "json", "ndjson", "csv", "xlsx", "xml"] = "auto"
    path: Path = ""
    force_list: list[str] = []
    sheet: str | Positive = 1
    header: bool = True
    delimiter: Annotated[str, Meta(max_length=1)] = ""
    encoding: str = ""
    skip_rows: Annotated[int, Meta(ge=0)] = 0


class Normalize(_Part, frozen=True):
    """`explode`: lists of which each element becomes a row of its own, with what stands around it.

    `flatten`: members of members become members, their names joined by `separator`, down to `depth` levels (none: all).
    """

    explode: list[Path] = []
    flatten: bool = True
    separator: Annotated[str, Meta(min_length=1, max_length=5)] = "."
    depth: Annotated[int, Meta(ge=0)] | None = None


class Field(_Part, frozen=True, rename={"source": "from"}):
    """`from` is a JMESPath expression over the row. `type` of what it gives; `time_zone` of times without one.

    `decimal` is for integer and number: with "," they may be written as 2,50, 1.234,56 or 1 234,56.
    """

    to: Annotated[str, Meta(min_length=1, max_length=200)]
    source: str
    type: Literal["any", "text", "integer", "number", "boolean", "time", "date", "json"] = "any"
    decimal: Literal[".", ","] = "."
    time_zone: str = "UTC"
    format: str = ""
    required: bool = False
    default: Any = None
    on_error: Literal["reject", "null", "fail"] = "reject"


class Condition(_Part, frozen=True):
    """Of a field: exists, equals… `value` is a list for `in` and `not_in`, and not said for `exists` and `missing`."""

    field: Path
    op: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "not_in", "contains", "matches", "exists", "missing"]
    value: Any = None


Filter = dict[str, Any]
"""{"all": […]}, {"any": […]}, {"not": …} or a Condition."""


class Dedupe(_Part, frozen=True):
    """Leave out what came before within the window: the same key, or the same content."""

    by: Literal["content", "key"] = "content"
    key: list[Path] = []
    window_seconds: Seconds = 86_400.0


class Append(_Part, frozen=True, tag_field="kind", tag="append"):
    """`key`: fields that make the idempotency key of an event; none: the row's content does."""

    stream: Name
    key: list[Path] = []
    type: str = ""


class Upsert(_Part, frozen=True, tag_field="kind", tag="upsert"):
    """Rows become records, one for each key. `starts_at` and `ends_at` name fields with times to search by."""

    key: Annotated[list[Path], Meta(min_length=1)]
    starts_at: Path = ""
    ends_at: Path = ""


class Replace(_Part, frozen=True, tag_field="kind", tag="replace"):
    """As upsert, and records that did not come are deleted. An empty answer fails the run unless `allow_empty`.

    A row that was rejected came, but which record is its own is not known: nothing is deleted, unless `allow_rejected`.
    """

    key: Annotated[list[Path], Meta(min_length=1)]
    starts_at: Path = ""
    ends_at: Path = ""
    allow_empty: bool = False
    allow_rejected: bool = False


Load = Append | Upsert | Replace


class Schedule(_Part, frozen=True):
    """Either `every_seconds`, or `cron`: five fields, as in crontab(5)."""

    every_seconds: Annotated[float, Meta(ge=1)] | None = None
    cron: str = ""
    time_zone: str = "UTC"


class RunLimits(_Part, frozen=True):
    """Of one run. `bytes` as received and again after decompression."""

    bytes: Positive = 2_000_000_000
    rows: Positive = 10_000_000
    pages: Positive = 10_000
    seconds: Seconds = 3600.0


class Definition(_Part, frozen=True):
    version: Literal[1]
    extract: Extract
    load: Load
    decode: Decode = Decode()
    normalize: Normalize | None = None
    map: list[Field] = []
    filter: Filter | None = None
    dedupe: Dedupe | None = None
    schedule: Schedule | None = None
    limits: RunLimits = RunLimits()
    alert_after_failures: Positive = 3
