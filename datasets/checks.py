"""What `migrate` and `check` look at before the service starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from datasets.kinds import kind


def extra_kinds(**kwargs: Any) -> list[CheckMessage]:
    """DATASETS_EXTRA_KINDS can be imported."""
    found: list[CheckMessage] = []
    for module in settings.DATASETS_EXTRA_KINDS:
        try:
            kind.load([module])
        except Exception as error:
            said = f"DATASETS_EXTRA_KINDS names {module}, which cannot be imported: {error}"
            found.append(Error(said, hint="Its folder has to be in PYTHONPATH.", id="datasets.E001"))
    return found
