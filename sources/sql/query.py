"""The rows that a database gives to a source, and how far they go."""

import time
from collections.abc import Generator, Iterator, Mapping
from threading import Event
from typing import Any, Self

from sources.definition import RunLimits, Sql
from sources.errors import BadDefinition, Cancelled, LimitExceeded
from sources.rows import Row
from sources.sql.place import Uploaded, place_of
from sources.sql.position import Position
from sources.sql.session import AddressGuard, Session, connected
from sources.sql.statement import Window, check_statement, statement
from sources.sql.values import make_row

FIRST_FETCH_ROWS = 100
MOST_FETCH_ROWS = 2000
FETCH_BYTES = 4_000_000


class Query(Iterator[Row]):
    """Connects when the first row is asked for, and reads on as rows are taken: memory stays flat.

    Close it when not all rows are taken. Raises the errors of sources. Rows are counted by who asks for them.
    """

    def __init__(
        self,
        spec: Sql,
        *,
        secrets: Mapping[str, str],
        state: Mapping[str, Any],
        limits: RunLimits,
        guard: AddressGuard,
        deadline: float,
        window: Window | None = None,
        most_rows: int | None = None,
        ended: Event | None = None,
    ) -> None:
        """`ended`: set when the run shall end; Cancelled follows soon."""
        check_statement(spec)
        self.columns: list[str] = []
        self.rows = 0
        self.bytes = 0
        self._spec = spec
        self._place = place_of(spec.url)
        self._password = _password(spec, secrets)
        self._limits = limits
        self._guard = guard
        self._deadline = deadline
        self._ended = ended or Event()
        self._window = window
        self._most_rows = most_rows
        self._state = dict(state)
        self._position = (
            Position(spec.cursor_column, state, spec.lookback_seconds) if spec.cursor_column and not window else None
        )
        self._iterator = self._read()

    def __next__(self) -> Row:
        return next(self._iterator)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._iterator.close()

    @property
    def state(self) -> dict[str, Any]:
        """What the next run goes on from, after the rows taken so far. A window does not change it."""
        return self._state | self._position.state() if self._position else self._state

    def _read(self) -> Generator[Row, None, None]:
        seconds = self._spec.statement_timeout_seconds
        with connected(self._place, self._password, self._guard, seconds, self._deadline, self._ended) as session:
            asked = statement(
                self._spec,
                self._position.start() if self._position else None,
                self._window,
                self._most_rows,
                session.nulls_first,
                session.bindable,
            )
            result = session.execute(asked)
            self.columns = list(result.keys())
            yield from self._rows_of(session, result)

    def _rows_of(self, session: Session, result: Any) -> Generator[Row, None, None]:
        row_of = make_row(self.columns)
        name = self._cursor_name()
        position = self._position
        size = FIRST_FETCH_ROWS
        while True:
            self._check_time()
            with session.answering():
                part = result.fetchmany(size)
            if not part:
                return
            for values in part:
                row, row_bytes = row_of(values)
                self.bytes += row_bytes
                self.rows += 1
                if position is None or position.take(row[name], values):
                    yield row
            self._check_size()
            size = max(1, min(MOST_FETCH_ROWS, FETCH_BYTES * self.rows // (self.bytes + 1)))

    def _cursor_name(self) -> str:
        """As the database spells it."""
        asked = self._spec.cursor_column
        if asked is None or self._position is None or asked in self.columns:
            return asked or ""
        for name in self.columns:
            if name.casefold() == asked.casefold():
                return name
        raise BadDefinition(f"There is no column {asked!r} for cursor_column: there are {', '.join(self.columns)}.")

    def _check_time(self) -> None:
        if self._ended.is_set():
            raise Cancelled
        if time.monotonic() >= self._deadline:
            raise LimitExceeded(
                "The run took longer than it may: raise limits.seconds, or let the source ask for less.",
                "too_many_seconds",
            )

    def _check_size(self) -> None:
        if self.bytes > self._limits.bytes:
            raise LimitExceeded(
                f"The rows have more than {self._limits.bytes} bytes: raise limits.bytes, or ask for less.",
                "too_many_bytes",
            )


def _password(spec: Sql, secrets: Mapping[str, str]) -> str:
    if spec.secret is None or isinstance(place_of(spec.url), Uploaded):
        return ""
    if spec.secret not in secrets:
        raise BadDefinition(f"The source has no secret {spec.secret!r}: set it, or leave it out of the definition.")
    return secrets[spec.secret]
