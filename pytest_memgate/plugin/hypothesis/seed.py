"""Every hypothesis test draws the same examples in each run under the gate, as hypothesis itself does in CI.

Other examples need other memory: a test of dictionaries of texts had first peaks between 1.95 and 2.25 MB. The seed
does not depend on the source of the test, as that of `derandomize` does: a change of the test must not draw other
examples.
"""

from collections.abc import Iterable
from typing import Any

import pytest

_ATTRIBUTE = "_hypothesis_internal_use_seed"  # set by `hypothesis.seed()`, which would switch the database off, too
_SEED = 0


class FixedSeed:
    """Gives a seed to tests without one, and takes it away again."""

    def __init__(self) -> None:
        self._seeded: list[Any] = []

    def give(self, items: Iterable[pytest.Item]) -> None:
        """Give the seed to the tests that have none."""
        for item in items:
            method = getattr(item, "obj", None)
            test = getattr(method, "__func__", method)
            if getattr(test, "is_hypothesis_test", False) and getattr(test, _ATTRIBUTE, None) is None:
                setattr(test, _ATTRIBUTE, _SEED)
                self._seeded.append(test)

    def take(self) -> None:
        """Take the seed from the tests that got it here."""
        while self._seeded:
            setattr(self._seeded.pop(), _ATTRIBUTE, None)
