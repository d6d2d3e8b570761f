"""Datasets that are made, changed and deleted, and the files that they are of."""

from datetime import timedelta

import pytest
from django.utils import timezone

from access.models import Scope
from access.principals import Principal, limited
from access.reach import EVERYWHERE, Reach
from datasets import definition, saving
from datasets.errors import InvalidDataset, NameTaken
from datasets.models import Dataset
from sources import uploads
from sources.models import Source, Upload
from tests.datasets.making import make_dataset
from tests.datasets.uploading import make_upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


def file_of(upload: Upload) -> dict[str, str]:
    return {"upload": str(upload.pk)}


def later() -> int:
    return uploads.prune(timezone.now() + timedelta(days=2))


def test_another_definition_is_another_version_of_which_nothing_is_known() -> None:
    dataset = make_dataset(streams=["a"])
    Dataset.objects.update(rows=7, columns=[], snapshot_at=timezone.now())
    saved = saving.change(dataset, {"name": "new", "tags": ["t"], "definition": {"streams": ["a"]}})
    assert (saved.dataset.version, saved.dataset.name, saved.dataset.rows, saved.task) == (1, "new", 7, None)
    saved = saving.change(dataset, {"definition": {"streams": ["b"]}})
    assert (saved.dataset.version, saved.dataset.name) == (2, "new")
    assert (saved.dataset.rows, saved.dataset.columns, saved.dataset.snapshot_at) == (None, None, None)


def test_a_name_is_given_once() -> None:
    make_dataset("a")
    other = make_dataset("b")
    with pytest.raises(NameTaken, match="of the name 'a'"):
        make_dataset("a")
    with pytest.raises(NameTaken):
        saving.change(other, {"name": "a"})
    assert sorted(Dataset.objects.values_list("name", flat=True)) == ["a", "b"]


@pytest.mark.parametrize("text", ["\x00", "\ud800"])
def test_what_cannot_be_stored_is_said(text: str) -> None:
    with pytest.raises(InvalidDataset, match="cannot be stored"):
        saving.read("events", {"streams": [f"a{text}"]})


def test_a_file_stays_as_long_as_a_dataset_is_of_it() -> None:
    upload = make_upload()
    one, other = (make_dataset(name, "upload", **file_of(upload)) for name in ("one", "other"))
    assert later() == 0
    saving.delete(one)
    assert later() == 0
    saving.delete(other)
    assert not Upload.objects.exists()


def test_a_file_that_a_source_reads_too_stays_without_its_dataset() -> None:
    upload = make_upload()
    Source.objects.create(name="s", definition={"extract": {"kind": "file", **file_of(upload)}})
    dataset = make_dataset("one", "upload", **file_of(upload))
    saving.delete(dataset)
    upload.refresh_from_db()
    assert not upload.kept
    Source.objects.all().delete()
    assert later() == 1


def test_a_dataset_that_gets_another_file_lets_the_old_one_go() -> None:
    old, new = make_upload(), make_upload(b"id\n7\n", "other.csv")
    dataset = make_dataset("one", "upload", **file_of(old))
    saving.change(dataset, {"definition": file_of(new)})
    assert [upload.name for upload in Upload.objects.all()] == ["other.csv"]


def test_a_dataset_of_a_file_that_is_gone_is_not_made() -> None:
    upload = make_upload()
    uploads.delete(upload.pk)
    with pytest.raises(InvalidDataset, match="send the file again"):
        make_dataset("one", "upload", **file_of(upload))


def test_the_file_of_somebody_else_is_not_there() -> None:
    asked = definition.File(make_upload(created_by="user:1").pk)
    reach = Reach(frozenset({"a"}))
    assert saving.usable_upload(Principal("user:1", limited([Scope.OPERATE], reach)), Scope.OPERATE, asked)
    assert saving.usable_upload(Principal("user:2", limited([Scope.OPERATE], EVERYWHERE)), Scope.OPERATE, asked)
    with pytest.raises(InvalidDataset, match="There is no upload"):
        saving.usable_upload(Principal("user:2", limited([Scope.OPERATE], reach)), Scope.OPERATE, asked)
