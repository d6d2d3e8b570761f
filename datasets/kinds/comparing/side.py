"""One of the two that are compared: a table, or the rows of it that are of a stretch of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from datasets.engine.table import Table, literal, quoted
from datasets.errors import Refused
from datasets.kinds.compare import Window
from datasets.kinds.profiling import field, overview, quantiles
from datasets.kinds.profiling.field import TIME
from datasets.kinds.profiling.overview import Overview


@dataclass(frozen=True)
class Side:
    """`source` is a relation of SQL."""

    table: Table
    source: str
    rows: int

    @classmethod
    def of(cls, table: Table, window: Window | None) -> "Side":
        """Raises Refused where there is a window and no column of time."""
        source = table.name if window is None else _windowed(table, window)
        [rows] = table.row(f"SELECT count(*) FROM {source}")
        return cls(table, source, rows)

    def seen(self, names: Sequence[str]) -> list[Overview]:
        """In the order of the names."""
        fields = {one.name: one for one in field.of(self.table, names)}
        exact = self.rows <= quantiles.MOST_EXACT_ROWS
        return overview.take(self.table, self.source, [fields[name] for name in names], exact)


def _windowed(table: Table, window: Window) -> str:
    name = table.snapshot.time_column
    kinds = {one.name: one for one in field.of(table) if one.kind == TIME}
    if name not in kinds:
        raise Refused(f"Dataset {table.snapshot.dataset_name!r} has no column that time goes by: leave out its window.")
    bounds = [(">=", window.starts_at), ("<", window.ends_at)]
    moments = [f"{quoted(name)} {sign} {_moment(at, kinds[name].type)}" for sign, at in bounds if at is not None]
    return f"(SELECT * FROM {table.name} WHERE {' AND '.join(moments) or 'true'})"


def _moment(at: datetime, kind: str) -> str:
    """Times without a zone are taken for UTC."""
    utc = at.astimezone(UTC)
    if "ZONE" in kind:
        return f"CAST({literal(utc.isoformat())} AS TIMESTAMPTZ)"
    return f"CAST({literal(utc.replace(tzinfo=None).isoformat())} AS TIMESTAMP)"
