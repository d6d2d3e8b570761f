"""What a snapshot is: Parquet files in a folder of their own, and `snapshot.json`, written last, that describes them.

Columns of events: `id`, `stream`, `type`, `key`, `time`, `received_at`, and `payload.<path>` for each member of the
payloads. Of records: `key`, `source`, `created_at`, `updated_at`, `starts_at`, `ends_at`, and `value.<path>`. Of a
file: its own. Nothing of Django is imported here: the processes of analyses read snapshots, too.
"""

from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

FILE = "snapshot.json"


class Column(Struct, frozen=True):
    """`type` as DuckDB calls it."""

    name: str
    type: str


class Snapshot(Struct, frozen=True):
    """`id` is the same for the same data of the same definition. `time_column`: the one that time goes by, or "".

    `bytes` of the Parquet files. `notes`: sentences on what is not as in the data, such as members left out.
    """

    id: str
    dataset: int
    dataset_name: str
    dataset_version: int
    kind: str
    taken_at: datetime
    starts_at: datetime | None
    ends_at: datetime | None
    rows: int
    bytes: int
    columns: list[Column]
    time_column: str
    rejected: int = 0
    notes: list[str] = []


def read(folder: Path) -> Snapshot:
    """Raises FileNotFoundError for a folder that is no whole snapshot."""
    return msgspec.json.decode((folder / FILE).read_bytes(), type=Snapshot)


def whole(folder: Path) -> Snapshot | None:
    """None for a folder that is not there, or lacks something."""
    try:
        described = read(folder)
        return described if sum(part.stat().st_size for part in parts(folder)) == described.bytes else None
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None


def write(folder: Path, snapshot: Snapshot) -> None:
    (folder / FILE).write_bytes(msgspec.json.encode(snapshot))


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"))
