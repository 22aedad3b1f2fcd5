"""The baskets without a limit: that of every visitor who looked and left is kept for ever."""

import secrets
import threading
from collections.abc import Mapping

_baskets: dict[str, dict[str, int]] = {}
_lock = threading.Lock()  # the server has several threads


def new_visitor() -> str:
    """Return the token of a visitor who has no basket yet."""
    return secrets.token_urlsafe(16)


def put(visitor: str, article: str, quantity: int) -> Mapping[str, int]:
    """Add to a visitor's basket, or to a new one if theirs was given up, and return what is in it."""
    with _lock:
        basket = _baskets.get(visitor, {})
        _baskets[visitor] = {**basket, article: basket.get(article, 0) + quantity}
        return _baskets[visitor]


def count() -> int:
    """Return how many baskets are kept."""
    with _lock:
        return len(_baskets)
