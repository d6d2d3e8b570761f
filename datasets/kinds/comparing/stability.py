"""The population stability index: how far the shares of groups of values have moved.

    PSI = sum over groups of (p - q) ln(p / q)

of shares p here and q in the baseline (Siddiqi, "Credit Risk Scorecards", 2006; also there the reading of it: below 0.1
no change to speak of, to 0.25 a moderate one, above a large one). Lest an empty group make it infinite, a share counts
as at least 0.0001. By chance alone it is about (groups - 1) (1/n + 1/m) for n and m values (Yurdakul,
"Statistical Properties of Population Stability Index", 2018), which matters below some hundred.
"""

import math
from collections.abc import Sequence

LEAST_SHARE = 0.0001
MODERATE, LARGE = 0.1, 0.25


def index(data: Sequence[float], baseline: Sequence[float]) -> float:
    """Of shares of the same groups."""
    return math.fsum(_part(max(p, LEAST_SHARE), max(q, LEAST_SHARE)) for p, q in zip(data, baseline, strict=True))


def reading(psi: float) -> str:
    return "none" if psi < MODERATE else "moderate" if psi < LARGE else "large"


def _part(p: float, q: float) -> float:
    return (p - q) * math.log(p / q)
