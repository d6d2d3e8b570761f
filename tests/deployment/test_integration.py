"""What runs on a change: .ci/run, the workflow, the hooks."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.deployment.files import ROOT, text, validate

WORKFLOW: dict[str, Any] = yaml.safe_load(text(".github/workflows/ci.yml"))
HOOKS: list[dict[str, Any]] = [
    hook for repo in yaml.safe_load(text(".pre-commit-config.yaml"))["repos"] for hook in repo["hooks"]
]


def hook(name: str) -> dict[str, Any]:
    return next(hook for hook in HOOKS if hook["id"] == name)


def test_the_script_can_be_run_and_calls_targets_that_exist() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
    targets = re.search(r"for target in (.+); do", text(".ci/run"))
    assert targets
    assert targets[1].split() == ["lint", "test"]
    assert all(f"\n{target}:" in text("Makefile") for target in targets[1].split())


def test_the_workflow_conforms_to_its_schema() -> None:
    outcome = validate("github-workflows", ".github/workflows/ci.yml")
    assert outcome.returncode == 0, outcome.stdout


def test_the_workflow_runs_the_script_on_every_python_we_support() -> None:
    job = WORKFLOW["jobs"]["test"]
    assert {"run": ".ci/run"} in job["steps"]
    lowest = re.search(r'requires-python = ">=([\d.]+)"', text("pyproject.toml"))
    assert lowest
    assert job["strategy"]["matrix"]["python"][0] == lowest[1]


def test_the_workflow_may_only_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in WORKFLOW["jobs"].values())


def test_actions_are_pinned() -> None:
    used = [step["uses"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", action) for action in used)


def test_hooks_fetch_nothing_and_call_programs_that_are_installed() -> None:
    assert {hook["language"] for hook in HOOKS} <= {"system", "pygrep"}
    programs = {Path(hook["entry"].split()[0]) for hook in HOOKS if hook["language"] == "system"}
    assert {path.parent for path in programs} == {Path(".venv/bin")}
    assert all((Path(sys.executable).parent / path.name).exists() for path in programs)


def test_the_hook_on_line_ends_finds_them() -> None:
    pattern = re.compile(hook("trailing-whitespace")["entry"])
    assert pattern.search("a \n".rstrip("\n"))
    assert not pattern.search("a b")


def test_the_hook_on_file_ends_finds_them() -> None:
    pattern = re.compile(hook("end-of-file")["entry"], re.MULTILINE)
    assert pattern.search("a\nb")
    assert not pattern.search("a\nb\n")
