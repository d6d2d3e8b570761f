"""A run that is cancelled ends soon, wherever it is: its worker waits for nobody."""

import sqlite3
import time
from io import BytesIO
from pathlib import Path

import pytest

from sources import runs, saving, uploads
from sources.models import Run, Source, Status
from sources.pulse import INTERVAL_SECONDS
from tests.sources.kills.stage import Stage, reap, rows
from tests.sources.kills.standing import until
from tests.sources.provider import Provider, data, drip, silent, status

pytestmark = pytest.mark.stack

UPSERT = {"kind": "upsert", "key": ["id"]}
SOON_SECONDS = 2 * INTERVAL_SECONDS + 6  # the machine may be slow; each of them would last for 20 s or more
ENDLESS = "SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n)"


def endless_query(folder: Path) -> Source:
    with sqlite3.connect(folder / "shop.sqlite") as database:
        database.execute("CREATE TABLE customer (id integer)")
    database.close()
    upload = uploads.store(BytesIO((folder / "shop.sqlite").read_bytes()), "shop.sqlite")
    source = Source(name="query")
    extract = {"kind": "sql", "url": f"sqlite:{upload.id}", "query": ENDLESS}
    saving.save(source, {"version": 1, "extract": extract, "load": UPSERT})
    return source


def test_a_cancelled_run_ends_soon_wherever_it_is(stage: Stage, provider: Provider, tmp_path: Path) -> None:
    turn = {"pagination": {"kind": "page", "size": 1}, "rate_limit": {"requests": 1, "seconds": 50}}
    sources = {
        "dripping": stage.source(provider.on("/drip", drip(provider, 0.05)), UPSERT, "dripping"),
        "silent": stage.source(provider.on("/silent", silent(provider)), UPSERT, "silent"),
        "retrying": stage.source(provider.on("/busy", status(503, Retry_After="50")), UPSERT, "retrying"),
        "queueing": stage.source(provider.on("/turn", data(rows(1, 1))), UPSERT, "queueing", extract=turn),
        "querying": endless_query(tmp_path),
    }
    started = {name: stage.begin(source)[0] for name, source in sources.items()}
    for path in ("/drip", "/silent", "/busy", "/turn"):
        until(lambda path=path: provider.asked(path), f"{path} is asked")  # type: ignore[misc]
    until(lambda: Run.objects.get(pk=started["dripping"].pk).bytes > 0, "bytes are seen while they come")
    until(lambda: Run.objects.get(pk=started["queueing"].pk).pages == 1, "pages are seen while others are to come")
    assert set(Run.objects.values_list("status", flat=True)) == {Status.RUNNING}
    for run in started.values():
        runs.cancel(run)
    cancelled_at = time.monotonic()
    until(lambda: not Run.objects.filter(status=Status.RUNNING).exists(), "all have ended", SOON_SECONDS)
    assert time.monotonic() - cancelled_at < SOON_SECONDS
    assert {name: Run.objects.get(pk=run.pk).status for name, run in started.items()} == dict.fromkeys(
        sources, Status.CANCELLED
    )
    assert set(Source.objects.values_list("failures", flat=True)) == {0}
    assert len(provider.asked("/busy")) == len(provider.asked("/turn")) == 1


def test_a_cancelled_run_whose_worker_died_is_cancelled(stage: Stage, provider: Provider) -> None:
    source = stage.source(provider.on("/", silent(provider)), UPSERT)
    run, worker = stage.begin(source)
    until(lambda: provider.asked("/"), "it is asked")
    worker.kill()
    runs.cancel(run)
    assert reap() == 1
    run.refresh_from_db()
    source.refresh_from_db()
    assert (run.status, run.error, source.failures) == (Status.CANCELLED, "", 0)
