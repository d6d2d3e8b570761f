import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis
from psycopg.conninfo import conninfo_to_dict

from data_handler.embedded.home import Home


def test_the_same_directory_gives_the_same_services(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert Home.at(tmp_path / "link" / "data") == Home.at(tmp_path / "data")


def test_two_directories_share_nothing(tmp_path: Path) -> None:
    one, other = Home.at(tmp_path / "one"), Home.at(tmp_path / "other")
    assert one.database_url != other.database_url
    assert len({one.buffer_url, one.broker_url, other.buffer_url, other.broker_url}) == 4


def test_the_urls_mean_the_sockets_to_the_clients(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "data")
    assert conninfo_to_dict(home.database_url) == {
        "user": "data_handler",
        "dbname": "data_handler",
        "host": str(home.postgres_sockets),
    }
    for url, path in ((home.buffer_url, home.buffer_socket), (home.broker_url, home.broker_socket)):
        client = redis.Redis.from_url(url)
        assert client.connection_pool.connection_kwargs["path"] == str(path)


def test_to_know_where_things_are_changes_nothing(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "data")
    assert home.database_url
    assert not list(tmp_path.iterdir())


def test_the_secret_key_is_made_once_and_only_for_us(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "data")
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: home.secret_key(), range(32)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    assert stat.S_IMODE(home.secret_key_file.stat().st_mode) == 0o600
    assert os.listdir(home.data_dir) == ["secret_key"]
