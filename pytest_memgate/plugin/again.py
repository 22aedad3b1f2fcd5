"""Run an item again, with fresh function-scoped fixtures and the wider ones kept."""

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

import pluggy
import pytest
from _pytest.unittest import TestCaseFunction

from pytest_memgate.measure.heap import answer
from pytest_memgate.measure.world import staged_world
from pytest_memgate.model.finding import Finding, Outcome

if TYPE_CHECKING:
    from pytest_memgate.measure.capture import Capture  # it needs memray
    from pytest_memgate.measure.span import Share


class Phase(Enum):
    """Where a run of an item is."""

    SETUP = "setup"
    CALL = "call"
    CALLED = "called"
    TEARDOWN = "teardown"


@dataclass(slots=True)
class ItemState:
    """What is known of an item while it runs.

    `outcome` and `why` are set where its memory is not to be judged, `untraced` while it must not be traced;
    `tracked` says that each of its allocations is to be recorded.
    `findings` are those on what it measured itself; `probed` says of what kind that was, where it was more than a
    number. `inside` holds while it is run again; `runs` counts its runs, `phase` is where the present one is.
    `teardown_error` is what the first run's teardown raised, which pytest has not seen yet, and `late` says what was to
    be measured in a teardown, when the test has been judged. `around` wraps its calls in place of a trace of their own,
    `twin` stands in for the next item. `share` is its part of a tracker that it has in common with other tests;
    `passed` and `failed` are then what its phases came to; `nested` says that one failed as it uses memray itself,
    `asked` that one failed after it had asked the collector. `settled` is the share that settled it, if its first one
    did not. `part_error` is what a part of a further run, a subtest, raised.
    """

    outcome: Outcome | None = None
    why: str = ""
    captures: "list[Capture]" = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    probed: str = ""
    untraced: bool = False
    tracked: bool = False
    inside: bool = False
    runs: int = 1
    phase: Phase = Phase.SETUP
    late: str = ""
    teardown_error: BaseException | None = None
    around: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None
    twin: pytest.Item | None = None
    share: "Share | None" = None
    settled: "Share | None" = None
    passed: bool = False
    failed: bool = False
    nested: bool = False
    asked: bool = False
    doctest_globals: dict[str, Any] | None = None
    part_error: BaseException | None = None

    def close(self) -> None:
        while self.captures:
            self.captures.pop().close()


_CURRENT = "PYTEST_CURRENT_TEST"
_STOP = (pytest.exit.Exception, KeyboardInterrupt)
STATE = pytest.StashKey[ItemState]()


def remember(item: pytest.Item, state: ItemState) -> None:
    """Keep what a run of `item` uses up."""
    if isinstance(item, pytest.DoctestItem):
        state.doctest_globals = dict(item.dtest.globs)


def run_again(item: pytest.Item, state: ItemState) -> BaseException | None:
    """Tear `item` down, set it up and call it once more; return what went wrong, if anything did.

    The item is left set up, as pytest expects it after a call. KeyboardInterrupt and pytest.exit pass through.
    """
    with _inside(item, state):
        error = _teardown(item)
        if error and state.runs == 1:
            state.teardown_error = error
        return _anew(item, state, error)


def run_apart(item: pytest.Item, state: ItemState) -> BaseException | None:
    """Set `item` up, call it and tear it down once more, in the midst of its own teardown; return what went wrong.

    The item must be torn down already, the wider fixtures must not: it is what the finalizer of an item that runs last
    finds. What pytest, its log and its capture know of the teardown that goes on is as it was afterwards.
    """
    stash, current = dict(item.stash._storage), os.environ[_CURRENT]
    capture = item.config.pluginmanager.get_plugin("capturemanager")
    if capture:
        capture.suspend_global_capture()
        for stream, text in zip(("stdout", "stderr"), capture.read_global_capture(), strict=True):
            item.add_report_section("teardown", stream, text)
    try:
        with _inside(item, state):
            error = _anew(item, state, None)
            return _teardown(item) or error
    finally:
        os.environ[_CURRENT] = current
        item.stash._storage.update({key: value for key, value in stash.items() if key not in item.stash})
        if capture:
            capture.resume_global_capture()


