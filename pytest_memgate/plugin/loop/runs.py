"""Run an item once, as pytest does, and leave its wider fixtures set up; tear these down at the end."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pluggy
import pytest
from _pytest.runner import call_and_report, runtestprotocol
from _pytest.unittest import TestCaseFunction

from pytest_memgate.measure.python.gc_freeze import answer
from pytest_memgate.plugin.test import Run, Test

_CLASSES = pytest.StashKey[set[pytest.Class]]()  # those that fixtures are set up for


def run_first(test: Test, run: Run, nextitem: pytest.Item | None) -> None:
    """Run a test for the first time, as pytest does, or as another plugin does that runs tests in its own way.

    KeyboardInterrupt and pytest.exit pass through, here and in `run_again`.
    """
    test.runs.append(run)
    item = test.item
    test.properties = list(item.user_properties)
    if isinstance(item, pytest.DoctestItem):
        test.doctest_globals = dict(item.dtest.globs)
    arguments = {"item": item, "nextitem": _next_for_one(test, nextitem)}
    for implementation in other_protocols(item):
        with _heard_by(item, _Keep(run)):
            ran = implementation.function(*(arguments[name] for name in implementation.argnames))
        if ran:
            return
    run.reports = runtestprotocol(item, log=False, nextitem=arguments["nextitem"])


def run_again(test: Test, run: Run, nextitem: pytest.Item | None) -> None:
    """Run a test once more, with fresh fixtures of its own; no plugin hears of the reports."""
    run.is_repeat = True
    test.runs.append(run)
    item = test.item
    sections, properties = item._report_sections, item.user_properties
    item._report_sections, item.user_properties = [], list(test.properties)
    _renew(test)
    try:
        run.error = _make_way(item)
        if run.error is None:
            with _heard_by(item, _Nobody()):
                run.reports = runtestprotocol(item, log=False, nextitem=_next_for_one(test, nextitem))
    finally:
        answer()
        if not isinstance(item, TestCaseFunction):
            _empty(test.instance)
        item._report_sections, item.user_properties = sections, properties
        if run.capture is None and run.error is None:
            test.runs.remove(run)  # a test may be called thousands of times


def tear_down_wider(test: Test, nextitem: pytest.Item | None) -> None:
    """Tear down the wider fixtures that the next test does not need; the test's teardown report includes that."""
    item = test.item
    if not is_last(item, nextitem):
        return
    # Plugins look at what they have kept of a test, and take it away, each time that a teardown ends.
    storage: dict[Any, Any] = item.stash._storage
    storage.update({key: value for key, value in test.stash.items() if key not in storage})
    has_arguments = hasattr(item, "funcargs")
    if has_arguments:
        item.funcargs = {}  # type: ignore[attr-defined]
    try:
        wider = call_and_report(item, "teardown", log=False, nextitem=nextitem)
    finally:
        if has_arguments:
            item.funcargs = None  # type: ignore[attr-defined]  # as at the end of pytest's protocol
    own = test.first.teardown
    if own is None:
        test.first.reports.append(wider)
        return
    own.duration += wider.duration
    own.stop, own.sections = wider.stop, wider.sections
    if wider.failed and own.passed:
        own.outcome, own.longrepr = wider.outcome, wider.longrepr
    elif wider.failed:
        own.sections = [*own.sections, ("teardown of the wider fixtures", wider.longreprtext)]


