"""What sources are given to read: tables of readings as files, the same every time."""

import gzip
import random
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import orjson

COLUMNS = {
    "id": "bigint",
    "name": "text",
    "celsius": "double precision",
    "humidity": "double precision",
    "time": "timestamptz",
    "active": "boolean",
    "category": "text",
    "note": "text",
}
TYPES = {"bigint": "integer", "double precision": "number", "timestamptz": "time"}
CATEGORIES = ("reading", "alarm", "status")
NOTE = "looked at by hand"
HEADER = f"{','.join(COLUMNS)}\n"

Cells = tuple[str, str, str, str, str, str, str, str]


def rows() -> Iterator[Cells]:
    """Without end, about 100 bytes each."""
    chance = random.Random(0)
    for number in count():
        yield (
            str(number),
            f"greenhouse-{number % 97:02}",
            f"{chance.gauss(21.5, 2.0):.2f}",
            f"{chance.uniform(35.0, 80.0):.1f}",
            f"2026-{1 + number % 12:02}-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:{number * 7 % 60:02}Z",
            "false" if number % 3 else "true",
            CATEGORIES[number % 3],
            f"{NOTE} in round {number % 1000}",
        )


def write_csv(path: Path, most_rows: int) -> None:
    with path.open("w") as file:
        file.write(HEADER)
        file.writelines(f"{','.join(cells)}\n" for _, cells in zip(range(most_rows), rows(), strict=False))


def csv_line(cells: Cells) -> bytes:
    return f"{','.join(cells)}\n".encode()


def ndjson_line(cells: Cells) -> bytes:
    value = dict(zip(COLUMNS, cells, strict=True))
    measured = {"celsius": float(cells[2]), "humidity": float(cells[3]), "place": {"site": "north", "row": 7}}
    return orjson.dumps({**value, "id": int(cells[0]), "measured": measured}, option=orjson.OPT_APPEND_NEWLINE)


def xml_element(cells: Cells) -> bytes:
    members = "".join(f"<{name}>{cell}</{name}>" for name, cell in zip(COLUMNS, cells, strict=True))
    return f'<row number="{cells[0]}">{members}</row>\n'.encode()


def write_bytes(path: Path, most_bytes: int, line: Callable[[Cells], bytes], head: str = "", tail: str = "") -> int:
    """Rows until there are so many bytes; how many rows."""
    written = size = 0
    made = rows()
    with path.open("wb") as file:
        file.write(head.encode())
        while size < most_bytes:
            size += file.write(line(next(made)))
            written += 1
        file.write(tail.encode())
    return written


def pack(path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    with path.open("rb") as plain, gzip.open(packed, "wb", compresslevel=1) as target:
        shutil.copyfileobj(plain, target, 1 << 20)
    return packed
