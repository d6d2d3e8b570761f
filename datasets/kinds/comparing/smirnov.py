"""The Kolmogorov–Smirnov test: how far the distributions of two samples are apart at most, and how likely that is.

D is the greatest difference of the two empirical distribution functions. p is the chance of such a D if both came from
one distribution: Kolmogorov's, which holds for large samples, with the correction for smaller ones by Stephens ("Use of
the Kolmogorov-Smirnov, Cramer-Von Mises and Related Statistics Without Extensive Tables", 1970). Of more than 500,000
rows a random 500,000 are looked at, which changes D by some thousandths.
"""

import math
from dataclasses import dataclass

from datasets.kinds.comparing.side import Side
from datasets.kinds.profiling.field import Field, constant, projected

MOST_ROWS = 500_000


@dataclass(frozen=True)
class Difference:
    d: float
    p: float


def test(data: Side, own: Field, other: Side, theirs: Field) -> Difference | None:
    """Of one column. None where either has no numbers."""
    distance, n, m = data.table.row(
        f"WITH both_sides AS ({_values(data, own, 1)} UNION ALL {_values(other, theirs, 0)}), "
        "steps AS (SELECT x, sum(here) AS here, count(*) - sum(here) AS there FROM both_sides GROUP BY x), "
        "reached AS (SELECT sum(here) OVER upwards AS here, sum(there) OVER upwards AS there FROM steps "
        "WINDOW upwards AS (ORDER BY x ROWS UNBOUNDED PRECEDING)), "
        "whole AS (SELECT sum(here) AS n, sum(there) AS m FROM steps) "
        "SELECT max(abs(here / n - there / m)), any_value(n), any_value(m) FROM reached, whole"
    )
    return Difference(distance, chance(distance, int(n), int(m))) if n and m else None


def _values(side: Side, field: Field, here: int) -> str:
    chosen = f" AND random() < {constant(MOST_ROWS / side.rows)}" if side.rows > MOST_ROWS else ""
    return (
        f"SELECT {field.number} AS x, {here} AS here FROM {projected(side.source, [field])} "
        f"WHERE {field.number} IS NOT NULL{chosen}"
    )


def chance(distance: float, n: int, m: int) -> float:
    """p of this D between samples of n and of m."""
    root = math.sqrt(n * m / (n + m))
    return survival((root + 0.12 + 0.11 / root) * distance)


def survival(x: float) -> float:
    """1 minus Kolmogorov's distribution function, by the series that converges fast there."""
    if x <= 0:
        return 1.0
    if x < 1:
        terms = (math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8 * x * x)) for k in range(1, 5))
        return 1.0 - math.sqrt(2 * math.pi) / x * math.fsum(terms)
    return 2 * math.fsum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 11))
