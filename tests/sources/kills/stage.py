"""Sources whose worker is killed with SIGKILL, and what is left in the end."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.utils import timezone

from ingest.flush import flush
from ingest.models import Event
from sources import runs, saving
from sources.models import Record, Run, Source, Status, Trigger
from tests.sources.kills.standing import until, wait_for_no_session
from tests.sources.kills.workers import Nursery, Worker


@dataclass
class Stage:
    nursery: Nursery

    def source(self, url: str, load: dict[str, Any], name: str = "prices", **document: Any) -> Source:
        """`document`: other members; `extract` beside kind and URL."""
        secrets = document.pop("secrets", None)
        extract = {"kind": "http", "url": url, **document.pop("extract", {})}
        source = Source(name=name)
        saving.save(source, {"version": 1, "extract": extract, "load": load, **document}, new_secrets=secrets)
        return source

    def request(self, source: Source) -> Run:
        return runs.request(source, Trigger.HAND)

    def begin(self, source: Source) -> tuple[Run, Worker]:
        return self.request(source), self.nursery.worker()

    def lose(self, worker: Worker) -> None:
        """Kill it, if that was not done yet, and see what it left in PostgreSQL ended: nothing may be held any more."""
        worker.kill()
        wait_for_no_session()

    def resume(self, run: Run) -> Run:
        """Give the run back, as a minute later, and have another worker carry it out."""
        assert reap() == 1
        run.refresh_from_db()
        assert (run.status, run.attempt) == (Status.PENDING, 1)
        return self.complete(run)

    def complete(self, run: Run) -> Run:
        def has_ended() -> bool:
            run.refresh_from_db()
            if run.status == Status.PENDING and not any(worker.runs for worker in self.nursery.workers):
                self.nursery.worker()
            return run.status not in (Status.PENDING, Status.RUNNING)

        until(has_ended, "the run has ended", 40)
        for worker in self.nursery.workers:
            worker.join()
        return run

    def run(self, source: Source) -> Run:
        """A whole one, that nobody disturbs."""
        return self.complete(self.request(source))


def reap() -> int:
    """As a minute after the last heartbeat."""
    return runs.reap(timezone.now() + timedelta(seconds=runs.LOST_SECONDS + 1))


def rows(first: int, last: int, **members: Any) -> list[dict[str, Any]]:
    return [{"id": number, "at": number, **members} for number in range(first, last + 1)]


def encoded(value: Any) -> bytes:
    return orjson.dumps(value)


def records(source: Source) -> list[Any]:
    """Their values, by number; each under its own key."""
    found = list(Record.objects.filter(source=source).values_list("key", "value"))
    assert all(key == str(value["id"]) for key, value in found)
    return sorted((value for _, value in found), key=lambda value: int(value["id"]))


def stored(stream: str) -> list[Any]:
    """The payloads of its events, by number, once all are stored."""
    flush()
    events = Event.objects.filter(stream__name=stream).values_list("payload", flat=True)
    return sorted(events, key=lambda payload: int(payload["id"]))


def told(source: Source) -> dict[str, int]:
    """How many changes of records were announced, one by one or in sum; none of them twice."""
    flush()
    counts = {"inserted": 0, "updated": 0, "deleted": 0}
    seen: set[tuple[str, bytes]] = set()
    for kind, payload in Event.objects.filter(stream__name=f"records.{source.name}").values_list("type", "payload"):
        assert kind
        if kind == "more":
            counts = {name: count + payload[name] for name, count in counts.items()}
        else:
            assert (kind, encoded(payload)) not in seen
            seen.add((kind, encoded(payload)))
            counts[kind] += 1
    return {name: count for name, count in counts.items() if count}


def state(source: Source) -> dict[str, Any]:
    """Its cursor and ETag."""
    source.refresh_from_db()
    return {name: source.state[name] for name in ("cursor", "etag") if source.state.get(name) is not None}
