"""What watchers were told, compared with what is stored: every event shown, counted, or said to be missing. Pure."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from tests.faults.check import Problem
from tests.faults.evidence import Row, Stored
from tests.faults.watchers import Heard


class Numbered(NamedTuple):
    """`ends`: epoch → the last number that it reached, as far as anybody saw; the newest epoch last.

    `unheard`: how many events at most got a number of an epoch that ended before anybody heard of it, or none.
    """

    ends: dict[str, int]
    unheard: int

    @property
    def total(self) -> int:
        return sum(self.ends.values())

    @property
    def slack(self) -> int:
        """Within one epoch everything is exact."""
        return self.unheard if len(self.ends) > 1 else 0


def compare_heard(heard: Sequence[Heard], numbered: Numbered, stored: Stored) -> list[Problem]:
    accepted = [*stored.events, *stored.dead, *(stored.by_id[id] for id in stored.duplicates.values())]
    found = [Problem("numbers differ from events", tuple(_misnumbered(numbered, len(accepted))))]
    for kind, check in CHECKS.items():
        subjects = chain.from_iterable(check(watcher, numbered, accepted, stored) for watcher in heard)
        found.append(Problem(kind, tuple(subjects)))
    return [problem for problem in found if problem.subjects]


def _misnumbered(numbered: Numbered, accepted: int) -> Iterator[str]:
    if abs(accepted - numbered.total) > numbered.slack:
        yield f"{accepted} events were accepted, {numbered.total} numbers given: {numbered.ends}"


def gave_up(watcher: Heard, numbered: Numbered, accepted: list[Row], stored: Stored) -> Iterator[str]:
    if watcher.fault:
        yield f"{watcher.interest.name}: {watcher.fault}"


def untold(watcher: Heard, numbered: Numbered, accepted: list[Row], stored: Stored) -> Iterator[str]:
    """Numbers neither covered nor missing."""
    name, heard = watcher.interest.name, watcher.covered + watcher.missing
    newest, end = list(numbered.ends.items())[-1]
    if watcher.ends.get(newest) != end:
        yield f"{name} was told up to {watcher.ends.get(newest)} of {end}"
    if heard != sum(watcher.ends.values()):
        yield f"{name} was told of {heard} numbers, up to {watcher.ends}"
    if numbered.total - heard > numbered.slack:
        yield f"{name} was told of {heard} numbers of {numbered.total}"


def miscounted(watcher: Heard, numbered: Numbered, accepted: list[Row], stored: Stored) -> Iterator[str]:
    """Exact unless something was missing, of which nobody knows what it was."""
    due = sum(watcher.interest.wants(row.number or 0, row.type) for row in accepted)
    unknown = watcher.missing + watcher.unchecked + numbered.slack
    if not due - unknown <= watcher.matched <= due + numbered.slack:
        yield f"{watcher.interest.name}: {watcher.matched} counted of {due}, {unknown} unknown"


def misshown(watcher: Heard, numbered: Numbered, accepted: list[Row], stored: Stored) -> Iterator[str]:
    for (_, id), (number, type_) in watcher.shown.items():
        row = stored.standing_for(id)
        if row is None or (row.number, row.type) != (number, type_) or not watcher.interest.wants(number, type_):
            yield f"{watcher.interest.name}: {id} (number {number}, type {type_})"


def shown_again(watcher: Heard, numbered: Numbered, accepted: list[Row], stored: Stored) -> Iterator[str]:
    return (f"{watcher.interest.name}: {id}" for id in watcher.again)


Check = Callable[[Heard, Numbered, list[Row], Stored], Iterator[str]]

CHECKS: dict[str, Check] = {
    "a watcher gave up": gave_up,
    "neither shown nor said to be missing": untold,
    "counted wrongly for watchers": miscounted,
    "shown and not stored so, or not asked for": misshown,
    "shown twice": shown_again,
}
