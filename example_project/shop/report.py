"""The day in figures."""

from collections.abc import Sequence
from statistics import fmean, median


def summary(totals: Sequence[int]) -> dict[str, float]:
    """Return how many orders there were, and what they came to, in cents."""
    if not totals:
        return {"orders": 0}
    return {"orders": len(totals), "mean": round(fmean(totals), 2), "median": median(totals)}
