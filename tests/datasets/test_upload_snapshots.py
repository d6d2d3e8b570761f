"""Uploaded files as tables, by the process that reads them: it has the file, and no way to the database."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pyarrow
import pytest

from datasets import snapshots
from datasets.children import Limits
from datasets.engine import confinement
from datasets.errors import MemoryLimitExceeded, SnapshotFailed
from sources import uploads
from sources.models import Upload
from tests.datasets.files import in_order, order_for, parquet_of
from tests.datasets.taking import dataset, dataset_of, obtain, take
from tests.sources.test_decode_xlsx import changed, workbook

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("snapshots_dir")]

PRY = """
import json, sys
from datasets.engine.extract import extract_confined
request = json.load(sys.stdin)
print(extract_confined(request, lambda *_: None)["rows"])
for path in (request["file"]["path"], "manage.py"):
    try:
        print(len(open(path).read(1)))
    except PermissionError:
        print("refused")
"""
FAR_APART = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    b"</sheetData></worksheet>"
)


def test_a_file_is_a_table(snapshots_dir: Path) -> None:
    of = dataset_of(b"name;n\nada;1\nbob\ncarl;3\n", "people.csv", delimiter=";")
    table = take(of)
    assert in_order(table) == [("ada", 1), ("carl", 3)]
    assert (table.snapshot.kind, table.snapshot.starts_at, table.snapshot.rejected) == ("upload", None, 1)
    of.refresh_from_db()
    assert (of.rows, of.columns) == (2, [{"name": "name", "type": "VARCHAR"}, {"name": "n", "type": "BIGINT"}])
    assert [folder.name for folder in snapshots_dir.iterdir()] == [f"{of.pk}-{table.snapshot.id}"]


def test_parquet_is_found_out() -> None:
    assert in_order(take(dataset_of(parquet_of(pyarrow.table({"n": [1, 2]})), "a.bin"))) == [(1,), (2,)]


def test_the_same_file_has_the_same_id() -> None:
    first, other = dataset_of(b"a\n1"), dataset_of(b"a\n2")
    again = dataset("upload", upload=first.definition["upload"], decode={})
    ids = [snapshots.fingerprint(of, None) for of in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]


def test_a_file_that_is_gone_says_what_to_do(snapshots_dir: Path) -> None:
    of = dataset_of(b"a\n1\n")
    uploads.delete(Upload.objects.get().pk)
    with pytest.raises(SnapshotFailed, match="gone: send it again"):
        obtain(of)


def test_a_file_that_cannot_be_read_leaves_nothing(snapshots_dir: Path) -> None:
    with pytest.raises(SnapshotFailed, match="The Parquet file cannot be read"):
        obtain(dataset_of(b"PAR1 and no more of it"))
    assert list(snapshots_dir.iterdir()) == []


def test_a_workbook_that_needs_too_much_memory_is_ended(snapshots_dir: Path) -> None:
    far = changed(workbook([["a"], [1]]), {"xl/worksheets/sheet1.xml": FAR_APART})
    with pytest.raises((MemoryLimitExceeded, SnapshotFailed)):
        obtain(dataset_of(far, "far.xlsx"), limits=Limits(30.0, 500 << 20))
    assert list(snapshots_dir.iterdir()) == []


@pytest.mark.skipif(confinement.version_of_kernel() < 3, reason="This kernel has no Landlock.")
def test_what_reads_a_file_can_read_no_other(tmp_path: Path) -> None:
    order = order_for(tmp_path, b"a\n1\n2\n", "a.csv")
    pried = subprocess.run(
        [sys.executable, "-c", PRY], input=msgspec.json.encode(order), capture_output=True, check=True, timeout=60
    )
    assert pried.stdout.split() == [b"2", b"1", b"refused"]


def test_a_workbook_is_read_behind_that_wall_too() -> None:
    table = take(dataset_of(workbook([["name", "n"], ["ada", 1]]), "people.xlsx"))
    assert in_order(table) == [("ada", 1)]
