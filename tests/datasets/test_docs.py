"""What docs/datasets.md says is true of the code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from datasets import definition, parameters
from datasets.engine.analyse import analyse
from datasets.models import Status
from tests.datasets.tables import write_rows

TEXT = (Path(settings.BASE_DIR) / "docs/datasets.md").read_text()
DEFINITIONS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]
[EXAMPLE] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
PRICES = [{"name": "apple", "price": 3.0}, {"name": "pear", "price": 1.0}, {"name": "apple", "price": 4.0}]


@pytest.mark.parametrize("document", [one for one in DEFINITIONS if "definition" in one], ids=lambda one: one["kind"])
def test_each_definition_is_a_good_one(document: Any) -> None:
    definition.read(document["kind"], document["definition"])


def test_every_kind_of_dataset_has_an_example() -> None:
    assert {one["kind"] for one in DEFINITIONS if "definition" in one} == set(definition.TYPES)


def test_every_status_and_every_kind_is_explained() -> None:
    assert all(f"| `{status}` |" in TEXT for status in Status.values)
    assert all(f"`{kind}`" in TEXT for kind in parameters.kinds() if kind not in ("odd", "pair", "share"))


def test_the_example_of_a_kind_works_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "example_of_a_kind.py").write_text(EXAMPLE)
    monkeypatch.syspath_prepend(tmp_path)
    request = {
        "kind": "share",
        "parameters": {"amount": "price", "by": "name"},
        "folders": [str(write_rows(tmp_path, PRICES))],
        "modules": ["example_of_a_kind"],
        "memory_bytes": 500_000_000,
        "threads": 1,
        "temp": str(tmp_path),
    }
    assert analyse(request, lambda *_: None) == {
        "columns": ["name", "total", "share"],
        "rows": [["apple", 7.0, 0.875], ["pear", 1.0, 0.125]],
    }
    assert parameters.read(parameters.kind_of("share"), {"amount": "a", "by": "b"})["top"] == 10
