"""The pages of datasets and of analyses as a browser gets them."""

from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from access.models import Role
from datasets.drawing.results import DRAWINGS
from datasets.models import AnalysisTask, Dataset, Status
from ingest.models import Stream
from sources import uploads
from tests.datasets.making import make_dataset
from tests.datasets.results import BAD, DATA, NUMBER
from tests.monitor.test_pages import Inline
from tests.people import person
from tests.sources.test_pages import make_source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


@pytest.fixture
def reader() -> Client:
    client = Client(headers={"accept": "text/html"})
    client.force_login(person(Role.VIEWER, name="reader"))
    return client


@pytest.fixture
def staff() -> Client:
    client = Client(headers={"accept": "text/html"})
    client.force_login(get_user_model().objects.create_superuser("staff"))
    return client


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def make_task(dataset: Dataset, kind: str, status: Status = Status.SUCCESS, **fields: Any) -> AnalysisTask:
    """One of the canned results."""
    version = DRAWINGS[kind].version if kind in DRAWINGS else 1
    result = {"kind": kind, "version": version, "snapshots": [], "data": DATA[kind]}
    plain = {
        "kind_version": version,
        "dataset_version": dataset.version,
        "selections": dataset.tasks.last().selections,  # type: ignore[union-attr]
        "snapshots": [{"id": "0f3a", "rows": 1000, "notes": [BAD]}],
        "result": result if status == Status.SUCCESS else None,
        "started_at": timezone.now(),
        "ended_at": timezone.now(),
        **fields,
    }
    return AnalysisTask.objects.create(dataset=dataset, kind=kind, status=status, **plain)


def make_read_dataset(name: str = "readings", **definition: Any) -> Dataset:
    """One of which the first snapshot was taken."""
    dataset = make_dataset(name, **definition)
    dataset.tasks.update(
        status=Status.SUCCESS,
        ended_at=timezone.now(),
        result={"kind": "schema", "version": 2, "data": DATA["schema"]},
        snapshots=[{"id": "0f3a"}],
    )
    Dataset.objects.filter(pk=dataset.pk).update(
        rows=1000, columns=DATA["schema"]["columns"], snapshot_at=timezone.now(), tags=[BAD], description=BAD
    )
    dataset.refresh_from_db()
    return dataset


def everywhere() -> list[str]:
    """Addresses of all pages, and markup wherever texts from outside are shown."""
    Stream.objects.create(name="sensors")
    dataset = make_read_dataset(streams=["sensors"], conditions={f"payload.{BAD}": BAD}, types=[BAD])
    tasks = [make_task(dataset, kind) for kind in DATA]
    tasks.append(make_task(dataset, "profile", Status.FAILED, error="refused", detail=BAD, parameters={BAD: BAD}))
    tasks.append(make_task(dataset, "profile", Status.RUNNING, step=BAD, progress=0.4))
    file = uploads.store(BytesIO(b"a\n1\n"), BAD)
    uploaded = make_dataset("file", "upload", upload=str(file.pk), decode={"format": "csv", "path": BAD})
    one = f"/datasets/{dataset.pk}/"
    new = [f"/datasets/new/?kind={kind}&stream={BAD}" for kind in ("events", "records", "upload", "nonsense")]
    edits = [f"{one}edit/", f"/datasets/{uploaded.pk}/", f"/datasets/{uploaded.pk}/edit/"]
    lists = ["/datasets/", f"/datasets/?q={BAD}", "/datasets/?kind=upload", f"/datasets/?tag={BAD}"]
    return [*lists, *new, one, *edits, *(f"/analyses/{task.pk}/" for task in tasks)]


def test_they_need_no_inline_script_or_style_and_show_markup_as_text(staff: Client) -> None:
    for address in everywhere():
        text, inline = page(staff, address), Inline()
        inline.feed(text)
        assert inline.found == [], address
        assert "<img" not in text, address
        assert not address.startswith("/analyses/") or "&lt;img" in text, address


def test_who_may_only_read_changes_nothing(reader: Client) -> None:
    for address in everywhere():
        if "new" in address or "edit" in address:
            assert reader.get(address).status_code == 403
        else:
            text = page(reader, address)
            assert "data-post" not in text, address
            assert "data-process" not in text, address
            assert "New dataset" not in text, address
            assert "Delete" not in text, address


