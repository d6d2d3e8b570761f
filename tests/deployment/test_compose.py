import re
from pathlib import Path

import pytest
from django.conf import settings

from data_handler.options import OPTIONS
from data_handler.processes import WORKERS, Processes
from tests.deployment.files import command_of_image, compose, instructions, services, text, validate

ONE_SHOT = {"migrate", "secrets"}
ONLY_COMPOSE_KNOWS = {"PUBLISH", "BUFFER_MAXMEMORY"}
DURABLE = {"--appendonly": "yes", "--appendfsync": "always", "--maxmemory-policy": "noeviction"}
PROCESSES = Processes(Path("/app"), Path("/data"))
DEFAULTS = {option.name: option.default for option in OPTIONS}


def options_of(service: str) -> dict[str, str]:
    words = services()[service]["command"][1:]
    return dict(zip(words[::2], words[1::2], strict=True))


def celery_words(command: tuple[str, ...]) -> list[str]:
    return list(command[command.index("celery") :])


def test_it_conforms_to_the_compose_specification() -> None:
    outcome = validate("compose-spec", "docker-compose.yml")
    assert outcome.returncode == 0, outcome.stdout


def test_every_variable_it_sets_is_one_of_ours() -> None:
    given = {
        name
        for service in services().values()
        if service["image"] == "data-handler"
        for name in service.get("environment", {})
    }
    assert given
    assert {name.removesuffix("_FILE") for name in given} <= {*DEFAULTS, "TMPDIR"}


def test_every_variable_an_operator_may_set_is_documented() -> None:
    named = set(re.findall(r"\$\{(\w+)", text("docker-compose.yml")))
    assert named - set(DEFAULTS) == ONLY_COMPOSE_KNOWS
    operations = text("docs/operations.md")
    assert all(f"`{name}" in operations for name in ONLY_COMPOSE_KNOWS)


def test_the_proxy_cuts_bodies_where_the_service_does() -> None:
    assert services()["proxy"]["environment"]["MAX_BODY_BYTES"] == f"${{MAX_BODY_BYTES:-{DEFAULTS['MAX_BODY_BYTES']}}}"


def test_every_queue_has_a_worker_that_runs_as_it_does_locally() -> None:
    queues = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()} | {settings.CELERY_TASK_DEFAULT_QUEUE}
    workers = {name.removeprefix("worker-") for name in services() if name.startswith("worker-")}
    assert workers == queues == set(WORKERS)
    for queue in queues:
        assert services()[f"worker-{queue}"]["command"] == celery_words(PROCESSES.worker(queue).command)


def test_beat_runs_as_it_does_locally() -> None:
    assert services()["beat"]["command"] == celery_words(PROCESSES.beat().command)
    assert "beat:/data" in services()["beat"]["volumes"]


def test_web_runs_the_command_of_the_image_which_is_the_local_one() -> None:
    assert "command" not in services()["web"]
    assert command_of_image()[1:] == list(PROCESSES.web("daphne", "0.0.0.0", 8000).command[1:])


def test_the_buffer_keeps_what_was_acknowledged() -> None:
    buffer = options_of("buffer")
    assert buffer.items() >= DURABLE.items()
    assert "--maxmemory" in buffer
    assert services()["buffer"]["volumes"] == ["buffer:/data"]


def test_the_broker_gives_no_number_of_the_feed_twice() -> None:
    assert options_of("broker").items() >= DURABLE.items()
    assert services()["broker"]["volumes"] == ["broker:/data"]


def test_the_memory_of_the_buffer_leaves_room_above_what_it_may_hold() -> None:
    default = re.fullmatch(r"\$\{BUFFER_MAXMEMORY:-(\d+)gb\}", options_of("buffer")["--maxmemory"])
    assert default
    assert int(default[1]) * 2**30 >= 2 * int(DEFAULTS["BUFFER_MAX_BYTES"])


def test_the_broker_refuses_rather_than_forgets() -> None:
    assert options_of("broker")["--maxmemory-policy"] == "noeviction"


def test_only_the_proxy_publishes_a_port_and_on_loopback_unless_told() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert published == {"proxy": ["${PUBLISH:-127.0.0.1:8000}:8080"]}


def test_data_services_have_no_way_out() -> None:
    assert compose()["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "buffer", "broker"):
        assert services()[name]["networks"] == ["inside"]


@pytest.mark.parametrize("name", services())
def test_a_service_is_confined(name: str) -> None:
    service = services()[name]
    assert service["user"].split(":")[0] not in ("", "0", "root")
    assert service["read_only"] is True
    assert "/tmp" in {path.split(":")[0] for path in service["tmpfs"]}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert "privileged" not in service


def test_what_a_source_sends_waits_on_a_disk_that_its_worker_may_write() -> None:
    worker = services()["worker-sources"]
    folders = dict(reversed(volume.split(":")[:2]) for volume in worker["volumes"])
    assert folders[worker["environment"]["TMPDIR"]] in compose()["volumes"]
    assert worker["environment"].items() >= services()["worker-jobs"]["environment"].items()
    made = next(text for keyword, text in instructions() if "--owner app" in text)
    assert worker["environment"]["TMPDIR"] in made.split()


def test_snapshots_and_what_analyses_spill_are_on_a_disk_that_their_worker_may_write() -> None:
    worker = services()["worker-analyses"]
    [mount] = [volume for volume in worker["volumes"] if volume.split(":")[0] == "snapshots"]
    folder = mount.split(":")[1]
    assert "snapshots" in compose()["volumes"]
    assert worker["environment"]["TMPDIR"] == folder
    assert worker["environment"]["SNAPSHOTS_DIR"].startswith(f"{folder}/")
    assert worker["networks"] == ["inside"]
    made = next(text for keyword, text in instructions() if "--owner app" in text)
    assert folder in made.split()


@pytest.mark.parametrize("name", services())
def test_a_service_can_be_scaled_and_comes_back(name: str) -> None:
    assert "container_name" not in services()[name]
    assert services()[name]["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")


@pytest.mark.parametrize("name", services())
def test_a_service_waits_for_what_it_needs(name: str) -> None:
    for needed, how in services()[name].get("depends_on", {}).items():
        expected = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
        assert how == {"condition": expected}
        checked = services()[needed].get("healthcheck", {})
        assert needed in ONE_SHOT or "test" in checked or (needed == "web" and "HEALTHCHECK" in dict(instructions()))


@pytest.mark.parametrize("name", ["web", "beat", *(f"worker-{queue}" for queue in WORKERS)])
def test_the_application_starts_after_the_migrations(name: str) -> None:
    assert {"migrate", "postgres", "buffer", "broker"} <= set(services()[name]["depends_on"])


def test_every_volume_is_declared_and_secrets_are_written_by_one_service_alone() -> None:
    mounts = [(name, mount) for name, service in services().items() for mount in service.get("volumes", [])]
    named = {mount.split(":")[0] for _, mount in mounts if not mount.startswith("./")}
    assert named == set(compose()["volumes"])
    assert [name for name, mount in mounts if mount == "secrets:/secrets"] == ["secrets"]
