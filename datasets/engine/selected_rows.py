"""Rows out of PostgreSQL, as Arrow has them: streamed by COPY in its binary format, which no Python touches."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from datasets.errors import SnapshotFailed, TimeLimitExceeded

if TYPE_CHECKING:
    import pyarrow

CHUNK_ROWS = 245_760
CHUNK_BYTES = 48 << 20
BATCH_BYTES = 1 << 20
CHECK_MILLISECONDS = 5000
UNKNOWN_ROWS = 1_000_000


class Query(Struct, frozen=True):
    """`sql` is complete, and its columns are of plain types, but for the jsonb `text`.

    The column `<named>_id` is shown as `named`, by `names`. `times`: columns of times; the first that most rows have is
    the one that time goes by. `expected`: rows, at most, or 0 where that is not known.
    """

    dsn: str
    sql: str
    text: str
    named: str
    names: dict[int, str]
    times: list[str]
    expected: int
    seconds: float

    def share(self, rows: int) -> float:
        """How much of it so many rows are; half of what is left, and so on, where that is not known."""
        return rows / max(rows, self.expected) if self.expected else rows / (rows + UNKNOWN_ROWS)


def chunks(query: Query) -> Iterator["pyarrow.Table"]:
    """At least one, which may have no rows. Raises SnapshotFailed, TimeLimitExceeded."""
    import pyarrow
    from adbc_driver_postgresql import StatementOptions, dbapi

    with _refusals(query), dbapi.connect(query.dsn, autocommit=False) as connection, connection.cursor() as cursor:
        for setting in _settings(query):
            cursor.execute(setting)
        cursor.adbc_statement.set_options(**{StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(BATCH_BYTES)})
        cursor.execute(query.sql)
        reader = cursor.fetch_record_batch()
        for batches in _gathered(reader):
            yield _with_names(pyarrow.Table.from_batches(batches, reader.schema), query)


def _settings(query: Query) -> Iterator[str]:
    """The transaction's. The server notices within seconds when we are gone, also while it finds nothing to send."""
    yield "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    yield f"SET LOCAL statement_timeout = {max(1, round(query.seconds * 1000))}"
    yield f"SET LOCAL client_connection_check_interval = {CHECK_MILLISECONDS}"
    yield "SET LOCAL TimeZone = 'UTC'"


def _gathered(reader: "pyarrow.RecordBatchReader") -> Iterator[list["pyarrow.RecordBatch"]]:
    batches: list[pyarrow.RecordBatch] = []
    rows = size = sent = 0
    for batch in reader:
        batches.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if rows >= CHUNK_ROWS or size >= CHUNK_BYTES:
            yield batches
            batches, rows, size, sent = [], 0, 0, sent + 1
    if batches or not sent:
        yield batches


def _with_names(chunk: "pyarrow.Table", query: Query) -> "pyarrow.Table":
    import pyarrow
    from pyarrow import compute

    place = chunk.column_names.index(f"{query.named}_id")
    ids = pyarrow.array(list(query.names), pyarrow.int64())
    indices = compute.index_in(chunk.column(place).combine_chunks(), value_set=ids)
    names = pyarrow.DictionaryArray.from_arrays(indices, pyarrow.array(list(query.names.values()), pyarrow.utf8()))
    return chunk.set_column(place, query.named, names)


@contextmanager
def _refusals(query: Query) -> Iterator[None]:
    """Refused at once, it is an Error; later, while rows come, pyarrow makes an OSError of it."""
    from adbc_driver_manager import Error

    try:
        yield
    except (Error, OSError) as error:
        message = str(error).strip().partition("\n")[0]
        if "statement timeout" in message:
            raise TimeLimitExceeded(
                f"Reading the rows took longer than {query.seconds:g} seconds: select less of them."
            ) from error
        if "connection to server" in message:  # it would tell where the server is, and who we are there
            raise SnapshotFailed("PostgreSQL does not answer: try again later.") from error
        raise SnapshotFailed(f"The rows cannot be read out of PostgreSQL: {message}") from error
