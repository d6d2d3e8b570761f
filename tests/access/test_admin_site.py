"""Django's admin pages: for administrators."""

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.test import Client

from access.models import AuditEntry, Grant, Role
from tests.people import browser, person

pytestmark = pytest.mark.django_db

PAGES = ["/admin/", "/admin/access/apikey/", "/admin/auth/user/", "/admin/auth/group/add/", "/admin/ingest/stream/"]


@pytest.mark.parametrize("page", PAGES)
def test_administrators_are_let_in_without_being_staff(page: str) -> None:
    assert browser(person(Role.ADMIN)).get(page).status_code == 200


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_others_are_told_that_it_is_not_for_them(page: str, role: Role) -> None:
    client = browser(person(role))
    answer = client.get(page, follow=True)
    assert answer.status_code == 403
    assert "for administrators" in answer.json()["detail"]


def test_an_administrator_of_one_source_is_none_of_the_service() -> None:
    assert browser(person(Role.ADMIN, source="mine")).get("/admin/", follow=True).status_code == 403


def test_strangers_are_sent_to_the_one_log_in() -> None:
    answer = Client().get("/admin/auth/user/", follow=True)
    assert answer.redirect_chain[-1][0] == "/login/?next=/admin/auth/user/"
    assert answer.status_code == 200


def test_staff_have_djangos_own_permissions_and_nothing_of_ours() -> None:
    user = User.objects.create_user("clerk", is_staff=True)
    client = browser(user)
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/auth/user/").status_code == 403
    assert client.get("/streams/").status_code == 403


def test_who_is_disabled_loses_everything() -> None:
    user = person(Role.ADMIN)
    client = browser(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/api/streams/").status_code == 401


def test_a_group_is_granted_a_role_for_one_source() -> None:
    client, member = browser(person(Role.ADMIN)), person(name="member")
    form = {
        "name": "price watchers",
        "grant_set-TOTAL_FORMS": "1",
        "grant_set-INITIAL_FORMS": "0",
        "grant_set-0-role": "viewer",
        "grant_set-0-source": "prices",
    }
    assert client.post("/admin/auth/group/add/", form).status_code == 302
    Group.objects.get(name="price watchers").user_set.add(member)
    entry = AuditEntry.objects.get(action="group.create")
    assert entry.changes["grant_set.added"] == ["viewer of source prices"]
    assert browser(member).get("/sources/").status_code == 200


@pytest.mark.parametrize("of", [{}, {"stream": "a", "source": "b"}])
def test_a_grant_is_for_one_thing(of: dict[str, str]) -> None:
    grant = Grant(group=Group.objects.get(name="viewer"), role=Role.VIEWER, **of)
    with pytest.raises(ValidationError, match="Name either a stream or a source"):
        grant.full_clean()
