"""What was found, for reading and as JSON."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson
from rich.console import Console

from bench.figures import Figure, Finding


def show(figures: Iterable[Figure | Finding], facts: Mapping[str, str], console: Console) -> None:
    console.print(", ".join(f"{name} {fact}" for name, fact in facts.items()), soft_wrap=True)
    for figure in figures:
        console.print()
        for line in lines(figure):
            console.print(line, soft_wrap=True)


def lines(figure: Figure | Finding) -> list[str]:
    if isinstance(figure, Finding):
        return _lines_of_finding(figure)
    ratios = ", ".join(f"{one.ratio:.2f}" for one in figure.rounds)
    return [
        f"[bold]({figure.name}) {figure.title}[/bold]",
        f"    ours      {figure.ours:>10,.0f} {figure.unit}",
        f"    {figure.other_title:<9} {figure.other:>10,.0f} {figure.unit}",
        f"    ratio     {figure.ratio:>10.2f}   rounds: {ratios}",
        f"    target    {figure.verdict}",
        *(f"    last round: {note}" for note in figure.notes),
    ]


def _lines_of_finding(finding: Finding) -> list[str]:
    width = max(len(label) for label, _ in finding.rows)
    return [
        f"[bold]({finding.name}) {finding.title}[/bold]",
        *(f"    {label:<{width}}  {text}" for label, text in finding.rows),
        f"    {'target':<{width}}  {finding.verdict}",
    ]


def write_json(figures: Iterable[Figure | Finding], facts: Mapping[str, str], seconds: float, path: Path) -> None:
    found = {"machine": dict(facts), "seconds": seconds, "figures": [figure.as_json() for figure in figures]}
    path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
