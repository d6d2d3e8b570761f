"""Bodies packed by gzip or zip, and what kind of body one is."""

import gzip
import io
import json
import struct
import tracemalloc
import zipfile
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.bodies import Body
from sources.decode import rows
from sources.definition import Decode, RunLimits
from sources.errors import LimitExceeded, SourceError, Undecodable
from tests.sources.decoding import decoded

CSV = b"a,b\n1,2\n"
ROWS = [{"a": "1", "b": "2"}]


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def encrypted(data: bytes) -> bytes:
    """The archive of one member with its flag for encryption set."""
    directory = data.index(b"PK\x01\x02")
    return data[:6] + b"\1" + data[7 : directory + 8] + b"\1" + data[directory + 9 :]


@pytest.mark.parametrize("content_type", ["", "application/gzip", "text/csv"])
def test_gzip_is_taken_off(content_type: str) -> None:
    assert decoded(gzip.compress(CSV), content_type=content_type) == ROWS
    assert decoded(gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n"), name="x.csv.gz") == ROWS


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip_is_taken_off(method: int) -> None:
    assert decoded(zipped({"folder/x.dat": CSV}, method)) == ROWS
    assert decoded(zipped({"x.csv": CSV, "readme.txt": b"Hello", "__MACOSX/x.csv": b"?"}, method)) == ROWS
    assert decoded(zipped({"x.csv": CSV, "y.json": b"[{}]"}, method), format="csv") == ROWS


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text("ab"), st.integers(-(2**70), 2**70)), min_size=1, max_size=20))
def test_what_is_packed_is_read_as_if_it_were_not(written: list[dict[str, int]]) -> None:
    data = json.dumps(written).encode()
    assert decoded(gzip.compress(data)) == decoded(zipped({"x": data})) == decoded(data) == written


def test_an_archive_of_several_files_says_which() -> None:
    with pytest.raises(Undecodable, match=r"has: 'a.csv', 'b.csv'"):
        decoded(zipped({"a.csv": CSV, "b.csv": CSV}))
    with pytest.raises(Undecodable, match="has: nothing"):
        decoded(zipped({}))


def many_members() -> bytes:
    return zipped({f"{number}": b"" for number in range(30_000)})


BROKEN = {
    "gzip, cut off": (gzip.compress(CSV * 1000)[:-12], "gzip file is cut off"),
    "gzip, changed": (gzip.compress(CSV)[:-6] + b"000000", "gzip file is broken"),
    "gzip, header alone": (b"\x1f\x8b\x08", "gzip file is (cut off|broken)"),
    "zip, cut off": (zipped({"x.csv": CSV})[:-5], "zip archive is broken or cut off"),
    "zip, changed": (zipped({"x.csv": CSV}, zipfile.ZIP_STORED).replace(b"1,2", b"1,3"), "zip archive is broken"),
    "zip, encrypted": (encrypted(zipped({"x.csv": CSV})), "'x.csv' in the zip archive is encrypted"),
    "zip by bzip2": (zipped({"x.csv": CSV}, zipfile.ZIP_BZIP2), "packed in a rare way"),
    "zip with a long directory": (many_members(), "directory is larger than"),
    "gzip in gzip": (gzip.compress(gzip.compress(CSV)), "another archive"),
    "zip in gzip": (gzip.compress(zipped({"x.csv": CSV})), "another archive"),
    "zip in zip": (zipped({"x.zip": zipped({"x.csv": CSV})}), "another archive"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(20), "packed by zstd"),
    "zstd in gzip": (gzip.compress(b"\x28\xb5\x2f\xfd" + bytes(20)), "packed by zstd"),
    "PDF": (b"%PDF-1.7\n", "a PDF document"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_cannot_be_unpacked_is_refused(what: str) -> None:
    data, reason = BROKEN[what]
    with pytest.raises(SourceError, match=reason):
        decoded(data, name="x.csv")


def csv_bomb() -> bytes:
    return b"a,b\n" + (b"1," + b"x" * 1000 + b"\n") * 60_000


@pytest.mark.timeout(30)
@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped({"x.csv": data})])
def test_bombs_exceed_the_limit_of_bytes_in_flat_memory(pack: Callable[[bytes], bytes]) -> None:
    body = Body(io.BytesIO(pack(csv_bomb())))
    tracemalloc.start()
    try:
        items = rows(body, Decode(), RunLimits(bytes=20_000_000))
        for _ in range(15_000):
            next(items)
        with pytest.raises(LimitExceeded, match="more than 20,000,000 bytes"):
            deque(items, maxlen=0)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_zip_that_states_a_smaller_size_is_read_to_its_end() -> None:
    data = zipped({"x.csv": CSV * 1000})
    size = struct.pack("<I", len(CSV) * 1000)
    assert len(decoded(data.replace(size, struct.pack("<I", 8)))) == 1999


