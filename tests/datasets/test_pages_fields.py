"""The parameters of any kind of analysis as fields of a form."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from datasets.fields import Field, form

COLUMNS = [
    {"name": "received_at", "type": "TIMESTAMP WITH TIME ZONE"},
    {"name": "payload.n", "type": "BIGINT"},
    {"name": "payload.x", "type": "DOUBLE"},
    {"name": "site", "type": "VARCHAR"},
]


Moment = Annotated[datetime, Meta(tz=True)]


class Window(Struct):
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class Mixed(Struct):
    starts_at: Moment
    name: str


class Common(Struct):
    """`group_column`: of all."""

    group_column: str | None = None


class Parameters(Common, kw_only=True):
    """`bins`: into
    how many parts.
    """

    metric: str
    sql: str
    metrics: list[str] | None = None
    columns: list[str] | None = None
    time_column: str | None = None
    other: int | None = None
    bucket: Annotated[str | None, Meta(description="Such as 5m.")] = None
    bins: Annotated[int, Meta(ge=2, le=50)] = 10
    share: float = 0.5
    exact: bool = False
    how: Literal["a", "b"] = "a"
    window: Window | None = None
    mixed: Mixed | None = None
    since: Moment | None = None
    quantiles: list[float] = []


def found() -> dict[str, Field]:
    made = form(Parameters, COLUMNS, [("7", "the other one")])
    assert made.about == "group_column: of all. bins: into how many parts."
    names = [field.name for field in made.fields]
    assert names[:4] == ["metric", "sql", "metrics", "other"]
    assert set(names) == set(Parameters.__struct_fields__)
    return {field.name: field for field in made.fields}


def choices(field: Field) -> list[str]:
    return [value for value, _ in field.choices]


def test_columns_are_offered_where_one_is_asked_for() -> None:
    made = found()
    assert choices(made["metric"]) == choices(made["metrics"]) == ["payload.n", "payload.x"]
    assert choices(made["time_column"]) == ["received_at"]
    assert choices(made["columns"]) == choices(made["group_column"]) == [one["name"] for one in COLUMNS]
    assert [made[name].control for name in ("metric", "metrics", "columns")] == ["select", "several", "several"]


def test_each_type_has_its_control() -> None:
    shown = {name: (field.control, field.type) for name, field in found().items()}
    expected: dict[str, Any] = {
        "sql": ("area", "string"),
        "other": ("select", "integer"),
        "bucket": ("text", "string"),
        "bins": ("number", "integer"),
        "share": ("number", "number"),
        "exact": ("checkbox", "boolean"),
        "how": ("select", "string"),
        "window": ("times", "times"),
        "mixed": ("json", "json"),
        "since": ("time", "time"),
        "quantiles": ("json", "json"),
    }
    assert {name: shown[name] for name in expected} == expected


def test_limits_defaults_and_help_are_those_of_the_kind() -> None:
    made = found()
    assert (made["bins"].low, made["bins"].high, made["bins"].default) == (2, 50, 10)
    assert made["bucket"].help == "Such as 5m."
    assert [name for name, field in made.items() if field.is_required] == ["metric", "sql"]
    assert choices(made["how"]) == ["a", "b"]
    assert made["window"].members == [("starts_at", "Starts at"), ("ends_at", "Ends at")]
    assert made["other"].choices == [("7", "the other one")]
