"""How the result of each kind of analysis is shown: by which template, with what beside the result itself."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from datasets.drawing import cards, comparison, correlations, missing, series
from datasets.models import AnalysisTask, Status

Prepare = Callable[[Mapping[str, Any]], dict[str, Any]]
CARDS_SHOWN = 60
CELLS_SHOWN = 20_000
COLUMNS_SHOWN = 300
COLUMNS_OF_SAMPLE = 40


class Drawing(NamedTuple):
    """`version`: of the kind whose results look as the template wants them. Others are shown as JSON."""

    template: str
    version: int
    prepare: Prepare


def _profile(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cards": cards.cards(data, CARDS_SHOWN),
        "hidden": max(len(data["columns"]) - CARDS_SHOWN, 0),
        "correlations": correlations.drawn(data),
        "missing": missing.drawn(data),
    }


def _timeseries(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"metrics": series.metrics(data), "gaps": series.gaps(data)}


def _swings(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"swings": series.swings(data)}


def _comparison(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "drifts": comparison.columns(data)[:CARDS_SHOWN],
        "hidden": max(len(data["columns"]) - CARDS_SHOWN, 0),
    }


def _table(data: Mapping[str, Any]) -> dict[str, Any]:
    """As many rows as a browser shows with ease."""
    most = max(CELLS_SHOWN // max(len(data["columns"]), 1), 1)
    return {"rows": data["rows"][:most], "hidden": max(len(data["rows"]) - most, 0)}


def _schema(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"columns": columns(data["columns"]), "sample": sample(data["columns"], data["sample"])}


def columns(found: Sequence[Any]) -> dict[str, Any]:
    return {"shown": found[:COLUMNS_SHOWN], "hidden": max(len(found) - COLUMNS_SHOWN, 0)}


def sample(found: Sequence[Any], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Only as many columns as can be looked at."""
    return {
        "columns": found[:COLUMNS_OF_SAMPLE],
        "rows": [row[:COLUMNS_OF_SAMPLE] for row in rows],
        "hidden": max(len(found) - COLUMNS_OF_SAMPLE, 0),
    }


DRAWINGS = {
    "profile": Drawing("datasets/results/profile.html", 1, _profile),
    "timeseries": Drawing("datasets/results/timeseries.html", 1, _timeseries),
    "swings": Drawing("datasets/results/swings.html", 1, _swings),
    "compare": Drawing("datasets/results/compare.html", 1, _comparison),
    "query": Drawing("datasets/results/query.html", 1, _table),
    "schema": Drawing("datasets/results/schema.html", 2, _schema),
}
JSON = "datasets/results/json.html"


def shown(task: AnalysisTask) -> dict[str, Any] | None:
    """`template`, `data` and what the template needs; None while there is no result."""
    if task.status != Status.SUCCESS or not task.result:
        return None
    data = task.result["data"]
    drawing = DRAWINGS.get(task.kind)
    if drawing is None or drawing.version != task.kind_version:
        return {"template": JSON, "data": data, "text": json.dumps(data, indent=2, ensure_ascii=False)}
    return {"template": drawing.template, "data": data, **drawing.prepare(data)}


def is_table(task: AnalysisTask) -> bool:
    """Whether the result can be had as CSV."""
    data = (task.result or {}).get("data") or {}
    return isinstance(data.get("rows"), list) and isinstance(data.get("columns"), list)
