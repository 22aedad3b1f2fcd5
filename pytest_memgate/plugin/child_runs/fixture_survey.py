"""For an update: memory that fixtures fill once a process and keep is first use that a test pays in another order.

Loaded with `-p` in a process of its own, where tests are set up and torn down but not called: of tests with the same
fixtures and markers, one. Memory that is alive at its end outlives all fixtures. An environment variable names the file
that it is written to, with the reason if it is not all.
"""

import gc
import json
import os
from collections import defaultdict
from collections.abc import Callable, Generator
from functools import wraps
from pathlib import Path

import pytest
from _pytest.main import pytest_cmdline_main as run_session
from _pytest.unittest import TestCaseFunction

from pytest_memgate.measure.compiling.bytecode import traced_imports
from pytest_memgate.measure.memory.capture import Capture, new_tracker
from pytest_memgate.measure.memory.reading import reading
from pytest_memgate.measure.resources.reserved import touched
from pytest_memgate.measure.stacks.call_sites import Frame
from pytest_memgate.measure.stacks.import_hook import module_of
from pytest_memgate.measure.stacks.owners import FirstUse, owner_of
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.plugin.child_runs.no_side_outputs import without_the_gate
from pytest_memgate.plugin.loop.tracing import around_call

_INTO = Path(os.environ.pop("MEMGATE_SURVEY"))
_LEAST = 1000  # bytes: smaller call sites are not listed; chosen, far below the noise of first use
_PHASES, _RUNNER = {"pytest_runtest_setup", "pytest_runtest_call"}, str(Path("_pytest", "runner.py"))
_DONE = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
_modules: set[str] = set()  # of tests, and conftest files
_awaited: set[pytest.Item] = set()  # tests that are still to be set up
_failed: list[str] = []


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | pytest.ExitCode:
    """Run the session in this very frame: memray knows only the callers below the frame where it started."""
    without_the_gate(config)
    capture = Capture()
    with traced_imports(), new_tracker(capture):
        code = run_session(config)
        gc.collect()
    told = {"left": _left(capture, Places(config.rootpath)), "why": _why_not_all(code)}
    _INTO.write_text(json.dumps(told), encoding="utf-8")
    capture.close()
    return code


def pytest_itemcollected(item: pytest.Item) -> None:
    """Remember the modules of tests: an import of theirs is not first use of a package."""
    _modules.update(getattr(node.obj, "__name__", "") for node in item.listchain() if isinstance(node, pytest.Module))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave only tests that differ in what is set up for them, and remember them."""
    kinds: dict[object, pytest.Item] = {}
    for item in session.items:
        kinds.setdefault(_kind(item), item)
    session.items[:] = kinds.values()
    _awaited.update(session.items)


def _kind(item: pytest.Item) -> object:
    """Return a key that is equal for tests of one class or module with the same fixtures, parameters and markers."""
    if not isinstance(item, pytest.Function):
        return item
    known = item._fixtureinfo.name2fixturedefs.items()
    # What a test itself is parametrized with is a fixture, too, since pytest 8: one that only returns its value.
    fixtures = {name: several for name, several in known if several[-1].func.__module__ != "_pytest.python"}
    call = getattr(item, "callspec", None)
    parameters = {name: call.indices[name] for name in fixtures if name in call.indices} if call else {}
    return item.parent, repr(fixtures), repr(parameters), repr(item.own_markers)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Call nothing in place of the test."""
    with around_call(item, _calling_nothing):
        return (yield)


def _calling_nothing(function: Callable[..., object]) -> Callable[..., None]:
    @wraps(function)
    def call_nothing(*_: object, **__: object) -> None: ...

    return call_nothing


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call() -> bool:
    """Take the call of a function: it does nothing."""
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note whether a test could be set up."""
    report = yield
    _awaited.discard(item)
    is_setup = call.when == "setup" or (call.when == "call" and isinstance(item, TestCaseFunction))
    if is_setup and report.failed:
        _failed.append(item.nodeid)
    return report


def _why_not_all(code: int | pytest.ExitCode) -> str:
    """Return why the memory of some fixtures is not known, empty if all of it is."""
    if _failed:
        return f"{_failed[0]} could not be set up{_and_more(len(_failed))}"
    if _awaited:
        return f"{min(item.nodeid for item in _awaited)} was not reached{_and_more(len(_awaited))}"
    return "" if code in _DONE else f"pytest ended with {int(code)}"


def _and_more(number: int) -> str:
    return f", nor {number - 1} more" if number > 1 else ""


def _left(capture: Capture, places: Places) -> FirstUse:
    """Return the bytes still held, by owner and call site, without those of imported modules, measured elsewhere."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    with reading(capture.path) as reader:
        for record in touched(reader.get_leaked_allocation_records(merge_threads=True)):
            owner, part = owner_of(_within(record.stack_trace()), places)
            if owner and not part.endswith(":<module>"):
                found[owner][part] += record.size
    kept = {owner: {part: size for part, size in parts.items() if size >= _LEAST} for owner, parts in found.items()}
    return {owner: parts for owner, parts in kept.items() if parts}


def _within(stack: list[Frame]) -> list[Frame]:
    """Return the frames from the allocation out to a test's phase, or to the import of a test's module; else none."""
    for index, (function, path, _) in enumerate(stack):
        if module := module_of(path):
            return stack[:index] if module in _modules or module.rpartition(".")[2] == "conftest" else []
        if function in _PHASES and path.endswith(_RUNNER):
            return stack[:index]
    return []
