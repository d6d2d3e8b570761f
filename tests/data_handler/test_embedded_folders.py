import tempfile
from pathlib import Path

import pytest

from data_handler.embedded.errors import EmbeddedError
from data_handler.embedded.home import Home
from data_handler.embedded.postgres import postgres
from data_handler.embedded.valkey import buffer


def test_the_socket_folders_are_private(home: Home) -> None:
    buffer(home)
    assert home.sockets.stat().st_mode & 0o777 == 0o700


def test_a_link_in_place_of_the_socket_folder_is_refused(home: Home, tmp_path: Path) -> None:
    home.sockets.symlink_to(tmp_path)
    home.postgres_sockets.symlink_to(tmp_path)
    try:
        with pytest.raises(EmbeddedError, match="somebody else may have made it"):
            buffer(home)
        with pytest.raises(EmbeddedError, match="somebody else may have made it"):
            postgres(home)
    finally:
        home.sockets.unlink()
        home.postgres_sockets.unlink()


def test_a_socket_folder_that_others_may_enter_is_refused(home: Home) -> None:
    home.sockets.mkdir()
    home.sockets.chmod(0o755)
    with pytest.raises(EmbeddedError, match=str(home.sockets)):
        buffer(home)
    assert not list(home.sockets.iterdir())


@pytest.mark.parametrize("prepare", [buffer, postgres])
def test_a_temporary_folder_with_too_long_a_name_is_refused_with_advice(
    prepare: object, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(prepare)
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", f"/tmp/{'long' * 20}")
        with pytest.raises(EmbeddedError, match="TMPDIR"):
            prepare(home)
