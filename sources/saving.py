"""Making and changing sources."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from sources import scheduling, secrets, stats, validation
from sources.models import Source, SourceVersion


@transaction.atomic
def save(
    source: Source, document: dict[str, Any], by: str = "", new_secrets: Mapping[str, str] | None = None
) -> list[str]:
    """Make the document the source's definition, a new version if it differs; names of secrets that were cleared.

    Secrets are for the hosts that they were set for: when the definition asks others, they are gone. Raises
    validation.InvalidDefinition, BadDefinition.
    """
    definition = validation.read(document)
    host = secrets.host_of(definition)
    is_new = source.pk is None
    if is_new or document != source.definition:
        source.version = 1 if is_new else source.version + 1
        source.definition = document
        scheduling.plan(source)
        source.save()
        SourceVersion.objects.create(source=source, version=source.version, definition=document, created_by=by)
    else:
        scheduling.plan(source)
        source.save()
    cleared = secrets.clear_if_host_changed(source, host)
    stats.forget()
    for name, value in (new_secrets or {}).items():
        secrets.set_secret(source, name, value, host)
    return [name for name in cleared if name not in (new_secrets or {})]
