"""Traces each test's call, and each further run of it, in the process that runs it."""

import functools
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _pytest.unittest import TestCaseFunction

from pytest_memgate.measure.alone import alone
from pytest_memgate.measure.environment import PROFILED
from pytest_memgate.measure.heap import forget, hide, thaw
from pytest_memgate.measure.starting import is_taken
from pytest_memgate.measure.world import look, real_world
from pytest_memgate.model.finding import Outcome
from pytest_memgate.plugin.again import STATE, ItemState, Phase, brief, finish, remember
from pytest_memgate.plugin.declared import DeclaredItem
from pytest_memgate.plugin.items import called_by, replaced
from pytest_memgate.plugin.timing import is_timed

if TYPE_CHECKING:
    from pytest_memgate.measure.capture import Recorder

NOTE = "memgate.note"
_MEMRAY_MARKERS = ("limit_memory", "limit_leaks", "limit_leaked_objects")


class Tracer:
    """The hooks that trace; what becomes of the captures in an item's state is up to who inherits them."""

    def __init__(self, cannot: str, folder: Path | None = None) -> None:
        self._cannot = cannot
        self._recorder = None if cannot else _recorder(folder)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        state = item.stash.get(STATE, None)
        if state is None or not state.inside:
            look()
            forget()
            if self._recorder:
                self._recorder.rest()
            state = ItemState()
            self._begin(item, state)
            if state.outcome:
                thaw()
            remember(item, state)
            item.stash[STATE] = state
        elif state.outcome:
            thaw()
        elif self._recorder:
            hide()
        state.phase = Phase.SETUP

    def pytest_unconfigure(self) -> None:
        thaw()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        with self._tracing(pyfuncitem, pyfuncitem, "obj"):
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        state = item.stash.get(STATE, None) or ItemState()
        state.phase = Phase.CALL
        try:
            if isinstance(item, DeclaredItem):
                return (yield)
            with alone() if is_timed(item) else nullcontext():
                return (yield from self._call(item))
        finally:
            state.phase = Phase.CALLED

    def _call(self, item: pytest.Item) -> Generator[None, object, object]:
        if isinstance(item, pytest.Function) and not isinstance(item, TestCaseFunction):
            return (yield)  # pytest_pyfunc_call is nearer to the test
        with self._tracing(item, *called_by(item)):
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        state = item.stash.get(STATE, None)
        if state is None or not state.inside:
            with real_world():
                self._before_teardown(item)
        if state is None:
            return (yield)
        state.phase = Phase.TEARDOWN
        if state.inside:
            return (yield)
        if state.runs > 1 and (error := finish(item)):
            # The first run's teardown went well: what an extra run of the test leaves behind is no error of the suite.
            item.user_properties.append((NOTE, f"{item.nodeid}: an extra run could not be torn down: {brief(error)}"))
        result = yield
        if state.late:
            pytest.fail(state.late, pytrace=False)
        if state.teardown_error:
            raise state.teardown_error
        return result

    @contextmanager
    def _tracing(self, item: pytest.Item, owner: object, name: str) -> Iterator[None]:
        """Trace the calls of an attribute, for a while."""
        state = item.stash.get(STATE, None)
        if state and state.around:
            original = getattr(owner, name)
            with replaced(owner, name, functools.wraps(original)(state.around(original))):
                yield
            return
        if state and sys.getprofile():
            state.outcome, state.why = Outcome.UNMEASURED, PROFILED
        if state is None or state.outcome or state.untraced or self._recorder is None:
            yield
            return

        def refused(why: str) -> None:
            state.outcome, state.why = Outcome.UNMEASURED, why

        if state.share and state.share.is_open:
            traced = state.share.traced(getattr(owner, name), state.captures.append)
        else:
            traced = self._recorder.traced(
                getattr(owner, name), state.captures.append, refused, every=state.tracked, bound=not state.inside
            )
        with replaced(owner, name, traced):
            yield

    def _begin(self, item: pytest.Item, state: ItemState) -> None:
        """Say of an item that is about to run whether, and how, it is traced."""
        raise NotImplementedError

    def _before_teardown(self, item: pytest.Item) -> None:
        """Do what is to be done while the wider fixtures of an item are there, and before pytest tears it down."""

    def _why_untraced(self, item: pytest.Item) -> str:
        """Return why an item cannot be traced, empty where it can."""
        if self._cannot:
            return self._cannot
        memray = item.config.pluginmanager.hasplugin("memray") or item.config.pluginmanager.hasplugin("memray_manager")
        if memray and (item.config.getoption("memray", None) or any(map(item.get_closest_marker, _MEMRAY_MARKERS))):
            return "pytest-memray traces it, and a process has only one tracker (run without --memray)"
        return ""


def _recorder(folder: Path | None) -> "Recorder":
    """Load what measures: only where memray loads, too."""
    from pytest_memgate.measure.capture import Recorder

    return Recorder(folder)


def is_nested(error: BaseException | None) -> bool:
    """Say whether an error is memray's on a second tracker."""
    while error is not None:
        if is_taken(error):
            return True
        error = error.__cause__ or error.__context__
    return False
