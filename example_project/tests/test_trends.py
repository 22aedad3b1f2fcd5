"""Trends of the stock, from an export of five years."""

import numpy as np
import pytest
from shop.trends import Trends

EXPORT = np.tile(np.array([3, -1, -1], dtype="<i4"), 5 * 365 * 8).tobytes()  # one piece more every three hours


@pytest.fixture
def trends() -> Trends:
    return Trends()


def test_the_change_of_a_week_is_told(trends: Trends) -> None:
    trends.load("tea", EXPORT)
    assert trends.change("tea") == 53
