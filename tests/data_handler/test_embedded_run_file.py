import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from data_handler import embedded
from data_handler.embedded.errors import AlreadyRunning
from data_handler.embedded.home import Home
from data_handler.embedded.run_file import claim
from data_handler.process import lives

PROJECT = Path(__file__).parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from data_handler import embedded
from data_handler.embedded.home import Home
with embedded.running(Home.at(Path(sys.argv[1]))):
    print("running", flush=True)
    time.sleep(60)
"""


def test_one_directory_is_held_by_one_process(home: Home) -> None:
    with claim(home) as run_file:
        run_file.set_url("http://127.0.0.1:8123")
        with (
            pytest.raises(AlreadyRunning, match=rf"pid {os.getpid()}, URL http://127.0.0.1:8123"),
            claim(home),
        ):
            pass
    with claim(home):
        pass


def test_the_file_names_the_children_and_goes_with_the_last(home: Home) -> None:
    with claim(home) as run_file:
        run_file.add("web", os.getpid(), signal.SIGTERM)
        (child,) = json.loads(home.run_file.read_text())["children"].items()
        name, values = child
        assert (name, values["pid"]) == ("web", os.getpid())
        assert values["create_time"] == psutil.Process().create_time()
        run_file.remove("web")
    assert not home.run_file.exists()


def test_what_a_killed_holder_left_behind_is_ended_and_nobody_else(home: Home) -> None:
    with (
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(home.data_dir)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        ) as holder,
        subprocess.Popen(["sleep", "60"], start_new_session=True) as bystander,
    ):
        assert holder.stdout
        assert holder.stdout.readline() == "running\n"
        holder.kill()
        holder.wait()
        run = json.loads(home.run_file.read_text())
        orphans = [psutil.Process(child["pid"]) for child in run["children"].values()]
        assert len(orphans) == 3
        assert all(lives(orphan) for orphan in orphans)
        run["children"]["web"] = {"pid": bystander.pid, "create_time": 1.0, "stop_signal": signal.SIGTERM}
        home.run_file.write_text(json.dumps(run))
        with embedded.running(home):
            assert not any(lives(orphan) for orphan in orphans)
            assert bystander.poll() is None
        bystander.kill()


def test_the_rest_of_a_family_whose_head_died_is_ended(home: Home) -> None:
    script = "sleep 60 & echo $!; wait"
    with subprocess.Popen(["sh", "-c", script], start_new_session=True, stdout=subprocess.PIPE, text=True) as head:
        assert head.stdout
        rest = psutil.Process(int(head.stdout.readline()))
        created = psutil.Process(head.pid).create_time()
        head.kill()
        head.wait()
        home.data_dir.mkdir()
        child = {"pid": head.pid, "create_time": created, "stop_signal": signal.SIGTERM}
        home.run_file.write_text(json.dumps({"supervisor": 1, "url": None, "children": {"flush": child}}))
        assert lives(rest)
        with claim(home):
            assert not lives(rest)
