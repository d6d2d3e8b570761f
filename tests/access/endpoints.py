"""Every address and method of the service, with what it needs."""

from collections.abc import Iterator
from typing import NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver

from access.models import Scope

ADMIN = "admin"
ANYBODY = "anybody"
KNOWN = "known"
NOT_OURS = ("admin/", "login/", "logout/", "favicon.ico")
"""Django's own; tests/access/test_admin_site.py and test_login.py look at them."""
UNSAFE = ("post", "put", "patch", "delete")


class Endpoint(NamedTuple):
    """`needs`: a scope, or ADMIN, KNOWN (who may read or send), ANYBODY. `of`: the kind of thing named."""

    method: str
    address: str
    needs: str
    of: str = ""

    @property
    def is_page(self) -> bool:
        return not self.address.startswith(("/api/", "/metrics")) or self.address.startswith("/api/schema/swagger")


READ, OPERATE, MANAGE = Scope.READ, Scope.OPERATE, Scope.MANAGE
ENDPOINTS = [
    Endpoint("get", "/", READ),
    Endpoint("get", "/streams/", READ),
    Endpoint("get", "/streams/{stream}/", READ, "stream"),
    Endpoint("get", "/dead-letters/", READ),
    Endpoint("get", "/sources/", READ),
    Endpoint("get", "/sources/new/", MANAGE),
    Endpoint("get", "/sources/{source}/", READ, "source"),
    Endpoint("get", "/sources/{source}/edit/", MANAGE, "source"),
    Endpoint("get", "/sources/{source}/export/", READ, "source"),
    Endpoint("get", "/sources/runs/{run}/", READ, "source"),
    Endpoint("get", "/records/", READ),
    Endpoint("get", "/datasets/", READ),
    Endpoint("get", "/datasets/new/", OPERATE),
    Endpoint("get", "/datasets/{dataset}/", READ, "stream"),
    Endpoint("get", "/datasets/{dataset}/edit/", MANAGE, "stream"),
    Endpoint("get", "/analyses/{task}/", READ, "stream"),
    Endpoint("get", "/audit/", MANAGE, "everything"),
    Endpoint("get", "/metrics", READ, "everything"),
    Endpoint("get", "/health/live", ANYBODY),
    Endpoint("get", "/health/ready", ANYBODY),
    Endpoint("get", "/api/keys/", ADMIN),
    Endpoint("post", "/api/keys/", ADMIN),
    Endpoint("get", "/api/keys/{key}/", ADMIN),
    Endpoint("delete", "/api/keys/{key}/", ADMIN),
    Endpoint("get", "/api/audit/", MANAGE, "everything"),
    Endpoint("get", "/api/audit/{entry}/", MANAGE, "everything"),
    Endpoint("get", "/api/events/", READ),
    Endpoint("get", "/api/events/aggregate/", READ),
    Endpoint("get", "/api/events/export/", READ),
    Endpoint("get", "/api/events/{event}/", KNOWN, "receipt"),
    Endpoint("get", "/api/streams/{stream}/events/", READ, "named stream"),
    Endpoint("get", "/api/streams/{stream}/events/aggregate/", READ, "named stream"),
    Endpoint("get", "/api/streams/{stream}/events/export/", READ, "named stream"),
    Endpoint("get", "/api/streams/", READ),
    Endpoint("post", "/api/streams/", MANAGE),
    Endpoint("get", "/api/streams/{stream}/", READ, "stream"),
    Endpoint("patch", "/api/streams/{stream}/", MANAGE, "stream"),
    Endpoint("get", "/api/streams/{stream}/indexes/", READ, "stream"),
    Endpoint("post", "/api/streams/{stream}/indexes/", MANAGE, "stream"),
    Endpoint("delete", "/api/streams/{stream}/indexes/{index}/", MANAGE, "stream"),
    Endpoint("get", "/api/dead-letters/", READ),
    Endpoint("post", "/api/dead-letters/discard/", OPERATE),
    Endpoint("post", "/api/dead-letters/replay/", OPERATE),
    Endpoint("get", "/api/dead-letters/{letter}/", READ, "stream"),
    Endpoint("delete", "/api/dead-letters/{letter}/", OPERATE, "stream"),
    Endpoint("post", "/api/dead-letters/{letter}/replay/", OPERATE, "stream"),
    Endpoint("get", "/api/stats/", READ),
    Endpoint("get", "/api/stats/top-records/", READ),
    Endpoint("get", "/api/stats/history/", READ),
    Endpoint("get", "/api/data_sources/", READ),
    Endpoint("post", "/api/data_sources/", MANAGE),
    Endpoint("get", "/api/data_sources/schema/", READ),
    Endpoint("post", "/api/data_sources/preview/", MANAGE),
    Endpoint("post", "/api/data_sources/test/", MANAGE),
    Endpoint("post", "/api/data_sources/validate/", MANAGE),
    Endpoint("get", "/api/data_sources/{source}/", READ, "source"),
    Endpoint("patch", "/api/data_sources/{source}/", MANAGE, "source"),
    Endpoint("delete", "/api/data_sources/{source}/", MANAGE, "source"),
    Endpoint("get", "/api/data_sources/{source}/versions/", READ, "source"),
    Endpoint("post", "/api/data_sources/{source}/run/", OPERATE, "source"),
    Endpoint("post", "/api/data_sources/{source}/backfill/", OPERATE, "source"),
    Endpoint("post", "/api/data_sources/{source}/start-over/", OPERATE, "source"),
    Endpoint("post", "/api/data_sources/{source}/preview/", MANAGE, "source"),
    Endpoint("post", "/api/data_sources/{source}/test/", MANAGE, "source"),
    Endpoint("get", "/api/runs/", READ),
    Endpoint("get", "/api/runs/{run}/", READ, "source"),
    Endpoint("post", "/api/runs/{run}/cancel/", OPERATE, "source"),
    Endpoint("post", "/api/runs/{run}/retry/", OPERATE, "source"),
    Endpoint("get", "/api/records/", READ),
    Endpoint("get", "/api/records/export/", READ),
    Endpoint("post", "/api/records/", MANAGE),
    Endpoint("post", "/api/records/upsert/", MANAGE),
    Endpoint("get", "/api/records/{record}/", READ, "source"),
    Endpoint("put", "/api/records/{record}/", MANAGE, "source"),
    Endpoint("patch", "/api/records/{record}/", MANAGE, "source"),
    Endpoint("delete", "/api/records/{record}/", MANAGE, "source"),
    Endpoint("get", "/api/uploads/", OPERATE),
    Endpoint("post", "/api/uploads/", OPERATE),
    Endpoint("get", "/api/uploads/{upload}/", MANAGE, "everything"),
    Endpoint("delete", "/api/uploads/{upload}/", MANAGE, "everything"),
    Endpoint("get", "/api/datasets/", READ),
    Endpoint("post", "/api/datasets/", OPERATE),
    Endpoint("get", "/api/datasets/kinds/", READ),
    Endpoint("post", "/api/datasets/upload/", OPERATE),
    Endpoint("get", "/api/datasets/{dataset}/", READ, "stream"),
    Endpoint("patch", "/api/datasets/{dataset}/", MANAGE, "stream"),
    Endpoint("delete", "/api/datasets/{dataset}/", MANAGE, "stream"),
    Endpoint("post", "/api/datasets/{dataset}/process/", OPERATE, "stream"),
    Endpoint("get", "/api/datasets/{dataset}/sample/", READ, "stream"),
    Endpoint("get", "/api/tasks/", READ),
    Endpoint("get", "/api/tasks/{task}/", READ, "stream"),
    Endpoint("get", "/api/tasks/{task}/result/", READ, "stream"),
    Endpoint("post", "/api/tasks/{task}/cancel/", OPERATE, "stream"),
    Endpoint("post", "/api/tasks/{task}/retry/", OPERATE, "stream"),
    Endpoint("get", "/api/schema/", READ),
    Endpoint("get", "/api/schema/swagger-ui/", READ),
]


def routes() -> Iterator[tuple[str, str]]:
    """Name of each route of the service, and each method that it answers."""
    for name, pattern in _patterns(get_resolver().url_patterns):
        if not name.startswith(NOT_OURS):
            for method in _methods(pattern.callback):
                yield name, method


def _patterns(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        path = (before + str(pattern.pattern)).replace("/^", "/")
        if isinstance(pattern, URLPattern):
            yield path, pattern
        else:
            yield from _patterns(pattern.url_patterns, path)


def _methods(view: object) -> list[str]:
    """A plain function is a page; those allow reading only."""
    cls = getattr(view, "cls", None)
    if cls is None:
        return ["get"]
    allowed = [name.lower() for name in cls.http_method_names]
    answered = getattr(view, "actions", None) or {name: name for name in allowed if hasattr(cls, name)}
    return [name for name in ("get", *UNSAFE) if name in answered and name in allowed]
