"""What sources are given to read in benchmarks, and who serves it."""

from pathlib import Path
from typing import Any
from urllib.request import urlopen

import orjson
import pytest

from bench import bodies
from bench.__main__ import parse
from bench.large import BODIES
from bench.large import _write as write
from bench.provider import SMALL_ROWS, providing
from sources import decode
from sources.bodies import Body
from sources.definition import Decode, RunLimits


@pytest.mark.parametrize("name", BODIES)
def test_a_large_body_has_the_rows_that_it_is_said_to_have(tmp_path: Path, name: str) -> None:
    spec: dict[str, Any] = BODIES[name]
    written = write(tmp_path / name, 10_000)
    with (tmp_path / name).open("rb") as file:
        found = list(decode.rows(Body(file, name=name), Decode(**spec), RunLimits()))
    assert len(found) == written > 10
    assert all(isinstance(row, dict) and set(bodies.COLUMNS) <= set(row) for row in found)


def test_a_table_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "other"):
        bodies.write_csv(tmp_path / name, 20)
    lines = (tmp_path / "one").read_text().splitlines()
    assert len(lines) == 21
    assert (tmp_path / "other").read_text().splitlines() == lines


def test_the_provider_serves_files_and_counts_who_asked(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with providing(tmp_path) as url:
        assert urlopen(f"{url}/table.csv").read() == b"a,b\n1,2\n"
        assert len(orjson.loads(urlopen(f"{url}/small/x").read())) == SMALL_ROWS
        assert orjson.loads(urlopen(f"{url}/asked").read()) == {"/table.csv": 1, "/small/x": 1}


def test_no_number_of_things_may_be_zero() -> None:
    assert parse(["--only", "i,j,k", "--rows", "10", "--megabytes", "1", "--sources", "5"]).steps == 3 * 5 + 4 + 1
    with pytest.raises(SystemExit):
        parse(["--rows", "0"])
