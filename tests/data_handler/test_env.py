from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from data_handler.env import Env, Option

OPTIONS = (Option("NAME", "", ""), Option("COUNT", "3", ""), Option("SWITCH", "0", ""))


def env(**variables: str) -> Env:
    return Env(OPTIONS, variables)


def test_an_unset_variable_has_its_default() -> None:
    assert env().integer("COUNT") == 3


def test_a_secret_is_read_from_the_file_that_its_file_variable_names(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from file\n")
    assert env(NAME_FILE=str(tmp_path / "secret")).text("NAME") == "from file"


def test_the_variable_itself_wins_over_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from file")
    assert env(NAME="plain", NAME_FILE=str(tmp_path / "secret")).text("NAME") == "plain"


def test_an_unreadable_secret_file_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match="NAME_FILE='/nowhere' cannot be read"):
        env(NAME_FILE="/nowhere").text("NAME")


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("Yes", True), ("off", False), ("0", False)])
def test_a_flag_takes_the_usual_words(value: str, expected: bool) -> None:
    assert env(SWITCH=value).flag("SWITCH") is expected


@pytest.mark.parametrize("variables", [{"COUNT": "many"}, {"COUNT": "-1"}, {"COUNT": "nan"}])
def test_a_number_that_cannot_be_right_names_its_variable(variables: dict[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="COUNT="):
        env(**variables).number("COUNT")


def test_a_flag_that_is_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="SWITCH='perhaps'"):
        env(SWITCH="perhaps").flag("SWITCH")


def test_words_are_split_at_commas_and_stripped() -> None:
    assert env(NAME=" a.org, b.org ,").words("NAME") == ["a.org", "b.org"]
