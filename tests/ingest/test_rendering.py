"""Whatever stands in an answer can be written, and no number loses a digit."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import orjson
import pytest

from ingest.rendering import OrjsonRenderer


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"n": 1 << 64}, '{"n":18446744073709551616}'),
        ([{"n": [-(1 << 63) - 1, True]}], '[{"n":[-9223372036854775809,true]}]'),
        ({"n": Decimal("1.10000000000000000000000001")}, '{"n":1.10000000000000000000000001}'),
        ({"n": Decimal("NaN")}, '{"n":"NaN"}'),
        ({"\ud800": "a\udfffb", 1: 2}, '{"?":"a?b","1":2}'),
        ({"n": 1 << 64, "text": orjson.Fragment("1.50")}, '{"n":18446744073709551616,"text":1.50}'),
        (
            {"n": 1 << 64, "at": datetime(2026, 1, 1, tzinfo=UTC)},
            '{"n":18446744073709551616,"at":"2026-01-01T00:00:00Z"}',
        ),
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(0))), '"2026-01-01T00:00:00Z"'),
    ],
)
def test_it_is_written_as_it_is(data: Any, text: str) -> None:
    assert OrjsonRenderer().render(data).decode() == text


def test_no_content_is_no_text() -> None:
    assert OrjsonRenderer().render(None) == b""
