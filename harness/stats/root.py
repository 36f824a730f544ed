"""Where a function crosses zero, by Chandrupatla's method (1997, Advances in Engineering Software 28, 145-149).

scipy has it too, but scipy.optimize takes longer to load than a run takes to decide.
"""

from __future__ import annotations

import sys
from collections.abc import Callable


def root(function: Callable[[float], float], low: float, high: float, xtol: float = 2e-12) -> float:
    """A zero of a continuous function that has opposite signs at `low` and `high`; raises ValueError if it has not."""
    # The zero lies between x1, the newest point, and x2; x3 is the point before them, and f1 to f3 are the values there.
    x1, x2 = float(high), float(low)
    f1, f2 = float(function(x1)), float(function(x2))
    if not (f1 <= 0 <= f2 or f2 <= 0 <= f1):
        raise ValueError(f"the function has no change of sign between {low} and {high}")
    share = 0.5
    while True:
        nearest, value = (x1, f1) if abs(f1) < abs(f2) else (x2, f2)
        reach = (xtol + 4 * sys.float_info.epsilon * abs(nearest)) / 2
        if not value or abs(x2 - x1) <= 2 * reach:
            return nearest
        least = reach / abs(x2 - x1)
        x = x1 + min(max(share, least), 1 - least) * (x2 - x1)
        f = float(function(x))
        if (f > 0) == (f1 > 0):
            x1, x3, f1, f3 = x, x1, f, f1
        else:
            x1, x2, x3, f1, f2, f3 = x, x1, x2, f, f1, f2
        share = _inverse_quadratic(x1, x2, x3, f1, f2, f3)


def _inverse_quadratic(x1: float, x2: float, x3: float, f1: float, f2: float, f3: float) -> float:
    """Where the inverse parabola through three points is zero, as a share of the way from x1 to x2; half where it cannot be trusted."""
    place, height = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
    if not (height**2 < place and (1 - height) ** 2 < 1 - place):
        return 0.5
    return f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
