"""Making, changing and deleting datasets."""

from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction

from access.differences import storable
from access.principals import Principal
from access.reach import EVERYWHERE
from datasets import analyses, definition
from datasets.definition import File
from datasets.errors import InvalidDataset, NameTaken
from datasets.kinds.schema import SchemaKind
from datasets.models import AnalysisTask, Dataset, DatasetKind
from sources import uploads
from sources.models import Upload


class Saved(NamedTuple):
    """`task` finds out rows and columns, when these may be others than before."""

    dataset: Dataset
    task: AnalysisTask | None


def read(kind: str, document: Any) -> dict[str, Any]:
    """The definition as it is stored. Raises InvalidDataset."""
    stored = definition.document(definition.read(kind, document))
    if storable(stored) != stored:
        raise InvalidDataset((), "It holds a character that cannot be stored: NUL, or half of a pair.")
    return stored


@transaction.atomic
def make(dataset: Dataset, by: str = "") -> Saved:
    """Keep a new one. Raises NameTaken."""
    _write(dataset)
    _settle_uploads(named_upload(dataset))
    return Saved(dataset, analyses.request(dataset, SchemaKind(), {}, by).task)


@transaction.atomic
def change(dataset: Dataset, fields: dict[str, Any], by: str = "") -> Saved:
    """Some of `name`, `description`, `tags` and `definition`; another definition is another version.

    Raises NameTaken, and Dataset.DoesNotExist when it was deleted meanwhile.
    """
    known = Dataset.objects.select_for_update().get(pk=dataset.pk)
    is_other = fields.get("definition", known.definition) != known.definition
    before = named_upload(known)
    for name, value in fields.items():
        setattr(known, name, value)
    if is_other:
        known.version += 1
        known.rows = known.columns = known.snapshot_at = None
    _write(known)
    if not is_other:
        return Saved(known, None)
    _settle_uploads(before, named_upload(known))
    return Saved(known, analyses.request(known, SchemaKind(), {}, by).task)


@transaction.atomic
def delete(dataset: Dataset) -> None:
    """With its tasks. One that is under way ends: it does not find itself any more."""
    file = named_upload(dataset)
    dataset.delete()
    _settle_uploads(file)


def _write(dataset: Dataset) -> None:
    try:
        with transaction.atomic():
            dataset.save()
    except IntegrityError as error:
        raise NameTaken(f"There is a dataset of the name {dataset.name!r}.") from error


def named_upload(dataset: Dataset) -> UUID | None:
    return UUID(dataset.definition["upload"]) if dataset.kind == DatasetKind.UPLOAD else None


def usable_upload(asker: Principal, scope: str, document: File) -> Upload:
    """The file that a definition names, for who sent it and for those without limits. Raises InvalidDataset."""
    upload = Upload.objects.filter(pk=document.upload, complete=True).first()
    if upload is None or (upload.created_by != asker.name and asker.reach(scope) != EVERYWHERE):
        raise InvalidDataset(("upload",), f"There is no upload {document.upload}, or no longer: send the file again.")
    return upload


def _settle_uploads(*ids: UUID | None) -> None:
    """Files that datasets use are kept, and those that none uses any more are deleted, unless a source does.

    Who makes another dataset of a file and who deletes the last one wait for each other. Raises InvalidDataset.
    """
    for id in filter(None, ids):
        file = Upload.objects.filter(pk=id)
        is_there = bool(file.select_for_update().values_list("pk"))
        is_used = Dataset.objects.filter(kind=DatasetKind.UPLOAD, definition__upload=str(id)).exists()
        if is_used and not is_there:
            raise InvalidDataset(("upload",), f"The upload {id} was deleted just now: send the file again.")
        if is_used or id in uploads.used():
            file.update(kept=is_used)
        else:
            uploads.delete(id)
