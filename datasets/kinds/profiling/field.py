"""A column as analyses see it: what it is taken for, and what SQL calls it.

`projected` gives every column names that need no quotes: `c0` is the value and, of numbers and times, `n0` the same as
DOUBLE, NULL where it is not finite. Times are seconds since 1970.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from datasets.engine.table import Table, quoted
from datasets.errors import Refused

NUMBER, TIME, TEXT, BOOLEAN, OTHER = "number", "time", "text", "boolean", "other"
FRACTIONS = ("FLOAT", "DOUBLE")

_INTEGERS = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")}
_KINDS = {**dict.fromkeys({*_INTEGERS, "INTEGER", "UINTEGER", *FRACTIONS}, NUMBER), "DATE": TIME, "BOOLEAN": BOOLEAN}
_KINDS |= {"VARCHAR": TEXT, "JSON": TEXT}


def kind_of(type: str) -> str:
    """What a column of DuckDB's type is taken for."""
    if type.startswith("TIMESTAMP"):
        return TIME
    return NUMBER if type.startswith("DECIMAL") else _KINDS.get(type, OTHER)


@dataclass(frozen=True)
class Field:
    position: int
    name: str
    type: str

    @property
    def kind(self) -> str:
        return kind_of(self.type)

    @property
    def value(self) -> str:
        return f"c{self.position}"

    @property
    def number(self) -> str:
        return f"n{self.position}"

    @property
    def measured(self) -> bool:
        """Whether it has `number`."""
        return self.kind in (NUMBER, TIME)

    @property
    def whole(self) -> bool:
        """Whether its numbers are integers."""
        return self.kind == NUMBER and self.type not in FRACTIONS and not self.type.startswith("DECIMAL")

    @property
    def unit(self) -> float | None:
        """What its values are multiples of: 1 for integers, the seconds of a day for dates."""
        return 86_400.0 if self.type == "DATE" else 1.0 if self.whole else None


def of(table: Table, names: Sequence[str] | None = None) -> list[Field]:
    """Those columns, or all. Raises Refused for a name that is not there."""
    known = {column.name for column in table.columns}
    for name in names or ():
        if name not in known:
            raise Refused(f"There is no column {name!r}. There are {', '.join(sorted(known)[:20])}.")
    columns = (column for column in table.columns if names is None or column.name in names)
    return [Field(position, column.name, column.type) for position, column in enumerate(columns)]


def projected(source: str, fields: Iterable[Field]) -> str:
    """A relation of these columns."""
    columns = [sql for field in fields for sql in _columns(field)]
    return f"(SELECT {', '.join(columns) or '1 AS nothing'} FROM {source})"


def constant(value: float) -> str:
    """Just this value in SQL, infinity too: digits alone would be a DECIMAL."""
    return f"'{value!r}'::DOUBLE"


def _columns(field: Field) -> list[str]:
    name = quoted(field.name)
    value = f"{value_of(field, name)} AS {field.value}"
    return [value, f"{_number(field, name)} AS {field.number}"] if field.measured else [value]


def value_of(field: Field, name: str) -> str:
    """Texts within JSON are unpacked, null within JSON is NULL; what DuckDB nests is text."""
    if field.type == "JSON":
        return f"({name} ->> '$')"
    return f"CAST({name} AS VARCHAR)" if field.kind == OTHER and field.type != "UUID" else name


def _number(field: Field, name: str) -> str:
    if field.kind == TIME:
        return f"CASE WHEN isfinite({name}) THEN epoch({name}) END"
    if field.type in FRACTIONS:
        return f"CASE WHEN isfinite({name}) THEN CAST({name} AS DOUBLE) END"
    return f"CAST({name} AS DOUBLE)"
