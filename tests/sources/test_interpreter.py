"""Expressions that make much out of little end soon, and take little memory until they do."""

import json
import subprocess
import sys
from typing import Any

import pytest

from sources.definition import Field
from sources.errors import RowRejected
from sources.mapping import make_mapper

MEMORY_BYTES = 1 << 30
SECONDS = 20
ROW: dict[str, Any] = {"a": "x" * 100, "list": list(range(100))}
HOSTILE = {
    "lists of lists": "|".join(["[@,@]"] * 160),
    "objects": "|".join(["{a:@,b:@}"] * 90),
    "texts": "a|" + "|".join(["join('',[@,@,@,@,@,@,@,@,@,@])"] * 30),
    "quotes": "to_string([" * 60 + "a" + "])" * 60,
    "flattened": "list|" + "|".join(["[@,@,@,@][]"] * 80),
    "each element": "list[].to_string(@)[].[" + ",".join(["@"] * 50) + "][]|" + "|".join(["[@,@][]"] * 90),
    "glue": "{g: to_string([list,list,list,list,list,list]), l: list[].to_string(@)}|"
    + "|".join(["{g: join(g, [g,g,g,g,g,g]), l: [l,l,l,l,l][]}"] * 15)
    + "|join(g, l)",
    "sorted": "list|" + "|".join(["[@,@,@,@,@][]|sort(@)"] * 30),
    "mapped": "map(&[" + ",".join(["@"] * 100) + "], list)|" + "|".join(["[@,@,@][]"] * 60),
}
PROGRAM = """
import json, resource, sys
import django
django.setup()
from sources.definition import Field
from sources.errors import RowRejected
from sources.mapping import make_mapper
expression, row, memory_bytes, seconds = json.load(sys.stdin)
map_row = make_mapper([Field(to="x", source=expression)])
resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
try:
    print(len(map_row(row)))
except RowRejected as rejected:
    print(rejected.code, rejected)
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_expression_rejects_the_row_within_bounds(name: str) -> None:
    assert len(HOSTILE[name]) <= 1000
    given = json.dumps([HOSTILE[name], ROW, MEMORY_BYTES, SECONDS])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=given,
        env={"DJANGO_SETTINGS_MODULE": "data_handler.settings", "DATA_DIR": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("bad_value"), (done.stdout, done.stderr[-500:])


def test_what_is_large_but_no_larger_than_the_row_passes() -> None:
    row = {"items": [{"id": number, "text": "y" * 1000} for number in range(10_000)]}
    map_row = make_mapper([Field(to="x", source="items[?id>`10`].{id: id, text: text}|[-1].id")])
    assert map_row(row) == {"x": 9999}


def test_each_row_has_the_whole_bound_for_itself() -> None:
    map_row = make_mapper([Field(to="x", source="length(join('', [a,a,a,a]))")])
    row = {"a": "x" * 4_000_000}
    assert [map_row(row)["x"] for _ in range(5)] == [16_000_000] * 5


def test_it_is_said_what_was_too_much() -> None:
    with pytest.raises(RowRejected, match="fails: it makes more than 32 MiB of one row"):
        make_mapper([Field(to="x", source=HOSTILE["lists of lists"])])(ROW)
