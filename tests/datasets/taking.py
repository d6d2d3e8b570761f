"""Datasets of events that the service itself has stored, and snapshots of them."""

import io
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from datasets import snapshots
from datasets.children import Limits
from datasets.engine.table import Table
from datasets.models import Dataset
from ingest.envelope import Event
from ingest.flush import flush
from ingest.models import Stream
from sources import uploads
from sources.models import Upload
from tests.datasets.tables import opened
from tests.ingest.factory import push_chunk

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
AMPLE = Limits(60.0, 700 << 20)


def store(stream: Stream, *payloads: Any, type: str = "reading", at: datetime = NOW - timedelta(minutes=5)) -> None:
    """Events that were received then, each with a key and a time."""
    texts = [orjson.dumps(payload) for payload in payloads]
    events: list[Event] = [(f"{at} {number}", type, at.isoformat(), text) for number, text in enumerate(texts)]
    push_chunk(stream, events, now_ms=round(at.timestamp() * 1000))
    flush()


def dataset(kind: str = "events", name: str = "a dataset", **definition: Any) -> Dataset:
    return Dataset.objects.create(name=name, kind=kind, definition=definition, owner="user:1")


def upload(content: bytes, name: str = "file.csv", content_type: str = "") -> Upload:
    return uploads.store(io.BytesIO(content), name, content_type)


def dataset_of(content: bytes, name: str = "file.csv", **decode: Any) -> Dataset:
    """Of an uploaded file."""
    return dataset("upload", str(uuid4()), upload=str(upload(content, name).id), decode=decode)


def obtain(of: Dataset, now: datetime = NOW, limits: Limits = AMPLE, ended: threading.Event | None = None) -> Path:
    return snapshots.obtain(of, now, lambda *_: None, ended or threading.Event(), limits)


def take(of: Dataset, now: datetime = NOW) -> Table:
    return opened(obtain(of, now))


def column(table: Table, name: str) -> list[Any]:
    """Its values, in order."""
    return [value for (value,) in table.rows(f'SELECT "{name}" FROM data ORDER BY ALL')]
