"""What docs/http-api.md shows of reading is what the API takes."""

import re
import shlex
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from django.conf import settings
from django.test import Client

from ingest.aggregates import FUNCTIONS
from ingest.conditions import OPERATORS
from tests.ingest.factory import make_stream

TEXT = (Path(settings.BASE_DIR) / "docs/http-api.md").read_text(encoding="utf-8")
READING = TEXT[TEXT.index("## Reading") : TEXT.index("## Streams")]
COMMANDS = re.findall(r"^curl -G (?:\\\n|.)*", READING, re.MULTILINE)


@pytest.mark.django_db
@pytest.mark.usefixtures("redis_clean")
@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_work(api: Client, command: str) -> None:
    make_stream("pumps")
    words = shlex.split(command.replace("\\\n", " "))
    given = [after for word, after in pairwise(words) if word == "-d"]
    path = words[2].removeprefix("localhost:8000")
    answer = api.get(f"{path}?{urlencode(parse_qsl('&'.join(given)))}")
    assert answer.status_code == 200, answer.content


def test_all_comparisons_and_figures_are_named() -> None:
    assert len(COMMANDS) >= 3
    assert [name for name in OPERATORS if f"`__{name}" not in READING] == []
    assert [name for name in FUNCTIONS if f"`{name}" not in READING] == []