def test_the_list_is_searched_by_name_description_kind_and_tag(reader: Client) -> None:
    for name, tags in (("pumps of Oslo", ["weekly"]), ("valves", ["oslo"])):
        Dataset.objects.filter(pk=make_dataset(name).pk).update(tags=tags)
    make_dataset("prices", "records", source="prices")
    Dataset.objects.filter(name="prices").update(description="From the shop in Oslo.")

    def found(query: str) -> set[str]:
        text = page(reader, f"/datasets/?{query}")
        return {name for name in ("pumps of Oslo", "valves", "prices") if f">{name}</a>" in text}

    assert found("") == {"pumps of Oslo", "valves", "prices"}
    assert found("q=oslo") == {"pumps of Oslo", "valves", "prices"}
    assert found("q=oslo&kind=events") == {"pumps of Oslo", "valves"}
    assert found("tag=weekly") == {"pumps of Oslo"}
    assert found("q=%00nothing") == set()
    assert "There is no such dataset" in page(reader, "/datasets/?q=nothing")
    assert "<option>weekly</option>" in page(reader, "/datasets/")


def test_an_empty_list_offers_the_three_kinds(staff: Client) -> None:
    text = page(staff, "/datasets/")
    assert [f"?kind={kind}" in text for kind in ("events", "records", "upload")] == [True] * 3


def test_the_list_tells_the_last_analysis(reader: Client) -> None:
    dataset = make_read_dataset(streams=["sensors"], window={"last": "7d"})
    make_task(dataset, "timeseries", Status.FAILED)
    text = page(reader, "/datasets/")
    assert "events of sensors of the last 7d" in text
    assert "1,000" in text
    assert 'data-state="failed"' in text


def test_a_dataset_shows_its_rows_its_latest_profile_and_its_history(staff: Client) -> None:
    dataset = make_read_dataset()
    make_task(dataset, "profile")
    make_task(dataset, "swings", Status.RUNNING, progress=0.4)
    text = page(staff, f"/datasets/{dataset.pk}/")
    assert text.count('data-testid="row"') == 2
    assert text.count('data-testid="task"') == 3
    assert text.count('data-testid="column"') == 5
    assert 'data-every="1"' in text
    assert 'data-insert="&lt;img' in text


def test_facts_stand_in_the_page_without_any_script(reader: Client) -> None:
    dataset = make_read_dataset()
    told = {
        "profile": ["1,000", "20.12", "about</abbr> 900", "57.5 %", "-0.87", "likely a time", "<td>20 – 22</td>"],
        "timeseries": ["+1.52", "26.2", "6 hours", "2026-01-03 03:00:00"],
        "swings": ["61.2", "peak", "trough"],
        "compare": ["large drift", "0.41", "payload.old", "not there", "1,200"],
        "query": ["oslo", "700", "4 rows"],
        "schema": ["1,000 rows, 2 columns", "k2"],
        "spread": ["&quot;high&quot;: 2"],
    }
    for kind, texts in told.items():
        text = page(reader, f"/analyses/{make_task(dataset, kind).pk}/").split("<script")[0:]
        shown = "".join(part.partition("</script>")[2] or part for part in text)
        assert [one for one in texts if one not in shown] == [], kind


def test_a_result_of_another_version_is_shown_as_json(reader: Client) -> None:
    task = make_task(make_read_dataset(), "profile", kind_version=99)
    text = page(reader, f"/analyses/{task.pk}/")
    assert 'aria-label="Result as JSON"' in text
    assert 'data-testid="column"' not in text


def test_a_comparison_names_both_and_says_when_one_has_no_rows(reader: Client) -> None:
    snapshots = [{"id": "0f3a", "dataset_name": "readings"}, {"id": "1e2b", "dataset_name": "pumps"}]
    for rows, said in (
        ({"data": 1000, "other": 0}, "The other has no rows:"),
        ({"data": 0, "other": 7}, "There are no rows here:"),
        ({"data": 0, "other": 0}, "Neither has rows:"),
    ):
        result = {"kind": "compare", "version": 1, "data": {**DATA["compare"], "rows": rows}}
        task = make_task(make_read_dataset(said), "compare", result=result, snapshots=snapshots)
        text = page(reader, f"/analyses/{task.pk}/")
        assert f"{said} values cannot be compared." in text
        assert "</a> with pumps</h1>" in text