@contextmanager
def _inside(item: pytest.Item, state: ItemState) -> Iterator[None]:
    sections = len(item._report_sections)
    session, hooks_of = item.session, item.session.gethookproxy
    state.inside = True
    session.gethookproxy = lambda path: _Unheard(hooks_of(path), state)  # type: ignore[method-assign,assignment,return-value]
    try:
        with staged_world():
            yield
    finally:
        del session.gethookproxy
        state.inside = False
        answer()
        del item._report_sections[sections:]


class _Unheard:
    """The hooks of an item that is run again: what a part of it reports, as a subtest does, nobody else is told."""

    def __init__(self, hooks: pluggy.HookRelay, state: ItemState) -> None:
        self._hooks = hooks
        self._state = state

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hooks, name)

    def pytest_runtest_makereport(self, *, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        report: pytest.TestReport = self._hooks.pytest_runtest_makereport(item=item, call=call)
        if self._state.phase is Phase.CALL and report.failed and call.excinfo:
            self._state.part_error = self._state.part_error or call.excinfo.value
            report.outcome, report.longrepr = "passed", None
        return report

    def pytest_runtest_logreport(self, **_: object) -> None: ...

    def pytest_exception_interact(self, **_: object) -> None: ...


def _anew(item: pytest.Item, state: ItemState, error: BaseException | None) -> BaseException | None:
    """Set `item` up and, if there is no `error` by then, call it."""
    state.runs += 1
    _renew(item, state)
    state.part_error = None
    error = _phase(item, "setup", lambda: item.ihook.pytest_runtest_setup(item=item)) or error
    error = error or _phase(item, "call", lambda: item.ihook.pytest_runtest_call(item=item))
    return error or state.part_error


def _teardown(item: pytest.Item) -> BaseException | None:
    return _phase(item, "teardown", lambda: item.ihook.pytest_runtest_teardown(item=item, nextitem=stand_in(item)))


def finish(item: pytest.Item) -> BaseException | None:
    """Tear down what only the last extra run of `item` has set up; return what went wrong, if anything did."""
    with staged_world():
        call = pytest.CallInfo.from_call(
            lambda: item.session._setupstate.teardown_exact(stand_in(item)), "teardown", reraise=_STOP
        )
    return call.excinfo.value if call.excinfo else None


def stand_in(item: pytest.Item) -> pytest.Item:
    """Return a next item that shares all of `item`'s collectors, so that only `item` itself is torn down.

    (Passed as its own next item, it would stay set up. A plugin may keep it on the item: a new one each time would keep
    all those before.)
    """
    state = item.stash[STATE]
    if state.twin is None:
        state.twin = copy.copy(item)
    return state.twin


def _phase(
    item: pytest.Item, when: Literal["setup", "call", "teardown"], step: Callable[[], object]
) -> BaseException | None:
    """Run one phase as pytest does, report included: fixtures and plugins look at it. The report goes nowhere."""
    call = pytest.CallInfo.from_call(step, when, reraise=_STOP)
    report: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=call)
    if report.passed:
        return None
    return call.excinfo.value if call.excinfo else RuntimeError(f"its {when} did not pass")


def _renew(item: pytest.Item, state: ItemState) -> None:
    if isinstance(item, pytest.DoctestItem):
        item.dtest.globs.update(state.doctest_globals or {})
    if isinstance(item, pytest.Function) and not isinstance(item, TestCaseFunction) and item.cls is not None:
        # A fresh instance of the test's class: pytest makes one when these are missing.
        item.__dict__.pop("_instance", None)
        item._obj = None
    if hasattr(item, "_initrequest"):
        item._initrequest()


def brief(error: BaseException) -> str:
    """Return an error in one line."""
    text = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {text}"[:200] if text else type(error).__name__