def is_last(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """True if a fixture of a class, module or session may be torn down after an item."""
    above = home(item).listchain()
    return nextitem is None or nextitem.listchain()[: len(above)] != above


def home(item: pytest.Item) -> pytest.Collector:
    """Return the innermost collector of an item that fixtures may be set up for: a class without any is none."""
    node = item.parent
    while type(node) is pytest.Class and node not in _classes_with_fixtures(item.session):
        node = node.parent
    assert isinstance(node, pytest.Collector)  # noqa: S101  # an item lies in one
    return node


def _classes_with_fixtures(session: pytest.Session) -> set[pytest.Class]:
    if _CLASSES not in session.stash:
        items = filter(_has_class_fixture, session.items)
        found = {node for item in items for node in item.listchain() if isinstance(node, pytest.Class)}
        session.stash[_CLASSES] = found
    return session.stash[_CLASSES]


def _has_class_fixture(item: pytest.Item) -> bool:
    fixtures = getattr(item, "_fixtureinfo", None)
    found = fixtures.name2fixturedefs.values() if fixtures else ()
    return any(one.scope == "class" for several in found for one in several)


def _make_way(item: pytest.Item) -> BaseException | None:
    """Tear down a class that the item is not in, so that pytest can set the item up; return an error of that.

    Only a fixture that a test has asked for in its call can be set up for such a class.
    """
    state, chain = item.session._setupstate, item.listchain()
    if all(node in chain for node in state.stack):
        return None
    try:
        state.teardown_exact(item)
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:  # noqa: BLE001  # whatever the fixture raises
        return error
    return None


def other_protocols(item: pytest.Item) -> Iterator[pluggy.HookImpl]:
    """Yield the hooks by which other plugins run tests in their own way, in the order that pytest asks them."""
    for one in reversed(item.ihook.pytest_runtest_protocol.get_hookimpls()):
        is_ours = type(one.plugin).__module__.startswith("pytest_memgate.")
        if not (one.wrapper or one.hookwrapper or is_ours or one.plugin_name == "runner"):
            yield one


def _next_for_one(test: Test, nextitem: pytest.Item | None) -> pytest.Item | None:
    """Return a next item that shares the test's collectors with fixtures: they are not torn down with the test.

    It is one object for each test, because a plugin may keep it on the item. It is not the test itself, which would
    then stay set up.
    """
    if not is_last(test.item, nextitem):
        return nextitem
    if test.twin is None:
        test.twin = copy.copy(test.item)
        test.twin.parent = home(test.item)
    return test.twin


def _renew(test: Test) -> None:
    """Put an item into the state before its last run."""
    item, instance = test.item, test.instance
    if isinstance(item, pytest.DoctestItem):
        item.dtest.globs.update(test.doctest_globals or {})
    elif isinstance(item, TestCaseFunction):
        # pytest makes a new instance for each run; hypothesis refuses to run a method of several.
        if instance is not None and hasattr(getattr(type(instance), item.originalname), "hypothesis"):
            vars(instance).clear()
            type(instance).__init__(instance, item.name)
            item._instance = instance
    else:
        _empty(instance)


def _empty(instance: object) -> None:
    """Clear the attributes that a run has set on the instance of a test's class: pytest makes it without any."""
    getattr(instance, "__dict__", {}).clear()


@contextmanager
def _heard_by(item: pytest.Item, listener: object) -> Iterator[None]:
    """Let a listener get the reports of an item, in place of all plugins."""
    session, hooks_of = item.session, item.session.gethookproxy
    session.gethookproxy = lambda path: _Hooks(hooks_of(path), listener)  # type: ignore[method-assign,assignment,return-value]
    try:
        yield
    finally:
        del session.gethookproxy


class _Hooks:
    """The hooks of an item, except those that a listener has."""

    def __init__(self, hooks: pluggy.HookRelay, listener: object) -> None:
        self._hooks = hooks
        self._listener = listener

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name, None) or getattr(self._hooks, name)


class _Keep:
    """Keeps the reports of a run, which are told later."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_runtest_logstart(self, **_: object) -> None:
        """Tell nobody yet."""

    def pytest_runtest_logreport(self, *, report: pytest.TestReport) -> None:
        """Keep the report."""
        self._run.reports.append(report)

    def pytest_runtest_logfinish(self, **_: object) -> None:
        """Tell nobody yet."""


class _Nobody:
    """Takes the reports of a repeat, and tells no plugin of them."""

    def pytest_runtest_logreport(self, **_: object) -> None:
        """Drop the report."""

    def pytest_exception_interact(self, **_: object) -> None:
        """Drop the error: no debugger starts in a repeat."""
