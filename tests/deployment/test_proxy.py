import json
import re

import pytest

from tests.deployment.files import last, services, text

TEMPLATE = text("deploy/nginx.conf.template")
PROXY = services()["proxy"]


def test_what_is_filled_in_is_what_compose_gives() -> None:
    wanted = set(re.findall(r"\$\{(\w+)\}", TEMPLATE))
    passing = re.compile(PROXY["environment"]["NGINX_ENVSUBST_FILTER"].replace("$$", "$"))
    assert wanted == {name for name in PROXY["environment"] if passing.search(name)}


def test_compose_mounts_the_template_and_starts_with_what_it_becomes() -> None:
    assert "./deploy/nginx.conf.template:/etc/nginx/templates/nginx.conf.template:ro" in PROXY["volumes"]
    folder = PROXY["environment"]["NGINX_ENVSUBST_OUTPUT_DIR"]
    assert PROXY["command"][:3] == ["nginx", "-c", f"{folder}/nginx.conf"]


def test_it_listens_where_compose_publishes_and_passes_to_where_web_listens() -> None:
    port = PROXY["ports"][0].rsplit(":", 1)[1]
    assert f"listen {port} " in TEMPLATE
    assert f"server web:{last('EXPOSE')} resolve" in TEMPLATE


def test_it_writes_only_to_its_temporary_folder() -> None:
    paths = re.findall(r"(?:_temp_path|pid) (\S+);", TEMPLATE)
    assert len(paths) == 6
    assert all(path.startswith("/tmp/") for path in paths)


@pytest.mark.parametrize("header", ["X-Forwarded-Proto $forwarded_proto", "X-Forwarded-Host ''", "Forwarded ''"])
def test_what_a_client_says_of_its_origin_is_replaced(header: str) -> None:
    assert f"proxy_set_header {header};" in TEMPLATE


def test_the_address_of_a_client_is_added_behind_what_it_says_itself() -> None:
    assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in TEMPLATE
    assert services()["web"]["environment"]["TRUSTED_PROXIES"] == "${TRUSTED_PROXIES:-1}"


def test_websockets_pass() -> None:
    assert "proxy_set_header Upgrade $http_upgrade;" in TEMPLATE
    assert "proxy_set_header Connection $connection_upgrade;" in TEMPLATE


def test_its_own_errors_have_the_shape_of_all_errors() -> None:
    bodies = [json.loads(body) for body in re.findall(r"return \d+ '(\{.*\})';", TEMPLATE)]
    assert [body["error"] for body in bodies] == ["payload_too_large", "unavailable"]
    assert all(set(body) == {"error", "detail", "request_id"} for body in bodies)
