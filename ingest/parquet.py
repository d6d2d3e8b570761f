"""Parquet, made while it is sent: each group of rows is written, and forgotten, as soon as it is full.

pyarrow is loaded with the first file: processes that make none spare its memory.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ingest.columns import Kind

if TYPE_CHECKING:
    from pyarrow import Array, DataType, RecordBatch

ROWS_A_GROUP = 100_000
BYTES_A_GROUP = 16 << 20
"""What readers like: large enough to be compressed well, and few in the index at the end of the file, which is kept in
memory until then."""


class ParquetWriter:
    """Rows go in, the bytes of the file come out. Texts of the kind "json" are marked as such: DuckDB takes them so."""

    def __init__(self, columns: Sequence[tuple[str, Kind]]) -> None:
        import pyarrow
        from pyarrow import parquet

        self._schema = pyarrow.schema([(name, _type(kind)) for name, kind in columns])
        self._sink = _Sink()
        documents = {name for name, kind in columns if kind == "json"}
        self._writer = parquet.ParquetWriter(
            self._sink,
            self._schema,
            compression="zstd",
            use_dictionary=[name for name, kind in columns if kind == "text"],
            write_statistics=[name for name, _ in columns if name not in documents],
        )
        self._batches: list[RecordBatch] = []

    def add(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """Of each row a value for each column, as `ingest.columns` has them; what of the file is ready, if anything."""
        import pyarrow

        if rows:
            arrays = [
                _array(values, field.type) for values, field in zip(zip(*rows, strict=True), self._schema, strict=True)
            ]
            self._batches.append(pyarrow.RecordBatch.from_arrays(arrays, schema=self._schema))
        if self._rows >= ROWS_A_GROUP or sum(batch.nbytes for batch in self._batches) >= BYTES_A_GROUP:
            self._write()
        return self._sink.take()

    def close(self) -> bytes:
        """The rest of the file, without which none of it can be read."""
        if self._batches:
            self._write()
        self._writer.close()
        return self._sink.take()

    @property
    def _rows(self) -> int:
        return sum(map(len, self._batches))

    def _write(self) -> None:
        import pyarrow

        group = pyarrow.Table.from_batches(self._batches, self._schema)
        self._writer.write_table(group, row_group_size=self._rows)
        self._batches.clear()


class _Sink:
    """A file as pyarrow writes it, of which the bytes are taken out again."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        self._size += len(self._pieces[-1])
        return len(self._pieces[-1])

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True


def _array(values: Sequence[Any], type: "DataType") -> "Array":
    import pyarrow

    if pyarrow.types.is_timestamp(type):
        return pyarrow.array(values, pyarrow.string()).cast(type)
    return pyarrow.array(values, type)


def _type(kind: Kind) -> "DataType":
    import pyarrow

    types = {
        "text": pyarrow.string(),
        "json": pyarrow.json_(),
        "time": pyarrow.timestamp("us", tz="UTC"),
        "integer": pyarrow.int64(),
    }
    return types[kind]
