"""A run as tables."""

from rich.console import Console
from rich.table import Table

from tests.faults.check import Problem
from tests.faults.experiment import Result

MOST_SUBJECTS = 20


def show(result: Result, console: Console) -> None:
    console.print(episodes(result))
    console.print(totals(result))
    console.print(watchers(result))
    for problem in result.problems:
        console.print(_text(problem), style="red", markup=False)
    if not result.problems:
        console.print(
            "Nothing acknowledged is lost, nothing is stored twice, watchers were told of everything.", style="green"
        )


def episodes(result: Result) -> Table:
    table = Table(
        "fault", "pid", title="Seconds until events were accepted, stored and shown again; what clients saw meanwhile"
    )
    for name in ("accepted", "stored", "shown", "refused", "silent", "slowest"):
        table.add_column(name, justify="right")
    for episode in result.episodes:
        others = len(episode.pids) - 1
        table.add_row(
            str(episode.fault),
            f"{episode.pids[0]}{f' +{others}' if others else ''}",
            *map(_seconds, (episode.accepting_seconds, episode.storing_seconds, episode.showing_seconds)),
            f"{episode.refused:,}",
            f"{episode.unanswered:,}",
            _seconds(episode.slowest_seconds),
        )
    return table


def watchers(result: Result) -> Table:
    accepted, numbered = result.stored.events_in_ledger, result.numbered
    table = Table(
        "watcher", title=f"Watchers: {numbered.total:,} numbers in {len(numbered.ends)} epochs for {accepted:,} events"
    )
    for name in ("covered", "matched", "shown", "unchecked", "in gaps", "gaps"):
        table.add_column(name, justify="right")
    for heard in result.heard:
        counts = (heard.covered, heard.matched, len(heard.shown), heard.unchecked, heard.missing)
        gaps = "; ".join(f"{reason}: {', '.join(map(str, sizes))}" for reason, sizes in heard.sizes.items())
        table.add_row(heard.interest.name, *(f"{count:,}" for count in counts), gaps)
    return table


def totals(result: Result) -> Table:
    sent, stored = result.sent, result.stored
    table = Table("", "", title="Events", show_header=False)
    table.columns[1].justify = "right"
    counts = {
        "sent": sent.total,
        "acknowledged": len(set(sent.acknowledged.values())),
        "resent": sent.resent,
        "unknown": len(sent.unknown),
        "stored": len(stored.events),
        "duplicates": len(stored.duplicates),
        "dead letters": len(stored.dead),
        "lost": _count(result, "lost"),
        "doubled": _count(result, "doubled"),
    }
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    return table


def _count(result: Result, kind: str) -> int:
    return sum(len(problem.subjects) for problem in result.problems if problem.kind == kind)


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.2f}"


def _text(problem: Problem) -> str:
    more = len(problem.subjects) - MOST_SUBJECTS
    subjects = ", ".join(problem.subjects[:MOST_SUBJECTS]) + (f" and {more:,} more" if more > 0 else "")
    return f"{problem.kind}: {subjects}"
