"""The browser's libraries: where they come from, and what a page may load."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from access.models import Role
from data_handler import assets
from data_handler.assets import AssetsMissing
from tests.people import person


def lock() -> Any:
    return json.loads((settings.BASE_DIR / "package-lock.json").read_text(encoding="utf-8"))


def make_npm(folder: Path, version: str) -> Path:
    npm = folder / "npm"
    npm.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    npm.chmod(0o755)
    return npm


def test_every_package_is_checked_against_a_hash_and_comes_from_any_registry() -> None:
    packages = {name: package for name, package in lock()["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, f"{name} names a registry: npm install with .npmrc's setting"


def test_versions_are_pinned() -> None:
    wanted = json.loads((settings.BASE_DIR / "package.json").read_text(encoding="utf-8"))
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert version == lock()["packages"][f"node_modules/{name}"]["version"]


def test_exactly_the_needed_files_are_copied(tmp_path: Path) -> None:
    for source in assets.FILES.values():
        path = tmp_path / "node_modules" / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "of-an-older-version.js").touch()
    assets.copy(tmp_path / "node_modules", tmp_path / "assets")
    copied = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "assets").iterdir()}
    assert copied == assets.FILES
    assert {path.name for path in tmp_path.iterdir()} == {"node_modules", "assets"}


def test_the_npm_of_the_machine_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = make_npm(tmp_path, "10.2.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert assets.find_npm() == [str(npm)]


@pytest.mark.parametrize("version", ["6.14.18", "nonsense"])
def test_an_npm_that_is_too_old_is_none_and_what_failed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    make_npm(tmp_path, version)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "packages"))
    with pytest.raises(AssetsMissing, match=r"Install Node\.js with npm, then: make assets"):
        assets.find_npm()


def test_an_npm_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_npm(tmp_path, "10.2.0; test $1 = --version")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(AssetsMissing, match="Is the npm registry reachable"):
        assets.install(tmp_path, tmp_path / "assets")
    assert not (tmp_path / "assets").exists()


@pytest.mark.django_db
def test_a_page_without_the_libraries_says_what_to_do(settings: Settings) -> None:
    client = Client()
    client.force_login(person(Role.VIEWER))
    settings.STATICFILES_DIRS = []
    assert "make assets" in client.get("/streams/").content.decode()
    settings.STATICFILES_DIRS = [("assets", "anywhere")]
    assert "make assets" not in client.get("/streams/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/login/", "/admin/login/", "/streams/", "/nothing/", "/api/streams/", "/health/live"]
)
def test_every_answer_forbids_what_does_not_come_from_here(address: str) -> None:
    policy = Client().get(address).headers["Content-Security-Policy"]
    directives = {name: words for name, *words in map(str.split, policy.split(";"))}
    assert directives["default-src"] == directives["base-uri"] == directives["frame-ancestors"] == ["'none'"]
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == ["'self'"]
