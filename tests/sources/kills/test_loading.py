"""A worker that dies among the batches of a large answer."""

from io import BytesIO

import pytest
from django.db import connection

from sources import saving, uploads
from sources.loading import BATCH_ROWS
from sources.models import Record, Source, Status
from tests.sources.kills.stage import Stage, encoded, records, rows, state, told
from tests.sources.kills.standing import holding, until, wait_for_lock
from tests.sources.provider import Provider, data

pytestmark = pytest.mark.stack

UPSERT = {"kind": "upsert", "key": ["id"]}
ROWS = rows(1, 22_000)


def large(stage: Stage, provider: Provider, kind: str = "upsert") -> Source:
    url = provider.on("/", data(ROWS, ETag='"x"'))
    extract = {"cursor": {"field": "at", "parameter": "since"}}
    return stage.source(url, {"kind": kind, "key": ["id"]}, extract=extract)


def make_record(source: Source, number: int, value: str = '{"old": true}') -> None:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [source.pk, str(number), value])


INSERT = """
INSERT INTO record (source_id, key, value, hash, created_at, updated_at) VALUES (%s, %s, %s, '', now(), now())
"""


def test_between_two_batches(stage: Stage, provider: Provider) -> None:
    source = large(stage, provider)
    with holding(INSERT, source.pk, "7", "{}") as hold:
        run, worker = stage.begin(source)
        wait_for_lock("COPY record")
        with holding() as next_batch:
            hold.release()
            next_batch.take_turn(source.pk)
            wait_for_lock("pg_advisory_xact_lock")
            worker.kill()
    stage.lose(worker)
    assert (records(source), state(source)) == (rows(1, BATCH_ROWS), {})
    run = stage.resume(run)
    counts = {name: run.counts.get(name) for name in ("decoded", "inserted", "unchanged", "updated")}
    assert counts == {"decoded": 22_000, "inserted": 22_000 - BATCH_ROWS, "unchanged": BATCH_ROWS, "updated": None}
    assert (run.status, records(source)) == (Status.SUCCESS, ROWS)
    assert state(source) == {"cursor": 22_000, "etag": '"x"'}


def test_inside_the_copy_of_the_first_records(stage: Stage, provider: Provider) -> None:
    source = large(stage, provider)
    with holding(INSERT, source.pk, str(BATCH_ROWS - 1), "{}"):
        run, worker = stage.begin(source)
        wait_for_lock("COPY record")
        worker.kill()
    stage.lose(worker)
    assert (records(source), state(source), told(source)) == ([], {}, {})
    run = stage.resume(run)
    assert (run.counts["inserted"], records(source), told(source)) == (22_000, ROWS, {"inserted": 22_000})
    assert state(source) == {"cursor": 22_000, "etag": '"x"'}


def test_inside_the_merge_of_a_later_batch(stage: Stage, provider: Provider) -> None:
    source = large(stage, provider)
    make_record(source, 15_000)
    with holding("SELECT FROM record WHERE key = '15000' FOR UPDATE"):
        run, worker = stage.begin(source)
        wait_for_lock("WITH loaded")
        worker.kill()
    stage.lose(worker)
    assert Record.objects.count() == 10_001
    assert Record.objects.get(key="15000").value == {"old": True}
    run = stage.resume(run)
    assert (run.counts["inserted"], run.counts["updated"], run.counts["unchanged"]) == (11_999, 1, 10_000)
    assert (records(source), told(source)["updated"]) == (ROWS, 1)


def test_in_the_middle_of_a_replacement(stage: Stage, provider: Provider) -> None:
    source = large(stage, provider, "replace")
    for number in (5, 15_000, 70_000):
        make_record(source, number)
    with holding("SELECT FROM record WHERE key = '15000' FOR UPDATE"):
        run, worker = stage.begin(source)
        wait_for_lock("WITH loaded")
        worker.kill()
    stage.lose(worker)
    left = sorted(Record.objects.values_list("key", "value"))
    assert left == [(key, {"old": True}) for key in ("15000", "5", "70000")]
    assert (state(source), told(source)) == ({}, {})
    run = stage.resume(run)
    changes = {"inserted": 21_998, "updated": 2, "deleted": 1}
    assert {name: run.counts[name] for name in changes} == changes == told(source)
    assert (records(source), state(source)) == (ROWS, {"cursor": 22_000, "etag": '"x"'})


def test_in_the_decoder_in_the_middle_of_a_body(stage: Stage) -> None:
    """An uploaded file is read piece by piece, and the lock keeps the next piece from the decoder."""
    whole = rows(1, 30_000, note="x" * 60)
    upload = uploads.store(BytesIO(b"\n".join(map(encoded, whole))), "rows.ndjson")
    source = Source(name="prices")
    saving.save(source, {"version": 1, "extract": {"kind": "file", "upload": str(upload.id)}, "load": UPSERT})
    with holding(INSERT, source.pk, "7", "{}") as hold:
        run, worker = stage.begin(source)
        wait_for_lock("COPY record")
        with holding("LOCK TABLE upload_piece IN ACCESS EXCLUSIVE MODE"):
            hold.release()
            wait_for_lock("upload_piece")
            until(Record.objects.exists, "the first batch to be committed")
            worker.kill()
    stage.lose(worker)
    assert BATCH_ROWS <= len(records(source)) < 30_000
    run = stage.resume(run)
    assert (run.status, run.counts["decoded"], records(source)) == (Status.SUCCESS, 30_000, whole)
    assert run.counts["inserted"] + run.counts["unchanged"] == 30_000
