import re
import stat
from pathlib import Path

from deploy.make_secrets import make_secrets
from tests.deployment.files import services

NAMES = {"secret_key", "database_password", "database_url"}


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_secrets_are_long_random_and_fit_together(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    made = contents(tmp_path)
    assert set(made) == NAMES
    assert min(len(made["secret_key"]), len(made["database_password"])) >= 40
    assert made["database_url"] == f"postgresql://data_handler:{made['database_password']}@postgres:5432/data_handler"
    assert re.fullmatch(r"[\w-]+", made["database_password"])


def test_two_installations_share_none(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
        make_secrets(folder)
    one, other = map(contents, folders)
    assert all(one[name] != other[name] for name in NAMES)


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    before = contents(tmp_path)
    make_secrets(tmp_path)
    assert contents(tmp_path) == before


def test_a_run_that_was_cut_off_is_completed_with_the_same_password(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    password = (tmp_path / "database_password").read_text()
    (tmp_path / "database_url").unlink()
    make_secrets(tmp_path)
    assert password in (tmp_path / "database_url").read_text()


def test_nobody_may_write_them(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o444}


def test_compose_reads_what_is_made() -> None:
    read = {value.removeprefix("/secrets/") for service in services().values()
            for name, value in service.get("environment", {}).items() if name.endswith("_FILE")}  # fmt: skip
    assert read == NAMES
