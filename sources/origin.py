"""Where the rows of a run come from: a web API, a database or an uploaded file, looked at in one way."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from sources import decode, uploads
from sources.address import Guard
from sources.cursor import Highest
from sources.definition import Definition, File, Http, Sql
from sources.errors import LimitExceeded
from sources.http.fetcher import Surroundings
from sources.http.pages import Pages
from sources.models import Run
from sources.rows import Item, Row

if TYPE_CHECKING:
    from sources.sql import Query


class Origin(Protocol):
    """`bytes`, `pages` (whole ones) and `statuses` (answers by HTTP status): what was received so far."""

    pages: int
    statuses: Counter[str]

    @property
    def bytes(self) -> int: ...

    def items(self) -> Iterator[Item]:
        """Every row, once. Raises SourceError, NotModified, TryLater or Cancelled."""

    def look(self, row: Row) -> None:
        """Is shown every decoded row."""

    def state(self) -> dict[str, Any]:
        """What the next run goes on from, once all items were seen."""


class HttpOrigin:
    """`received` is set once connections may be made."""

    received: Pages

    def __init__(self, definition: Definition, spec: Http, state: Mapping[str, Any]) -> None:
        self._definition = definition
        self._highest = Highest(spec.cursor.field, state.get("cursor")) if spec.cursor else None
        self.pages = 0
        self.statuses: Counter[str] = Counter()

    @property
    def bytes(self) -> int:
        return self.received.budget.received_bytes

    def items(self) -> Iterator[Item]:
        rows = all_rows = 0
        limits = self._definition.limits
        while (body := self.received.next(rows)) is not None:
            self.pages += 1
            rows = 0
            for item in decode.rows(body, self._definition.decode, limits):
                rows += 1
                yield item
            all_rows += rows
            if all_rows > limits.rows:
                raise LimitExceeded(f"More than {limits.rows:,} rows: raise limits.rows, or ask for less.")

    def note_request(self, url: str, status: int, size: int, seconds: float) -> None:
        self.statuses[str(status)] += 1

    def look(self, row: Row) -> None:
        if self._highest is not None:
            self._highest.look(row)

    def state(self) -> dict[str, Any]:
        cursor = {"cursor": self._highest.value} if self._highest and self._highest.value is not None else {}
        return {**self.received.state(), **cursor}


class SqlOrigin:
    def __init__(self, query: "Query") -> None:
        self._query = query
        self.pages = 0
        self.statuses: Counter[str] = Counter()

    @property
    def bytes(self) -> int:
        return self._query.bytes

    def items(self) -> Iterator[Item]:
        yield from self._query

    def look(self, row: Row) -> None:
        pass

    def state(self) -> dict[str, Any]:
        return self._query.state


class FileOrigin:
    def __init__(self, definition: Definition, spec: File) -> None:
        self._definition = definition
        self._body = uploads.open_body(spec.upload)
        self.bytes = self.pages = 0
        self.statuses: Counter[str] = Counter()

    def items(self) -> Iterator[Item]:
        self.pages = 1
        yield from decode.rows(self._body, self._definition.decode, self._definition.limits)
        self.bytes = self._body.file.tell()

    def look(self, row: Row) -> None:
        pass

    def state(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        self._body.file.close()


@contextmanager
def open_origin(
    definition: Definition, run: Run, secrets: Mapping[str, str], deadline: float, ended: Event | None = None
) -> Iterator[Origin]:
    """Closed at the end, with all its connections and temporary files. Raises SourceError.

    Once `ended` is set, whatever waits for the other side soon raises Cancelled.
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
            yield SqlOrigin(query)
    else:
        origin = HttpOrigin(definition, spec, run.state_before)
        with Pages(
            spec,
            limits=definition.limits,
            secrets=secrets,
            state=run.state_before,
            guard=Guard.from_settings(),
            deadline=deadline,
            on_request=origin.note_request,
            source=str(run.source_id),
            window=(window[0].isoformat(), window[1].isoformat()) if window else None,
            surroundings=Surroundings(sleep=ended.wait, ended=ended),
        ) as origin.received:
            yield origin
