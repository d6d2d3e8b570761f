"""What a column seems to be.

all_null         no row has a value
constant         all values are the same
unique           no value is there twice, no row without one; all rows were looked at
likely_key       the same as far as was looked at, and of a type that keys are of
likely_time      times, or texts or whole numbers (seconds to nanoseconds since 1970) that can be read as such
likely_number    texts that can all be read as numbers
likely_category  few values, each there many times
"""

from collections.abc import Iterator

from datasets.kinds.profiling import disguise
from datasets.kinds.profiling.field import NUMBER, OTHER, TEXT, TIME
from datasets.kinds.profiling.overview import Overview

LEAST_MOMENT, GREATEST_MOMENT = 946_684_800, 4_102_444_800
"""The years 2000 to 2100, in seconds."""
UNITS_A_SECOND = (1, 1_000, 1_000_000, 1_000_000_000)
MOST_CATEGORIES = 100
LEAST_ROWS_A_CATEGORY = 10


def of(one: Overview, rows: int, distinct: int, unique: bool, exact: bool) -> list[str]:
    """`unique`: no value was found twice; `exact`: all were looked at."""
    if not one.there:
        return ["all_null"] if rows else []
    return list(_hints(one, distinct, unique and one.there == rows > 1, exact))


def _hints(one: Overview, distinct: int, unique: bool, exact: bool) -> Iterator[str]:
    keyed = one.field.kind in (TEXT, OTHER) or one.field.whole
    if distinct == 1:
        yield "constant"
    if unique and exact:
        yield "unique"
    if unique and keyed:
        yield "likely_key"
    if _is_time(one):
        yield "likely_time"
    if disguise.of(one) == NUMBER and not disguise.failures(one):
        yield "likely_number"
    if keyed and 1 < distinct <= MOST_CATEGORIES and one.there >= LEAST_ROWS_A_CATEGORY * distinct:
        yield "likely_category"


def _is_time(one: Overview) -> bool:
    if one.field.kind == TIME or disguise.of(one) == TIME:
        return True
    return one.field.whole and any(
        LEAST_MOMENT * unit <= one.least and one.greatest <= GREATEST_MOMENT * unit for unit in UNITS_A_SECOND
    )
