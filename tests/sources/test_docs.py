"""What docs/sources.md says is true of the code."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings

from sources import validation
from sources.models import Status

TEXT = (Path(settings.BASE_DIR) / "docs/sources.md").read_text()
DEFINITIONS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]


@pytest.mark.parametrize("document", DEFINITIONS, ids=range(len(DEFINITIONS)))
def test_each_definition_is_a_good_one(document: object) -> None:
    validation.read(document)


def test_every_part_of_a_definition_is_named() -> None:
    names = {
        name
        for kind in validation.schema()["$defs"].values()
        for name in kind.get("properties", {})
        if name not in ("kind", "version")
    }
    assert {name for name in names if f"`{name}`" not in TEXT and f'"{name}"' not in TEXT} == set()


def test_every_status_is_explained() -> None:
    assert all(f"| `{status}` |" in TEXT for status in Status.values)
