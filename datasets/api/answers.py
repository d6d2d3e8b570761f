"""What may be wrong with what was asked for, as answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import Http404
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError

from datasets.errors import AnalysisError, Invalid, InvalidAnalysis, InvalidDataset, NameTaken
from datasets.models import Dataset


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


def problems(field: str, error: Invalid) -> dict[str, Any]:
    """Of a document that is given as `field`, by the place in it."""
    return {field: [{"pointer": error.pointer, "message": str(error)}]}


@contextmanager
def said() -> Iterator[None]:
    try:
        yield
    except NameTaken as error:
        raise ValidationError({"name": [str(error)]}) from error
    except InvalidDataset as error:
        raise ValidationError(problems("definition", error)) from error
    except InvalidAnalysis as error:
        raise ValidationError(problems(error.field, error)) from error
    except AnalysisError as error:
        raise Conflict(str(error), error.code) from error
    except Dataset.DoesNotExist as error:
        raise Http404 from error
