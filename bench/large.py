"""(j) Large bodies over HTTP: the memory of the worker that carries out the run, and how fast it is."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.bodies import HEADER, csv_line, ndjson_line, pack, write_bytes, xml_element
from bench.figures import Finding
from bench.provider import providing
from bench.stack import Stack
from bench.workers import MB, forget, pull

MOST_MEGABYTES = 150
LESS = 0.4  # of the megabytes, for all but NDJSON
LOAD = {"kind": "upsert", "key": ["id"]}
BODIES: dict[str, dict[str, Any]] = {
    "rows.ndjson": {"format": "ndjson"},
    "rows.csv": {"format": "csv"},
    "rows.csv.gz": {"format": "csv"},
    "rows.xml": {"format": "xml", "path": "rows.row"},
}


def measure_large(stack: Stack, megabytes: int) -> Iterator[Finding]:
    """Once more after each body."""
    finding = Finding("j", "large bodies over HTTP into records", target=f"memory < {MOST_MEGABYTES} MB", reached=True)
    with tempfile.TemporaryDirectory(prefix="data-handler-bench-") as name, providing(Path(name)) as url:
        folder = Path(name)
        for body, decode in BODIES.items():
            rows = _write(folder / body, megabytes * MB)
            size = (folder / body.removesuffix(".gz")).stat().st_size
            extract = {"kind": "http", "url": f"{url}/{body}"}
            found = pull(stack, body, {"version": 1, "extract": extract, "decode": decode, "load": LOAD})
            if found["counts"]["inserted"] != rows:
                raise SystemExit(f"{body} has {rows} rows, and of them were: {found['counts']}")
            forget(stack)
            finding.rows.append((body, _sentence(found, rows, size)))
            finding.numbers[f"{body}_peak_bytes"] = found["peak"]
            finding.reached = bool(finding.reached and found["peak"] < MOST_MEGABYTES * MB)
            yield finding


def _write(path: Path, most_bytes: int) -> int:
    less = int(most_bytes * LESS)
    match path.name:
        case "rows.ndjson":
            return write_bytes(path, most_bytes, ndjson_line)
        case "rows.csv":
            return write_bytes(path, less, csv_line, HEADER)
        case "rows.csv.gz":
            rows = write_bytes(path.with_suffix(""), less, csv_line, HEADER)
            pack(path.with_suffix(""))
            return rows
        case _:
            return write_bytes(path, less, xml_element, "<rows>", "</rows>")


def _sentence(found: dict[str, Any], rows: int, size: int) -> str:
    packed = f", {found['bytes'] / MB:.0f} MB packed" if found["bytes"] < size else ""
    return (
        f"{size / MB:.0f} MB{packed}, {rows:,} rows: at most {found['peak'] / MB:.0f} MB of memory"
        f" ({found['before'] / MB:.0f} MB before), {size / MB / found['seconds']:.1f} MB/s"
    )
