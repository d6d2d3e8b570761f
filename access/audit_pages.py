"""The page of the audit log."""

import json
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.audit_api import OF_EVERYTHING, filtered
from access.models import AuditEntry, Scope
from access.pages import needs
from access.principals import principal_of

ENTRIES_A_PAGE = 100
FILTERS = ("actor", "action", "object", "since", "until")
MOST_DIGITS = 18


def navigation(request: HttpRequest) -> dict[str, Any]:
    """A context processor."""
    return {"may_see_audit": lambda: principal_of(request.user).is_admin}


@never_cache
@require_safe
@needs(Scope.MANAGE)
def audit(request: HttpRequest) -> HttpResponse:
    """`?before=`: an id; older entries follow."""
    if not principal_of(request.user).is_admin:
        raise PermissionDenied(OF_EVERYTHING)
    asked = {name: value for name in FILTERS if (value := request.GET.get(name, "").replace("\x00", "").strip())}
    found, before = filtered(asked), request.GET.get("before", "")
    if before.isdecimal() and len(before) <= MOST_DIGITS:
        found = found.filter(pk__lt=int(before))
    entries = list(found.order_by("-pk")[: ENTRIES_A_PAGE + 1])
    older = entries[ENTRIES_A_PAGE - 1].pk if len(entries) > ENTRIES_A_PAGE else None
    context = {
        "asked": asked,
        "lines": [(entry, changes_text(entry)) for entry in entries[:ENTRIES_A_PAGE]],
        "older": urlencode({**asked, "before": older}) if older else "",
    }
    return render(request, "access/audit.html", context)


def changes_text(entry: AuditEntry) -> str:
    return json.dumps(entry.changes, indent=2, ensure_ascii=False) if entry.changes else ""
