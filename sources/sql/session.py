"""A database, connected for one run."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from threading import Event
from typing import Any, Protocol

import psycopg
import pymysql
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from sources.address import Address
from sources.errors import Cancelled, LimitExceeded, SourceError, Unreachable
from sources.sql import mysql, postgresql, sqlite
from sources.sql.line import Line
from sources.sql.place import Server, Uploaded
from sources.sql.refusals import refusal

GRACE_SECONDS = 5  # in which the server says itself that a statement took too long
DRIVER_ERRORS = (sa.exc.DBAPIError, psycopg.Error, pymysql.err.MySQLError, UnicodeDecodeError, RuntimeError)


DEADLINE_TOLERANCE_SECONDS = 0.1  # the server's clock started later than ours


class AddressGuard(Protocol):
    def resolve(self, host: str, port: int) -> list[Address]: ...


class Session:
    """Give up with `abandon`, else rows that nobody reads are fetched to the end."""

    def __init__(
        self, place: Server | Uploaded, password: str, seconds: float, deadline: float, ended: Event | None = None
    ) -> None:
        self._ended = ended or Event()
        self.place = place
        self.connection: sa.Connection | None = None
        self.bindable: Callable[[Any], Any] = lambda value: value
        self.nulls_first = False
        self.line = Line(self._ended)
        self.abandon: Callable[[], object] = lambda: None
        self._result: sa.CursorResult[Any] | None = None
        self._password = password
        self._seconds = seconds
        self._grace_seconds = 0
        self._deadline = deadline

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Around each call to the driver: errors become those of sources, silence ends. Raises Cancelled."""
        try:
            with self.line.limited(self._seconds + self._grace_seconds, self._deadline):
                yield
        except DRIVER_ERRORS as error:
            if self._ended.is_set():
                raise Cancelled from None
            raise self._refusal(error) from None

    def _refusal(self, error: BaseException) -> SourceError:
        cause = getattr(error, "orig", None) or error
        timed_out = self.line.was_cut or isinstance(cause, psycopg.errors.QueryCanceled) or "(timed out)" in str(cause)
        if timed_out and self.run_left() < DEADLINE_TOLERANCE_SECONDS:
            return LimitExceeded(
                "The run took longer than it may: raise limits.seconds, or let the source ask for less.",
                "too_many_seconds",
            )
        if timed_out:
            return LimitExceeded(
                f"There was no answer from {self.place} within {self._seconds:g} s: raise statement_timeout_seconds,"
                " or ask for less.",
                "statement_timeout",
            )
        return refusal(cause, self.place, self._password)

    def left(self) -> float:
        return max(0.001, min(self._seconds, self._deadline - time.monotonic()))

    def run_left(self) -> float:
        return max(0.001, self._deadline - time.monotonic())

    def execute(self, statement: sa.Executable) -> "sa.CursorResult[Any]":
        """Rows that the server sends as they are fetched. Once."""
        if self.connection is None:
            raise ValueError("not connected")
        with self.answering():
            self._result = self.connection.execute(statement, execution_options={"stream_results": True})
        return self._result

    def connect(self, url: str, creator: Callable[[], Any]) -> sa.Connection:
        engine = sa.create_engine(url, creator=creator, poolclass=NullPool, hide_parameters=True)
        sa.event.listen(engine, "handle_error", _close_cursor)
        self.connection = engine.connect()
        return self.connection

    def use_postgresql(self, server: Server, address: Address) -> None:
        def creator() -> psycopg.Connection[Any]:
            connection = postgresql.connect(server, address, self._password, min(10.0, self.left()))
            self.line.attach_socket(connection.fileno())
            return connection

        self._grace_seconds, self.nulls_first = GRACE_SECONDS, True
        with self.answering():
            connection = self.connect("postgresql+psycopg://", creator)
        self._say(connection, postgresql.session(self.left()))

    def use_mysql(self, server: Server, address: Address) -> None:
        def creator() -> Any:
            return mysql.connect(server, address, self._password, self.left(), self.line.attach_socket)

        with self.answering():
            connection = self.connect("mysql+pymysql://", creator)
        raw: Any = connection.connection.driver_connection
        self.bindable = mysql.bindable
        self._say(connection, mysql.session(self.run_left(), raw.get_server_info()))
        self.abandon = lambda: self._abandon_mysql(server, address, raw)

    def _abandon_mysql(self, server: Server, address: Address, raw: Any) -> None:
        """Its protocol cannot stop in the middle of the rows."""
        self.line.cut()
        mysql.forget_rows(raw)
        with suppress(pymysql.err.MySQLError):
            mysql.kill(mysql.connect(server, address, self._password, GRACE_SECONDS), raw.thread_id())

    def use_sqlite(self, path: str) -> None:
        with self.answering():
            connection = self.connect("sqlite+pysqlite://", lambda: sqlite.connect(path))
        raw: Any = connection.connection.driver_connection
        sqlite.restrict(raw)
        self.line.attach(raw.interrupt)

    def _say(self, connection: sa.Connection, statements: list[str]) -> None:
        with self.answering():
            for statement in statements:
                connection.exec_driver_sql(statement)

    def close(self) -> None:
        """The transaction ends with the connection."""
        with suppress(*DRIVER_ERRORS), ExitStack() as stack:
            stack.callback(self.line.close)
            if self.connection is not None:
                stack.callback(self.connection.close)
            if self._result is not None:
                stack.callback(self._result.close)
            if self.connection is not None:
                stack.callback(self.connection.invalidate)  # first: closing a result would talk to the server


def _close_cursor(context: sa.engine.ExceptionContext) -> None:
    """SQLAlchemy leaves that of a broken connection open."""
    cursor = getattr(context.execution_context, "cursor", None)
    if context.is_disconnect and isinstance(cursor, psycopg.ServerCursor):
        cursor.close()


@contextmanager
def connected(
    place: Server | Uploaded,
    password: str,
    guard: AddressGuard,
    seconds: float,
    deadline: float,
    ended: Event | None = None,
) -> Iterator[Session]:
    """Raises the errors of sources. `seconds`: for each answer. `deadline`: on time.monotonic()."""
    session = Session(place, password, seconds, deadline, ended)
    with ExitStack() as stack:
        stack.enter_context(closing(session))
        if isinstance(place, Uploaded):
            session.use_sqlite(stack.enter_context(sqlite.copied(place.id)))
        else:
            _use_first(session, place, guard.resolve(place.host, place.port))
        try:
            yield session
        except BaseException:
            session.abandon()
            raise


def _use_first(session: Session, server: Server, addresses: list[Address]) -> None:
    """The first address that can be reached."""
    use = session.use_postgresql if server.dialect == "postgresql" else session.use_mysql
    for address in addresses[:-1]:
        with suppress(Unreachable):
            return use(server, address)
    return use(server, addresses[-1])
