"""The page of the audit log as a browser gets it."""

import re
from pathlib import Path

import pytest
from django.test import Client

from access.audit_pages import ENTRIES_A_PAGE
from access.models import AuditEntry, Role
from tests.people import person

pytestmark = pytest.mark.django_db


def logged_in(name: str, role: Role, **of: str) -> Client:
    client = Client(headers={"accept": "text/html"})
    client.force_login(person(role, name=name, **of))
    return client


@pytest.fixture
def boss() -> Client:
    client = logged_in("boss", Role.ADMIN)
    AuditEntry.objects.all().delete()
    return client


def make(number: int = 1, **fields: object) -> None:
    given = {"actor": "user:1", "action": "source.update", "object_type": "source", "object_name": "weather", **fields}
    AuditEntry.objects.bulk_create(AuditEntry(**given) for _ in range(number))


def shown(client: Client, query: str = "") -> str:
    answer = client.get(f"/audit/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_is_linked_and_shown_only_to_administrators(boss: Client) -> None:
    others = [logged_in("operator", Role.OPERATOR), logged_in("part", Role.ADMIN, source="mine")]
    assert 'href="/audit/"' in boss.get("/streams/").content.decode()
    assert boss.get("/audit/").status_code == 200
    for other in others:
        assert 'href="/audit/"' not in other.get("/streams/").content.decode()
        assert other.get("/audit/").status_code == 403
    assert Client().get("/audit/").headers["Location"].startswith("/login/?next=")


def test_it_needs_no_stylesheet_but_the_common_ones(boss: Client) -> None:
    sheets = re.findall(r'rel="stylesheet" href="([^"]*)"', shown(boss))
    assert [sheet.rpartition("/")[2].partition(".")[0] for sheet in sheets] == ["pico", "site"]
    common = (Path(__file__).parents[2] / "data_handler/static/data_handler/site.css").read_text()
    for selector in (".panel.filters {", ".cards td[data-label]::before {", "table.dense {", ".pages {", ".scroll {"):
        assert selector in common


def test_entries_are_shown_with_their_changes_as_text(boss: Client) -> None:
    make(changes={"name": {"old": "<b>a", "new": "ü"}}, actor_name="<i>anna", address="192.0.2.1")
    page = shown(boss)
    assert "&lt;b&gt;a" in page
    assert "&lt;i&gt;anna" in page
    assert "<b>a" not in page
    assert "ü" in page
    assert "192.0.2.1" in page


def test_filters_choose(boss: Client) -> None:
    make(3)
    make(action="run.request", object_type="run")
    assert shown(boss).count('data-testid="entry"') == 4
    assert shown(boss, "?action=run.request").count('data-testid="entry"') == 1
    assert shown(boss, "?object=source:weather").count('data-testid="entry"') == 3
    assert shown(boss, "?since=2026-01-01T00:00").count('data-testid="entry"') == 4
    assert 'data-testid="empty"' in shown(boss, "?until=2026-01-01T00:00")
    assert 'data-testid="empty"' in shown(boss, "?actor=nobody%00")
    assert 'data-testid="empty"' in shown(boss, "?since=never")


def test_the_older_are_on_the_next_page_and_filters_stay(boss: Client) -> None:
    make(ENTRIES_A_PAGE + 2)
    make(action="run.request")
    page = shown(boss, "?action=source.update")
    assert page.count('data-testid="entry"') == ENTRIES_A_PAGE
    address = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert shown(boss, address).count('data-testid="entry"') == 2
    assert shown(boss, "?before=x").count('data-testid="entry"') == ENTRIES_A_PAGE
