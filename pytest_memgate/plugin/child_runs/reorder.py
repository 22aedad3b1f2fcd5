"""The tests of a run in another order, for `memgate calibrate`: it shows which values depend on the order."""

import random
from collections.abc import Callable, Hashable
from typing import TypeVar

import pytest

T = TypeVar("T")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the order."""
    parser.addoption("--memgate-order", metavar="ORDER", help="own, reversed, or a number: the seed of a shuffle.")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests into the order asked for."""
    # Each of xdist's workers has to find the same order: it follows from the option alone.
    items[:] = ordered(items, config.option.memgate_order, lambda item: item.path)


def ordered(items: list[T], order: str, group: Callable[[T], Hashable]) -> list[T]:
    """Return items in another order; items of one group (a file) stay together, as their fixtures do."""
    if order == "own":
        return items
    if order == "reversed":
        return items[::-1]
    dice = random.Random(int(order))  # noqa: S311  # no secret
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(group(item), []).append(item)
    shuffled = list(groups.values())
    dice.shuffle(shuffled)
    for members in shuffled:
        dice.shuffle(members)
    return [item for members in shuffled for item in members]
