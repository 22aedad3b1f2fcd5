"""Runs tests of a group once more while the wider fixtures are there: in the teardown of the one that ran last."""

import pytest

from pytest_memgate.errors import CaptureError, MeasureError
from pytest_memgate.plugin.again import STATE, ItemState, finish, run_apart


class Apart:
    """Runs tests again, from within the teardown of the `last` one; where there is none, `why` says why it cannot."""

    def __init__(self, last: pytest.Item | None, why: str = "") -> None:
        self._last = last
        self._why = why
        self._is_ready = False

    @property
    def is_possible(self) -> bool:
        return self._last is not None

    def ready(self) -> None:
        """Tear the last item down ahead of its time, but not the wider fixtures; its teardown tells of an error."""
        state = self._last.stash.get(STATE, None) if self._last and not self._is_ready else None
        self._is_ready = True
        if self._last and state:
            state.teardown_error = finish(self._last)

    def __call__(self, item: pytest.Item, state: ItemState) -> BaseException | None:
        """Measure a test once more, after its teardown; return what went wrong, if anything did."""
        if self._last is None:
            return MeasureError(self._why)
        self.ready()
        known, state.untraced = len(state.captures), False
        error = run_apart(item, state)
        if item is not self._last:  # with which pytest is not done yet
            item._request = False  # type: ignore[attr-defined]  # as at the end of its protocol
            item.funcargs = None  # type: ignore[attr-defined]
        return error or (None if len(state.captures) > known else CaptureError(state.why or "it was not traced"))
