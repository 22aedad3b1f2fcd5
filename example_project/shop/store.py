"""What the shop remembers: its orders and its stock, in memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it was accepted; `total` in cents."""

    number: int
    customer: str
    articles: int
    total: int


@dataclass(slots=True)
class Store:
    """The orders by number, and how many of each article are in stock."""

    orders: dict[int, Order] = field(default_factory=dict)
    stock: Counter[str] = field(default_factory=Counter)

    def place(self, customer: str, lines: list[tuple[str, int]], total: int) -> Order:
        """Keep an order and return it."""
        order = Order(len(self.orders) + 1, customer, sum(quantity for _, quantity in lines), total)
        self.orders[order.number] = order
        return order

    def deliver(self, lines: Iterable[tuple[str, int]]) -> int:
        """Add a delivery to the stock, line by line, and return how many pieces came."""
        pieces = 0
        for article, quantity in lines:
            self.stock[article] += quantity
            pieces += quantity
        return pieces
