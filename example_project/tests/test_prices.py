"""Prices, without any web: what the middleware does cannot touch these."""

import pytest
from shop.prices import UnknownArticleError, total


@pytest.mark.parametrize(
    ("lines", "cents"),
    [([("tea", 1)], 1130), ([("honey", 2), ("bread", 1)], 2500), ([("coffee", 4)], 5160)],
    ids=["one article", "two articles", "free delivery"],
)
def test_an_order_costs_its_articles_and_delivery(lines: list[tuple[str, int]], cents: int) -> None:
    assert total(lines) == cents


def test_an_unknown_article_has_no_price() -> None:
    with pytest.raises(UnknownArticleError, match="gold"):
        total([("tea", 1), ("gold", 1)])
