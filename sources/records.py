"""Records that people and programs write themselves, beside those that runs keep current.

They are stored, compared, queued behind one another and announced as those of runs are (`sources.load`). A record of no
source is in no stream, so its changes are not announced.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from psycopg.errors import LockNotAvailable

from sources import stats
from sources.errors import KeyTaken, RecordsBusy, SourceGone
from sources.load import values
from sources.load.changes import Change, Changes, Kind
from sources.load.staging import Entry, Merged, Staging
from sources.models import Record, Source

LOCK_SECONDS = 5
GIVEN = ("source", "key", "value", "starts_at", "ends_at")

Given = Mapping[str, Any]
"""{"source", "key", "value", "starts_at", "ends_at"}; the value is a Content."""


class Content(NamedTuple):
    """A value: as Python has it, as the JSON text that is stored, and the hash that runs make of the same value."""

    value: Any
    text: bytes
    hash: bytes


class Written(NamedTuple):
    inserted: int
    updated: int
    unchanged: int


def content(value: Any) -> Content:
    """Raises sources.errors.RowRejected for what cannot be stored as it is."""
    text, hash = values.encode_and_hash(value)
    for refusal in values.refusals([text], values.limits()).values():
        raise refusal
    return Content(value, text, hash)


def with_text(found: "QuerySet[Record]") -> "QuerySet[Record]":
    """Each with `text`, its value as PostgreSQL has it: no number loses a digit."""
    return found.select_related("source").annotate(text=Cast("value", TextField())).defer("value")


@transaction.atomic
def upsert(given: Sequence[Given], now: datetime) -> Written:
    """Make or change the records of these sources and keys. Of several with one source and key the last counts.

    Raises RecordsBusy, SourceGone.
    """
    latest: dict[Source | None, dict[str, Given]] = {}
    for one in given:
        latest.setdefault(one.get("source"), {})[one["key"]] = one
    _lock(latest)
    merged = [_store(source, list(some.values()), now) for source, some in latest.items()]
    stats.forget()
    inserted, updated = sum(one.inserted for one in merged), sum(one.changed for one in merged)
    return Written(inserted, updated, sum(one.stored for one in merged) - inserted - updated)


@transaction.atomic
def create(given: Given, now: datetime) -> int:
    """The id of the new record. Raises KeyTaken, RecordsBusy, SourceGone."""
    source = given.get("source")
    _lock([source])
    if Record.objects.filter(source=source, key=given["key"]).exists():
        raise KeyTaken(given["key"])
    _store(source, [given], now)
    stats.forget()
    return Record.objects.values_list("pk", flat=True).get(source=source, key=given["key"])


@transaction.atomic
def update(record: Record, given: Given, now: datetime) -> None:
    """Change what is given; a record that is so already is left alone.

    Raises KeyTaken, RecordsBusy, SourceGone; Record.DoesNotExist when it was deleted, or moved to another source.
    """
    _lock([record.source, given.get("source", record.source)])
    old = Record.objects.select_related("source").defer("value").get(pk=record.pk, source=record.source)
    new = {name: given[name] if name in given else getattr(old, name) for name in GIVEN if name != "value"}
    if "value" in given:
        value: Content = given["value"]
        new |= {"value": RawSQL("%s::jsonb", [value.text.decode()]), "hash": value.hash}
    if not any(_differs(old, name, new[name]) for name in new if name != "value"):
        return
    others = Record.objects.filter(source=new["source"], key=new["key"]).exclude(pk=old.pk)
    if others.exists():
        raise KeyTaken(new["key"])
    Record.objects.filter(pk=old.pk).update(**new, updated_at=now, run=None)
    text = with_text(Record.objects.all()).get(pk=old.pk).text.encode()  # type: ignore[attr-defined]
    if (old.source_id, old.key) == (new["source"] and new["source"].pk, new["key"]):
        _announce(old.source, "updated", old.key, text)
    else:
        _announce(old.source, "deleted", old.key)
        _announce(new["source"], "inserted", new["key"], text)
    stats.forget()


@transaction.atomic
def delete(record: Record) -> None:
    """Raises RecordsBusy, SourceGone."""
    _lock([record.source])
    if Record.objects.filter(pk=record.pk).delete()[0]:
        _announce(record.source, "deleted", record.key)
    stats.forget()


def _lock(sources: Iterable[Source | None]) -> None:
    """Wait for runs and others that write records of these sources, but not as long as a run may take."""
    pks = {source.pk if source else None for source in sources}
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
    try:
        for pk in sorted(pks, key=lambda pk: pk or 0):  # always in one order: nobody waits in a circle
            Staging(connection, pk, None).lock()
        wanted = [pk for pk in pks if pk is not None]
        there = list(Source.objects.select_for_update(no_key=True).order_by("pk").filter(pk__in=wanted))
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise RecordsBusy from error
        raise
    if len(there) < len(wanted):
        raise SourceGone


def _store(source: Source | None, given: Sequence[Given], now: datetime) -> Merged:
    """Of each key there is one."""
    some = sorted(given, key=lambda one: str(one["key"]))
    entries = [_entry(one["key"], one["value"], one.get("starts_at"), one.get("ends_at")) for one in some]
    staging = Staging(connection, source.pk if source else None, None)
    staging.prepare()
    merged = staging.store(entries, now)
    _note(source, merged, {entry.key: entry.value for entry in entries})
    return merged


def _entry(key: str, content: Content, starts_at: datetime | None, ends_at: datetime | None) -> Entry:
    return Entry(key, content.text, content.hash, _time(starts_at), _time(ends_at))


def _note(source: Source | None, merged: Merged, texts: Mapping[str, bytes]) -> None:
    if source is None or not merged.inserted + merged.changed:
        return
    inserted = [Change("inserted", key, texts[key]) for key in merged.inserted_keys]
    updated = [Change("updated", key, texts[key]) for key in merged.changed_keys]
    changes = Changes(source.name)
    changes.note({"inserted": merged.inserted, "updated": merged.changed}, inserted + updated)
    transaction.on_commit(changes.announce, robust=True)


def _announce(source: Source | None, kind: Kind, key: str, text: bytes = b"null") -> None:
    if source is not None:
        changes = Changes(source.name)
        changes.note({kind: 1}, [Change(kind, key, text)])
        transaction.on_commit(changes.announce, robust=True)


def _differs(old: Record, name: str, value: Any) -> bool:
    known = getattr(old, name)
    return bool((bytes(known) if name == "hash" else known) != value)


def _time(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
