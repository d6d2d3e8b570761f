"""The deployment files, parsed."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(text("docker-compose.yml"))
    return content


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, in order: name and arguments, with continued lines joined."""
    lines = [line for line in text("Dockerfile").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", "")
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def last(instruction: str) -> str:
    return [rest for name, rest in instructions() if name == instruction][-1]


def command_of_image() -> list[str]:
    words: list[str] = json.loads(last("CMD"))
    return words


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps this path, or a folder that it is in, out of the image."""
    patterns = [line for line in text(".dockerignore").splitlines() if line and not line.startswith("#")]
    parts = path.split("/")
    heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    return any(_pattern(pattern).fullmatch(head) for pattern in patterns for head in heads)


def _pattern(pattern: str) -> re.Pattern[str]:
    words = {"**/": "(?:.*/)?", "*": "[^/]*"}
    return re.compile("".join(words.get(word, re.escape(word)) for word in re.split(r"(\*\*/|\*)", pattern)))


def validate(schema: str, name: str) -> "subprocess.CompletedProcess[str]":
    """Checks a file against one of the schemas that come with check-jsonschema."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(ROOT / name)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
