"""What the process that takes a snapshot is asked for. Web processes and workers import this, and so no DuckDB."""

from msgspec import Struct

from datasets.engine.files import File
from datasets.engine.selected_rows import Query
from datasets.snapshot import Snapshot


class Extraction(Struct, frozen=True):
    """`snapshot` as it is known before: without rows and columns. `folder` exists and is empty.

    `temp`: a folder to spill into. `memory_bytes`: of DuckDB. `most_bytes`: of the Parquet files.
    """

    snapshot: Snapshot
    folder: str
    temp: str
    memory_bytes: int
    threads: int
    most_bytes: int
    query: Query | None = None
    file: File | None = None
