"""What articles cost, in cents."""

from collections.abc import Mapping

PRICES: Mapping[str, int] = {"apples": 320, "bread": 450, "coffee": 1290, "honey": 780, "tea": 640}
_FREE_DELIVERY_FROM = 5000
_DELIVERY = 490


class UnknownArticleError(Exception):
    """An order names an article that the shop does not sell."""


def total(lines: list[tuple[str, int]]) -> int:
    """Return the price of (article, quantity) lines with delivery, in cents."""
    unknown = next((article for article, _ in lines if article not in PRICES), None)
    if unknown is not None:
        raise UnknownArticleError(unknown)
    goods = sum(PRICES[article] * quantity for article, quantity in lines)
    return goods if goods >= _FREE_DELIVERY_FROM else goods + _DELIVERY
