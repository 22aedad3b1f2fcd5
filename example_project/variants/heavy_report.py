"""The day in figures, with a whole library for a mean and a median: every process that serves the shop loads it."""

from collections.abc import Sequence

import numpy as np


def summary(totals: Sequence[int]) -> dict[str, float]:
    """Return how many orders there were, and what they came to, in cents."""
    if not totals:
        return {"orders": 0}
    return {"orders": len(totals), "mean": round(float(np.mean(totals)), 2), "median": float(np.median(totals))}
