"""Results as the pages show them: numbers as people read them; bars, maps and tables that hold what they hold."""

from typing import Any

import pytest

from datasets import words
from datasets.definition import read
from datasets.drawing import bars, cards, comparison, correlations, missing, series
from datasets.drawing.results import DRAWINGS
from datasets.kinds.kind import BUILT_IN
from datasets.parameters import kinds
from datasets.templatetags import figures
from tests.datasets.results import BAD, COMPARE, NUMBER, POINTS, PROFILE, SWINGS, TIMESERIES, column


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "true"),
        (1234567, "1,234,567"),
        (0.0, "0"),
        (20.123456, "20.12"),
        (1.5, "1.5"),
        (1234.56, "1,234.6"),
        (98765.4, "98,765"),
        (0.00012, "0.00012"),
        (3e15, "3e+15"),
        ("x" * 400, "x" * 300 + "…"),
    ],
)
def test_a_figure_has_the_digits_it_needs(value: Any, text: str) -> None:
    assert figures.figure(value) == text


def test_shares_spans_and_moments_are_said_as_people_say_them() -> None:
    assert [figures.share(part) for part in (None, 0, 0.0004, 0.125, 0.99999, 1.0)] == [
        *("–", "0 %", "< 0.1 %", "12.5 %", "> 99.9 %", "100 %")
    ]
    assert [figures.span(seconds) for seconds in (None, 0.25, 42, 90, 7200, 86_400, 216_000)] == [
        *("–", "250 ms", "42 s", "1.5 minutes", "2 hours", "1 day", "2.5 days")
    ]
    assert [
        figures.moment(one) for one in (1767225600000, "2026-01-01T02:00:00+02:00", "2026-01-31", "soon", None)
    ] == [*("2026-01-01 00:00:00", "2026-01-01 00:00:00", "2026-01-31", "soon", "–")]


def test_the_highest_bar_is_whole_and_the_least_can_be_seen() -> None:
    drawn = bars.upright([0, 1, 10_000], ["a", "b", "c"])
    assert [(bar.height, bar.y) for bar in drawn] == [(0.0, 100.0), (1.5, 98.5), (100.0, 0.0)]
    assert drawn[0].x < drawn[1].x < drawn[2].x < 100


def test_bars_of_two_sides_share_their_place() -> None:
    here, there = (bars.upright([1, 2], ["", ""], lane, 2, 4)[1] for lane in (0, 1))
    assert here.height == there.height == 50
    assert here.x + here.width == pytest.approx(there.x, abs=0.02)


def test_a_card_has_its_histogram_in_words_and_the_quantiles_on_its_scale() -> None:
    card = cards.card(NUMBER, 1000)
    assert card.summary == "Histogram of 24 bars; the highest has 180 values, 20 – 22"
    assert (card.first, card.last) == ("-4", "44")
    assert card.box is not None
    assert (card.box.low, card.box.median, card.box.high) == (25.0, 50.0, 75.0)
    assert [label for label, _ in card.quantiles] == ["1 %", "5 %", "25 %", "median", "75 %", "95 %", "99 %"]


def test_top_values_have_their_share_of_what_is_there() -> None:
    found = column("a", "text", nulls=500, top=[{"value": "x", "count": 250}, {"value": "y", "count": 125}])
    assert [(one.share, one.width) for one in cards.card(found, 1000).top] == [(0.5, 100.0), (0.25, 50.0)]


def test_a_column_of_nothing_has_a_card() -> None:
    card = cards.card(column("a", nulls=10, null_rate=1.0), 10)
    assert (card.bars, card.box, card.quantiles, card.top, card.summary) == ([], None, [], [], "")


def test_few_correlations_are_a_matrix_and_many_a_list() -> None:
    matrix = correlations.drawn(PROFILE)
    assert matrix["names"] == ["payload.temperature", "payload.humidity"]
    assert [[(heat.text, heat.level) for heat in row] for _, row in matrix["lines"]] == [
        [("", 0), ("-0.87", -7)],
        [("-0.87", -7), ("", 0)],
    ]
    names = [f"c{number}" for number in range(30)]
    pairs = [{"a": a, "b": b, "pearson": None if b == "c1" else 0.5, "n": 9} for a in names for b in names if a < b]
    many = correlations.drawn({"columns": [column(name) for name in names], "correlations": pairs})
    assert (len(many["pairs"]), many["count"]) == (correlations.PAIRS_SHOWN, len(pairs))


def test_the_map_of_what_is_missing_leaves_out_what_is_complete() -> None:
    drawn = missing.drawn(PROFILE)
    assert [line.name for line in drawn["lines"]] == ["payload.temperature", BAD]
    assert (drawn["complete"], drawn["is_time"], drawn["first"]) == (3, True, "2026-01-01 00:00:00")
    temperature = drawn["lines"][0]
    assert len(temperature.cells) == 23
    assert temperature.summary == "Missing in 23 of 24 stretches; most, 57.5 %, in that from 2026-01-01 23:00:00"
    assert missing.drawn({**PROFILE, "missing": None})["lines"] == []


def test_a_metric_is_summed_up_and_its_table_kept_short() -> None:
    [metric, _] = series.metrics(TIMESERIES)
    assert metric.count == 60 * len(POINTS)
    assert metric.mean == pytest.approx(sum(point[2] for point in POINTS) / len(POINTS))
    assert (metric.low, metric.is_sample) == (min(point[3] for point in POINTS), False)
    assert series.evenly(list(range(1000)), 300) == list(range(0, 1000, 4))
    empty = series.metrics({"metrics": [{"column": "a", "points": [[0, 0, None, None, None, None]]}]})[0]
    assert (empty.count, empty.mean, empty.low, empty.outliers) == (0, None, None, [])


def test_swings_are_counted() -> None:
    found = series.swings(SWINGS)
    assert (found.peaks, found.troughs) == (1, 1)
    assert found.kept == 64


def test_what_drifted_most_comes_first() -> None:
    assert [drift.column["psi"] for drift in comparison.columns(COMPARE)] == [0.41, 0.14, 0.01]


def test_each_kind_is_drawn_in_its_present_version() -> None:
    ours = {name: kind for name, kind in kinds().items() if type(kind).__module__ in BUILT_IN}  # not those of tests
    versions = {name: kind.version for name, kind in ours.items()}
    assert {name: drawing.version for name, drawing in DRAWINGS.items() if name in versions} == versions


def test_a_definition_is_said_in_words() -> None:
    said = [
        words.in_words(read("events", document))
        for document in (
            {},
            {"streams": ["a", "b", "c"], "types": ["t"], "window": {"last": "24h"}},
            {"conditions": {"payload.a__gte": "1", "payload.b": "x", "payload@": "{}", "q": "pump"}},
            {"window": {"starts_at": "2026-01-01T02:00:00+02:00", "ends_at": "2026-02-01T00:00:00Z"}},
            {"window": {"ends_at": "2026-02-01T00:00:00Z"}},
        )
    ]
    assert said == [
        "events of all streams of all time",
        "events of a, b or c of type t of the last 24h",
        "events of all streams where payload.a ≥ 1 and payload.b is x and payload contains {}"
        " and the words pump are in it of all time",
        "events of all streams from 2026-01-01 00:00 UTC to 2026-02-01 00:00 UTC",
        "events of all streams until 2026-02-01 00:00 UTC",
    ]
    assert words.in_words(read("records", {"source": "prices"})) == "records of prices"
    file = read("upload", {"upload": "00000000-0000-4000-8000-000000000000"})
    assert [words.in_words(file, name) for name in ("a.csv", "")] == ["a.csv", "a file that is gone"]
