"""Whether a source's database can be read."""

from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

from sources.definition import RunLimits, Sql
from sources.rows import Row
from sources.sql.place import place_of
from sources.sql.query import Query
from sources.sql.session import AddressGuard
from sources.sql.statement import check_statement


class Checked(NamedTuple):
    """The columns, and the first rows."""

    columns: list[str]
    rows: list[Row]


def check(
    spec: Sql, *, secrets: Mapping[str, str], guard: AddressGuard, deadline: float, most_rows: int = 5
) -> Checked:
    """Connect and read a few rows, as a first run would. Raises the errors of sources."""
    query = Query(
        spec,
        secrets=secrets,
        state={},
        limits=RunLimits(),
        guard=guard,
        deadline=deadline,
        most_rows=most_rows,
    )
    with query:
        found = list(islice(query, most_rows))
        return Checked(query.columns, found)


def check_definition(spec: Sql) -> None:
    """Raises BadDefinition for what can be seen without the database."""
    place_of(spec.url)
    check_statement(spec)
