"""What the way in counts for `/metrics`."""

from typing import Any

from ingest import counters
from tests.ingest.posting import Poster


class Counted:
    """What was counted since this was made."""

    def __init__(self) -> None:
        counters.flush()
        self._before = counters.read().counts

    def __call__(self, name: str, **labels: str) -> int:
        counters.flush()
        key = (name, tuple(labels.items()))
        return counters.read().counts.get(key, 0) - self._before.get(key, 0)


async def test_accepted_and_rejected_events_are_counted(post: Poster) -> None:
    counted = Counted()
    await post([{"a": 1}, {"a": 2}, 3, {"a": "\0"}, []])
    assert counted("accepted_events") == 2
    assert counted("rejected_events", code="not_an_object") == 2
    assert counted("rejected_events", code="nul_character") == 1
    assert counted("requests", status="202") == 1


async def test_a_request_of_which_nothing_is_kept_counts_what_was_wrong(post: Poster) -> None:
    counted = Counted()
    bodies: list[Any] = [[1, 2], b"{"]
    for body in bodies:
        await post(body)
    await post({}, authorization="Bearer dh_wrong")
    assert counted("accepted_events") == 0
    assert counted("rejected_events", code="not_an_object") == 2
    assert [counted("requests", status=status) for status in ("202", "400", "401")] == [0, 2, 1]
    codes = ("all_events_rejected", "malformed_json", "not_authenticated")
    assert [counted("refused_requests", code=code) for code in codes] == [1, 1, 1]
