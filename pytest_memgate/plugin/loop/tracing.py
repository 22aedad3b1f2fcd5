"""Traces the calls of tests in this process, which has one tracker at most."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.unittest import TestCaseFunction

from pytest_memgate.measure.memory.starting import is_taken
from pytest_memgate.measure.python.environment import PROFILED, is_profiled
from pytest_memgate.plugin.test import Around, Run, Test

if TYPE_CHECKING:
    from pytest_memgate.measure.memory.capture import Capture
    from pytest_memgate.measure.memory.recorder import Recorder
    from pytest_memgate.measure.memory.shared_tracker import Share

_MEMRAY_MARKERS = ("limit_memory", "limit_leaks", "limit_leaked_objects")


class Tracing:
    """The trackers of this process. `recorder` is None if memory `cannot` be measured, for the given reason."""

    def __init__(self, cannot: str, folder: Path | None = None) -> None:
        self._cannot = cannot
        self.recorder = None if cannot else _recorder(folder)

    def why_untraced(self, item: pytest.Item) -> str:
        """Return why an item cannot be traced, empty if it can."""
        if self._cannot:
            return self._cannot
        plugins = item.config.pluginmanager
        memray = plugins.hasplugin("memray") or plugins.hasplugin("memray_manager")
        if memray and (item.config.getoption("memray", None) or any(map(item.get_closest_marker, _MEMRAY_MARKERS))):
            return "pytest-memray traces it, and a process has only one tracker (run without --memray)"
        return ""

    def rest(self) -> None:
        """Rest between two tests: see `Recorder.rest`."""
        if self.recorder:
            self.recorder.rest()

    def traced(self, test: Test, run: Run, share: "Share | None" = None) -> None:
        """Let a run be traced, by a tracker of its own or as a share of a shared tracker."""
        recorder = self.recorder
        if test.outcome or recorder is None:
            return

        def keep(capture: "Capture") -> None:
            if run.capture:
                run.capture.close()  # another plugin calls the test again, and the last call counts
            run.capture = capture

        def around(function: Callable[..., Any]) -> Callable[..., Any]:
            if is_profiled():
                test.leave_out(PROFILED)
                if share:
                    share.lose()
            if test.outcome:
                return function
            if share and share.is_open:
                return share.traced(function, keep)
            return recorder.traced(function, keep, test.leave_out, every=test.is_tracked, bound=not run.is_repeat)

        run.around = around


@contextmanager
def around_call(item: pytest.Item, around: Around) -> Iterator[None]:
    """Put a wrapper around the function of a test, for a while, wherever its runner takes the function from.

    pytest takes the method of a unittest from the item; unittest itself, Django and Twisted take it from the instance.
    """
    if not isinstance(item, pytest.Function):
        with _replaced(item, "runtest", around(item.runtest)):
            yield
        return
    instance, function = item.instance, item.obj  # in pytest 8.0, the instance is known by the function
    wrapped = around(function)
    with _replaced(item, "obj", wrapped):
        if not isinstance(item, TestCaseFunction):
            yield
            return
        with _added(instance, item.originalname, wrapped):
            yield


def both(outer: Around | None, inner: Around) -> Around:
    """Return a wrapper that puts both around a function."""
    return (lambda function: outer(inner(function))) if outer else inner


def is_nested(error: BaseException | None) -> bool:
    """True if an error is memray's on a second tracker."""
    while error is not None:
        if is_taken(error):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def _replaced(owner: object, name: str, value: object) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextmanager
def _added(owner: object, name: str, value: object) -> Iterator[None]:
    """Give an object an attribute that its class has, too; pytest may remove it first."""
    setattr(owner, name, value)
    try:
        yield
    finally:
        vars(owner).pop(name, None)


def _recorder(folder: Path | None) -> "Recorder":
    """Import the recorder only where memray can be imported."""
    from pytest_memgate.measure.memory.recorder import Recorder

    return Recorder(folder)
