"""Making, changing and deleting sources."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db import transaction

from sources import runs, scheduling, secrets, stats, validation
from sources.definition import Definition
from sources.http.pages import VALIDATORS
from sources.models import Run, Source, SourceVersion

ASKED = ("url", "method", "query", "body", "table", "cursor_column", "upload")
"""Members of `extract` that say what is asked for: the cursor is of that, and of the cursor's `field`."""

MAKING = ("extract", "decode", "normalize", "map", "filter", "dedupe", "load")
"""Parts of a definition that say what becomes of an answer."""


@transaction.atomic
def save(
    source: Source, document: dict[str, Any], by: str = "", new_secrets: Mapping[str, str] | None = None
) -> list[str]:
    """Make the document the source's definition, a new version if it differs; names of secrets that were cleared.

    Of a source that is there, its name and activity are saved too, and nothing that runs write. Secrets are for the
    hosts that they were set for: when the definition asks others, they are gone. Raises validation.InvalidDefinition,
    BadDefinition; Source.DoesNotExist when it was deleted meanwhile.
    """
    definition = validation.read(document)
    host = secrets.host_of(definition)
    if source._state.adding:
        _make(source, document, by)
    else:
        _change(source, document, definition, by)
    cleared = secrets.clear_if_host_changed(source, host)
    stats.forget()
    for name, value in (new_secrets or {}).items():
        secrets.set_secret(source, name, value, host)
    return [name for name in cleared if name not in (new_secrets or {})]


def _make(source: Source, document: dict[str, Any], by: str) -> None:
    source.definition = document
    scheduling.plan(source)
    source.save()
    _keep_version(source, by)


def _change(source: Source, document: dict[str, Any], definition: Definition, by: str) -> None:
    known = Source.objects.select_for_update().get(pk=source.pk)
    source.definition, source.version, source.next_run_at = document, known.version, known.next_run_at
    source.state, source.failures = known.state, known.failures
    if (source.active, document.get("schedule")) != (known.active, known.definition.get("schedule")):
        source.next_run_at = None
        scheduling.plan(source)
    if document != known.definition:
        source.version += 1
        source.state = _kept(known.state, msgspec.convert(known.definition, Definition), definition)
        _keep_version(source, by)
    source.save(update_fields=["name", "active", "definition", "version", "state", "next_run_at", "updated_at"])


def _keep_version(source: Source, by: str) -> None:
    SourceVersion.objects.create(source=source, version=source.version, definition=source.definition, created_by=by)


def _kept(state: dict[str, Any], old: Definition, new: Definition) -> dict[str, Any]:
    """What is still true: the cursor, if the same is asked for; an ETag, if the same would be made of the answer."""
    if _asked(old) != _asked(new):
        return {}
    if all(getattr(old, part) == getattr(new, part) for part in MAKING):
        return state
    return {name: value for name, value in state.items() if name not in VALIDATORS}


def _asked(definition: Definition) -> list[Any]:
    extract = definition.extract
    cursor = getattr(extract, "cursor", None)
    return [type(extract), cursor and cursor.field, *(getattr(extract, name, None) for name in ASKED)]


@transaction.atomic
def start_over(source: Source) -> None:
    """The next run reads everything, as the first one did; records and events stay. Raises runs.AlreadyRunning."""
    known = Source.objects.select_for_update().get(pk=source.pk)
    runs.require_idle(known)
    Source.objects.filter(pk=known.pk).update(state={})


@transaction.atomic
def delete(source: Source) -> None:
    """With its runs and records. A run that is under way commits nothing any more: it does not find itself."""
    Run.objects.filter(source=source).delete()
    Source.objects.select_for_update().filter(pk=source.pk).first()  # who writes records waits from here on
    source.delete()
    stats.forget()
