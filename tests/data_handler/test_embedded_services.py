import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from data_handler import embedded
from data_handler.embedded.account import Account
from data_handler.embedded.home import Home


def write(home: Home) -> None:
    with psycopg.connect(home.database_url) as database:
        database.execute("CREATE TABLE note AS SELECT 'kept' AS text")
    with closing(redis.Redis.from_url(home.buffer_url)) as buffer:
        buffer.rpush("note", "kept")


def read(home: Home) -> tuple[object, object]:
    with psycopg.connect(home.database_url) as database:
        row = database.execute("SELECT text FROM note").fetchone()
    with closing(redis.Redis.from_url(home.buffer_url)) as buffer:
        return row, buffer.lrange("note", 0, -1)


KEPT = (("kept",), [b"kept"])


def test_what_was_written_is_there_after_a_restart(home: Home) -> None:
    with embedded.running(home):
        write(home)
    with embedded.running(home):
        assert read(home) == KEPT


def test_what_was_written_is_there_after_everything_was_killed(home: Home) -> None:
    with embedded.running(home) as services:
        write(home)
        for server in (services.postgres, services.buffer, services.broker):
            server.kill()
        for server in (services.postgres, services.buffer, services.broker):
            server.start()
        assert read(home) == KEPT


def test_half_a_command_at_the_end_of_the_buffer_file_is_dropped(home: Home) -> None:
    with embedded.running(home) as services:
        write(home)
        services.buffer.kill()
        (file,) = home.buffer_data.glob("appendonlydir/*.incr.aof")
        with file.open("ab") as tail:
            tail.write(b"*3\r\n$5\r\nRPUSH\r\n$4\r\nno")
        services.buffer.start()
        assert read(home) == KEPT


def test_nobody_listens_on_a_network_port_and_both_valkeys_are_durable(home: Home) -> None:
    with embedded.running(home) as services:
        for server in (services.postgres, services.buffer, services.broker):
            assert not psutil.Process(server.pid).net_connections("inet")
        for url in (home.buffer_url, home.broker_url):
            with closing(redis.Redis.from_url(url)) as client:
                options = client.config_get("appendonly", "appendfsync", "maxmemory-policy")
            assert options == {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


def test_an_interrupted_first_start_does_not_spoil_the_next(home: Home) -> None:
    draft = home.postgres_data.with_name("postgres.new")
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    with embedded.running(home):
        write(home)
    assert not draft.exists()


@pytest.fixture
def stranger() -> Iterator[psutil.Process]:
    """A process of the account that PostgreSQL runs as."""
    with subprocess.Popen(["sleep", "60"], **Account.for_postgres().popen_options()) as process:
        yield psutil.Process(process.pid)
        process.kill()


def test_a_stale_lock_whose_number_another_process_got_is_no_obstacle(home: Home, stranger: psutil.Process) -> None:
    with embedded.running(home) as services:
        lock = home.postgres_data / "postmaster.pid"
        services.postgres.kill()
        _, rest = lock.read_text().split("\n", 1)
        lock.write_text(f"{stranger.pid}\n{rest}")
        services.postgres.start()
        assert stranger.is_running()


def test_a_data_directory_deeper_than_socket_paths_may_be(open_folder: Path) -> None:
    home = Home.at(open_folder.joinpath(*["a-rather-long-folder-name"] * 8))
    with embedded.running(home):
        write(home)
    assert len(str(home.data_dir)) > 150
    embedded.remove(home)


def test_a_data_directory_where_the_account_of_postgres_may_not_go(open_folder: Path) -> None:
    private = open_folder / "private"
    private.mkdir(mode=0o700)
    home = Home.at(private / "data")
    for _ in range(2):
        with embedded.running(home):
            pass
    assert home.postgres_data.is_symlink() == (os.geteuid() == 0)
    assert private.stat().st_mode & 0o777 == 0o700
    embedded.remove(home)
    assert not home.postgres_refuge.exists()


def test_data_of_a_directory_that_was_removed_is_not_shown_again(open_folder: Path) -> None:
    private = open_folder / "private"
    private.mkdir(mode=0o700)
    home = Home.at(private / "data")
    with embedded.running(home):
        write(home)
    shutil.rmtree(home.data_dir)
    with embedded.running(home), pytest.raises(psycopg.errors.UndefinedTable):
        read(home)
    embedded.remove(home)
