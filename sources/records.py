"""Records that people and programs write themselves, beside those that runs keep current."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from sources import stats
from sources.keys import content_hash
from sources.models import Record


class Written(NamedTuple):
    inserted: int
    updated: int
    unchanged: int


@transaction.atomic
def upsert(values: Sequence[dict[str, Any]], now: datetime) -> Written:
    """Make or change the records of these sources and keys: {"source", "key", "value", "starts_at", "ends_at"}.

    Of several with one source and key the last counts.
    """
    wanted = {(value.get("source"), value["key"]): value for value in values}
    sources = {source for source, _ in wanted}
    known = {
        (record.source, record.key): record
        for record in Record.objects.select_for_update(of=("self",))
        .select_related("source")
        .filter(key__in=[key for _, key in wanted])
        if record.source in sources
    }
    changed = [
        (known[place], value)
        for place, value in wanted.items()
        if place in known and bytes(known[place].hash) != hash_of(value)
    ]
    for record, value in changed:
        assign(record, value, now)
        record.save()
    new = [
        assign(Record(source=place[0], key=place[1], created_at=now), value, now)
        for place, value in wanted.items()
        if place not in known
    ]
    Record.objects.bulk_create(new)
    stats.forget()
    return Written(len(new), len(changed), len(wanted) - len(new) - len(changed))


def assign(record: Record, value: dict[str, Any], now: datetime) -> Record:
    """Saves nothing."""
    record.value, record.hash, record.updated_at = value["value"], hash_of(value), now
    record.starts_at, record.ends_at = value.get("starts_at"), value.get("ends_at")
    return record


def hash_of(value: dict[str, Any]) -> bytes:
    """Of what a change of is a change of the record."""
    return content_hash({name: value.get(name) for name in ("value", "starts_at", "ends_at")})
