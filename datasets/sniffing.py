"""A first look at an uploaded file, before there is a dataset of it: whether it is what its name or definition says.

It reads the ends of the file, and no rows: what is wrong further on is told by the snapshot.
"""

import io

from msgspec.structs import replace

from datasets import definition
from datasets.definition import File
from datasets.errors import InvalidDataset
from sources import decode, uploads
from sources.bodies import Body
from sources.decode.sniff import suffix_of
from sources.definition import Decode, RunLimits
from sources.errors import SourceError, Undecodable

MAGIC = b"PAR1"
PARQUET, WORKBOOK = ".parquet", ".xlsx"
LIMITS = RunLimits(seconds=5.0)


def check(file: File) -> None:
    """Raises InvalidDataset for one of which there will be no rows."""
    try:
        body = uploads.open_body(file.upload)
        with body.file:
            _look(body, definition.decode(file))
    except SourceError as error:
        raise InvalidDataset(("upload",), str(error)) from error


def _look(body: Body, spec: Decode | None) -> None:
    starts_so, suffix = body.file.read(len(MAGIC)) == MAGIC, suffix_of(body.name)
    if spec is None or (spec.format == "auto" and (starts_so or suffix == PARQUET)):
        _check_parquet(body, starts_so)
    elif spec.format == "auto" and suffix == WORKBOOK:
        decode.check(body, replace(spec, format="xlsx"), LIMITS)
    else:
        decode.check(body, spec, LIMITS)


def _check_parquet(body: Body, starts_so: bool) -> None:
    if not starts_so:
        raise Undecodable(
            "This is no readable Parquet file: it does not begin as one. Send it under the name of the format it has."
        )
    body.file.seek(max(len(MAGIC), body.file.seek(0, io.SEEK_END) - len(MAGIC)))
    if body.file.read() != MAGIC:
        raise Undecodable("This is no readable Parquet file: its end is missing. Send it again, whole.")
