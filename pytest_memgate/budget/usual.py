"""What a metric's default budget allows."""

from pytest_memgate.budget.rule import Allowance
from pytest_memgate.model.metric import metric


def usual_growth(name: str, unit: str, value: float) -> float | None:
    """Return the growth that the default budget of a metric allows above a value, None if it has none."""
    text = metric(name, unit).growth
    return Allowance.parse(text, unit).of(value) if text else None
