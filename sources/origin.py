"""Where the rows of a run come from: a web API, a database or an uploaded file, looked at in one way."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

from sources import decode, uploads
from sources.address import Guard
from sources.cursor import Highest
from sources.definition import Definition, File, Http, RunLimits, Sql
from sources.errors import LimitExceeded, RowRejected
from sources.http.cursors import Window, Within
from sources.http.fetcher import Surroundings
from sources.http.pages import Pages
from sources.models import Run
from sources.rows import Item, Rejected, Row
from sources.tally import Tally

if TYPE_CHECKING:
    from sources.sql import Query


class Origin(ABC):
    """`pages` (whole ones) and `statuses` (answers by HTTP status): what was received so far."""

    def __init__(self, limits: RunLimits) -> None:
        self.pages = 0
        self.statuses: Counter[str] = Counter()
        self._limits = limits

    @property
    @abstractmethod
    def bytes(self) -> int:
        """Received so far."""

    def items(self) -> Iterator[Item]:
        """Every row, once.

        Raises SourceError, NotModified, TryLater or Cancelled; LimitExceeded in place of the first row too many.
        """
        most = self._limits.rows
        for number, item in enumerate(self._received(), 1):
            if number > most:
                raise LimitExceeded(
                    f"There are more than {most:,} rows: raise limits.rows, or ask for less.", "too_many_rows"
                )
            yield item

    @abstractmethod
    def _received(self) -> Iterator[Item]:
        """All that comes, rejected or not."""

    def look(self, row: Row) -> None:  # noqa: B027 most need not
        """Is shown every decoded row."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What the next run goes on from, once all items were seen."""


class HttpOrigin(Origin):
    """`received` is set once connections may be made. Counts rows that a backfill did not ask for in `tally`."""

    received: Pages

    def __init__(
        self, definition: Definition, spec: Http, state: Mapping[str, Any], window: Window | None, tally: Tally
    ) -> None:
        super().__init__(definition.limits)
        self._decode = definition.decode
        self._highest = Highest(spec.cursor.field, state.get("cursor")) if spec.cursor else None
        self._within = Within(spec.cursor.field, window) if spec.cursor and window else None
        self._tally = tally

    @property
    def bytes(self) -> int:
        return self.received.budget.received_bytes

    def items(self) -> Iterator[Item]:
        found = super().items()
        return found if self._within is None else self._inside(found, self._within)

    def _inside(self, items: Iterator[Item], within: Within) -> Iterator[Item]:
        for item in items:
            try:
                if isinstance(item, Rejected) or within(item):
                    yield item
                else:
                    self._tally.counts["outside_window"] += 1
            except RowRejected as rejection:
                yield Rejected("window", rejection.code, f"extract.cursor.field: {rejection}", item)

    def _received(self) -> Iterator[Item]:
        rows = 0
        while (body := self.received.next(rows)) is not None:
            self.pages += 1
            rows = 0
            for rows, item in enumerate(decode.rows(body, self._decode, self._limits), 1):  # noqa: B007
                yield item

    def note_request(self, url: str, status: int, size: int, seconds: float) -> None:
        self.statuses[str(status)] += 1

    def look(self, row: Row) -> None:
        if self._highest is not None:
            self._highest.look(row)

    def state(self) -> dict[str, Any]:
        cursor = {"cursor": self._highest.value} if self._highest and self._highest.value is not None else {}
        return {**self.received.state(), **cursor}


class SqlOrigin(Origin):
    def __init__(self, query: "Query", limits: RunLimits) -> None:
        super().__init__(limits)
        self._query = query

    @property
    def bytes(self) -> int:
        return self._query.bytes

    def _received(self) -> Iterator[Item]:
        yield from self._query

    def state(self) -> dict[str, Any]:
        return self._query.state


class FileOrigin(Origin):
    def __init__(self, definition: Definition, spec: File) -> None:
        super().__init__(definition.limits)
        self._decode = definition.decode
        self._body = uploads.open_body(spec.upload)
        self._read_bytes = 0

    @property
    def bytes(self) -> int:
        return self._read_bytes

    def _received(self) -> Iterator[Item]:
        self.pages = 1
        yield from decode.rows(self._body, self._decode, self._limits)
        self._read_bytes = self._body.file.tell()

    def state(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        self._body.file.close()


@contextmanager
def open_origin(
    definition: Definition,
    run: Run,
    secrets: Mapping[str, str],
    deadline: float,
    ended: Event | None = None,
    tally: Tally | None = None,
) -> Iterator[Origin]:
    """Closed at the end, with all its connections and temporary files. Raises SourceError.

    Once `ended` is set, whatever waits for the other side soon raises Cancelled. `tally` counts what lies outside the
    run's window.
    """
    spec, ended = definition.extract, ended or Event()
    window = (run.window_start, run.window_end) if run.window_start and run.window_end else None
    if isinstance(spec, File):
        with closing(FileOrigin(definition, spec)) as file:
            yield file
    elif isinstance(spec, Sql):
        from sources.sql import Query  # brings SQLAlchemy: 15 MB that most workers never need

        with Query(
            spec,
            secrets=secrets,
            state=run.state_before,
            limits=definition.limits,
            guard=Guard.from_settings(),
            deadline=deadline,
            window=window,
            ended=ended,
        ) as query:
            yield SqlOrigin(query, definition.limits)
    else:
        origin = HttpOrigin(definition, spec, run.state_before, window, tally or Tally())
        with Pages(
            spec,
            limits=definition.limits,
            secrets=secrets,
            state=run.state_before,
            guard=Guard.from_settings(),
            deadline=deadline,
            on_request=origin.note_request,
            source=str(run.source_id),
            window=window,
            surroundings=Surroundings(sleep=ended.wait, ended=ended),
        ) as origin.received:
            yield origin
