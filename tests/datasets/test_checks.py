from django.core.checks import run_checks
from pytest_django import Settings


def test_kinds_that_cannot_be_imported_are_said_before_the_start(settings: Settings) -> None:
    settings.DATASETS_EXTRA_KINDS = ["tests.datasets.odd_kinds", "nowhere.kinds"]
    [error] = run_checks()
    assert error.msg == "DATASETS_EXTRA_KINDS names nowhere.kinds, which cannot be imported: No module named 'nowhere'"