def test_an_old_profile_is_not_shown_on_the_page_of_the_dataset(reader: Client) -> None:
    dataset = make_read_dataset()
    make_task(dataset, "profile", kind_version=99)
    assert 'aria-label="Profile"' not in page(reader, f"/datasets/{dataset.pk}/")


def test_a_task_can_be_cancelled_while_open_and_retried_when_it_failed(staff: Client) -> None:
    dataset = make_read_dataset()
    for status, button in (
        (Status.PENDING, "cancel"),
        (Status.RUNNING, "cancel"),
        (Status.FAILED, "retry"),
        (Status.CANCELLED, "retry"),
        (Status.SUCCESS, "process"),
    ):
        task = make_task(dataset, "profile", status)
        text = page(staff, f"/analyses/{task.pk}/")
        assert [name for name in ("cancel", "retry", "process") if f'{name}/"' in text] == [button], status
        assert ("?format=json" in text) == (status == Status.SUCCESS)
    assert "?format=csv" not in text
    assert "?format=csv" in page(staff, f"/analyses/{make_task(dataset, 'query').pk}/")


def test_a_page_stays_small_however_many_columns_there_are(staff: Client) -> None:
    dataset = make_read_dataset()
    columns = [{"name": f"c{number}", "type": "DOUBLE"} for number in range(10_000)]
    data = {"rows": 100, "columns": columns, "sample": [[0.5] * 10_000] * 100}
    dataset.tasks.update(result={"kind": "schema", "version": 2, "data": data})
    profile = {**DATA["profile"], "columns": [{**NUMBER, **column} for column in columns[:2000]]}
    Dataset.objects.filter(pk=dataset.pk).update(columns=columns)
    task = make_task(dataset, "profile", result={"kind": "profile", "version": 1, "data": profile})
    for address in (f"/datasets/{dataset.pk}/", f"/analyses/{task.pk}/", f"/analyses/{dataset.tasks.last().pk}/"):  # type: ignore[union-attr]
        assert len(page(staff, address)) < 600_000, address
    assert "9,700 more" in page(staff, f"/datasets/{dataset.pk}/")


def test_streams_and_sources_lead_to_a_dataset_of_theirs(staff: Client, reader: Client) -> None:
    Stream.objects.create(name="sensors")
    source = make_source("prices")
    for address, link in (("/streams/sensors/", "?stream=sensors"), (f"/sources/{source.pk}/", "?source=prices")):
        assert f'href="/datasets/new/{link}"' in page(staff, address)
        assert "Make a dataset" not in page(reader, address)


def test_nobody_sees_what_is_made_of_what_they_may_not_read() -> None:
    client = Client(headers={"accept": "text/html"})
    client.force_login(person(Role.ADMIN, stream="mine"))
    mine, other = make_read_dataset("my own", streams=["mine"]), make_read_dataset("other", streams=["other"])
    text = page(client, "/datasets/")
    assert "my own" in text
    assert ">other<" not in text
    hidden = [f"/datasets/{other.pk}/", f"/datasets/{other.pk}/edit/", f"/analyses/{make_task(other, 'query').pk}/"]
    assert [client.get(address).status_code for address in hidden] == [404] * 3
    assert client.get(f"/analyses/{make_task(mine, 'query').pk}/").status_code == 200


def test_the_form_offers_the_streams_and_sources_that_one_may_read() -> None:
    for name in ("mine", "other"):
        Stream.objects.create(name=name)
    client = Client(headers={"accept": "text/html"})
    client.force_login(person(Role.OPERATOR, stream="mine"))
    text = page(client, "/datasets/new/?stream=mine")
    assert 'value="mine" checked' in text
    assert 'value="other"' not in text


def test_the_form_holds_what_the_dataset_is(staff: Client) -> None:
    window = {"starts_at": "2026-01-01T02:00:00+02:00"}
    Stream.objects.create(name="sensors")
    dataset = make_dataset(streams=["sensors"], types=["a", "b"], conditions={"payload.n__gte": "5"}, window=window)
    text = page(staff, f"/datasets/{dataset.pk}/edit/")
    for part in ('value="sensors" checked', 'value="a, b"', 'value="payload.n__gte"', '"2026-01-01T00:00:00"'):
        assert part in text
    assert 'value="fixed" checked' in text
