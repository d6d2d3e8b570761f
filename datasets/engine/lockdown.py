"""A connection for SQL of users: it reads the one snapshot, and cannot be set free again.

One wall of several. `statement` lets nothing through but reading; `confinement` asks the kernel to refuse what neither
should have let through; and the process knows no secret and ends at its limits of memory and time.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from datasets import snapshot
from datasets.engine.table import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_TEMP_BYTES = 2 << 30
"""What a query may put aside on disk when memory does not do."""


def lock(connection: "DuckDBPyConnection", folder: Path) -> None:
    """From now on no file can be opened but those of this snapshot, no extension loaded, no option changed.

    DuckDB would write to the allowed files, too, if it were told to.
    """
    files = ", ".join(literal(str(part)) for part in snapshot.parts(folder))
    for option in (
        f"max_temp_directory_size = '{MOST_TEMP_BYTES}B'",
        "allow_community_extensions = false",
        "allow_persistent_secrets = false",
        "allow_extension_repositories = 'forbidden'",
        f"allowed_paths = [{files}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {option}")
