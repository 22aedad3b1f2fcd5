"""Every hypothesis test draws the same examples in each run under the gate, as hypothesis itself does in CI.

Other examples need other memory: a test of dictionaries of texts had first peaks between 1.95 and 2.25 MB. The seed
does not depend on the source of the test, as that of `derandomize` does: a change of the test must not draw other
examples.
"""

from collections.abc import Iterable
from typing import Any

import pytest

_ATTRIBUTE = "_hypothesis_internal_use_seed"  # set by `hypothesis.seed()`, which would switch the database off, too
_SETTINGS = "_hypothesis_internal_use_settings"
_SEED = 0


class FixedSeed:
    """Gives a seed to tests without one, and takes their deadline, which is meant for untraced runs: for a while."""

    def __init__(self) -> None:
        self._changed: list[tuple[Any, str, Any]] = []  # test, attribute, what it was

    def give(self, items: Iterable[pytest.Item]) -> None:
        from hypothesis import settings

        for item in items:
            method = getattr(item, "obj", None)
            test = getattr(method, "__func__", method)
            if not getattr(test, "is_hypothesis_test", False):
                continue
            if getattr(test, _ATTRIBUTE, None) is None:
                self._change(test, _ATTRIBUTE, _SEED)
            own = getattr(test, _SETTINGS, None) or settings()
            if own.deadline is not None:
                self._change(test, _SETTINGS, settings(own, deadline=None))

    def take(self) -> None:
        while self._changed:
            setattr(*self._changed.pop())

    def _change(self, test: Any, attribute: str, value: object) -> None:
        self._changed.append((test, attribute, getattr(test, attribute, None)))
        setattr(test, attribute, value)