def test_decoding_ends_after_the_seconds_of_a_run() -> None:
    with pytest.raises(LimitExceeded, match=r"longer than 0\.001 seconds"):
        list(rows(Body(io.BytesIO(csv_bomb())), Decode(), RunLimits(seconds=0.001)))


LINES = b'{"a": 1}\n{"a": 2}\n'
KINDS: dict[str, tuple[bytes, dict[str, str], list[dict[str, Any]]]] = {
    "csv by type": (b"a;b\n1;2\n", {"content_type": "text/csv; charset=utf-8"}, [{"a": "1", "b": "2"}]),
    "csv by name": (b"[a]\n1\n", {"name": "x.CSV", "content_type": "text/plain"}, [{"[a]": "1"}]),
    "csv by itself": (CSV, {"content_type": "application/octet-stream"}, ROWS),
    "tsv": (b"a\tb,c\n1\t2,3\n", {"name": "x.tsv"}, [{"a": "1", "b,c": "2,3"}]),
    "json by itself": (b'\xef\xbb\xbf [{"a": 1}]', {}, [{"a": 1}]),
    "json, indented": (b'[\n {"a": 1},\n {"a": 2}\n]', {}, [{"a": 1}, {"a": 2}]),
    "json by type": (b'{"a": 1}', {"content_type": "application/hal+json"}, [{"a": 1}]),
    "ndjson by itself": (LINES, {}, [{"a": 1}, {"a": 2}]),
    "ndjson as json": (LINES, {"content_type": "application/json"}, [{"a": 1}, {"a": 2}]),
    "ndjson of one line": (b'{"a": 1}\n', {"name": "x.jsonl"}, [{"a": 1}]),
    "ndjson in UTF-16": (LINES.decode().encode("utf-16"), {}, [{"a": 1}, {"a": 2}]),
    "xml by itself": (b"\n<r><a>1</a></r>", {}, [{"r": {"a": "1"}}]),
    "xml by type": (b"<r/>", {"content_type": "application/rss+xml"}, [{"r": None}]),
}


@pytest.mark.parametrize("what", KINDS)
def test_the_format_is_found_out(what: str) -> None:
    data, said, expected = KINDS[what]
    assert decoded(data, **said) == expected


@pytest.mark.parametrize("kind", ["auto", "csv", "json", "ndjson", "xml"])
def test_an_error_page_is_called_one(kind: str) -> None:
    page = b"\n<!DOCTYPE html><html><body>Sorry, we are down</body></html>"
    with pytest.raises(Undecodable, match=r"looks like an HTML page.*Sorry, we are down"):
        decoded(page, format=kind, content_type="text/html")


def test_what_is_plainly_another_format_is_called_so() -> None:
    with pytest.raises(Undecodable, match="looks like JSON, not like CSV"):
        decoded(b'{"error": "no such report"}', format="csv")
    with pytest.raises(Undecodable, match="looks like XML, not like csv"):
        decoded(b'<?xml version="1.0"?><error/>', format="csv")
    with pytest.raises(Undecodable, match="This is no XML"):
        decoded(b'{"error": 1}', format="xml")
    with pytest.raises(Undecodable, match="JSON is broken"):
        decoded(b"Service unavailable", format="json")
    with pytest.raises(Undecodable, match="The body is empty"):
        decoded(b"")
