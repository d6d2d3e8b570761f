"""A snapshot, in a process of its own: `python -m datasets.engine.extract`, which `datasets.children` starts.

It imports nothing of Django. Where it reads PostgreSQL, it knows the database's address and no other secret; where it
reads what a stranger sent, it knows none, and the kernel keeps it to that file and to where it writes, if it can.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from datasets.engine import channel, confinement
from datasets.engine.extraction import extract
from datasets.kinds.kind import Progress


def extract_confined(request: Any, progress: Progress) -> Any:
    """As `extraction.extract`."""
    if file := request.get("file"):
        tempfile.tempdir = request["temp"]
        written = (request["folder"], request["temp"], os.devnull)  # what reads workbooks is started with the latter
        confinement.confine(readable=[Path(file["path"])], writable=map(Path, written))
    return extract(request, progress)


if __name__ == "__main__":
    channel.serve(extract_confined)
