"""What is paid outside of the calls of tests: by their files as they are imported, and by set-ups and teardowns.

All of it is first use, since it is paid once: a file's modules by the first process that collects it, a fixture's
set-up in the first test that needs it, its teardown after the last one. So it is judged with the first use of the
tests, by who owns the memory.

Each fixture of the project, and each set-up function, is looked at when it is set up for the first time. One that is
wider than a test is traced. One of the test alone is only weighed, and so is its teardown: where that may be of
interest, the test runs once more, and both are traced.
"""

import inspect
import sys
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_memgate.compare.first_use import Parts
from pytest_memgate.errors import CaptureError
from pytest_memgate.measure.python.environment import is_profiled
from pytest_memgate.measure.python.module_data import ModuleData, loaded_since
from pytest_memgate.measure.python.original_functions import real_world
from pytest_memgate.measure.resources.other_allocators import resident
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.metric import FIRST_USE
from pytest_memgate.plugin.loop.tracing import Tracing

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_memgate.measure.memory.capture import Capture  # it needs memray

_XUNIT = ("_xunit_setup_", "xunit_setup_", "_unittest_setUpClass", "unittest_setUpClass")  # pytest's names for them
_FUNCTION = "function"
_MEMRAY = "memray"
_BLOCK = 64  # bytes of one of Python's blocks, about; chosen
_KINDS = (ModuleType, type)  # of the values that a module may have from memray: to ask others may run their code


class Outside:
    """Measures it in one process, and keeps it until a test of that file is judged."""

    def __init__(self, root: "Path", tracing: Tracing) -> None:
        self._tracing = tracing
        self._places = Places(root)
        self._data = ModuleData()
        self._known = frozenset[str]()  # modules
        self._seen: set[object] = set()  # fixtures that were set up
        self._large: dict[pytest.Item, set[object]] = {}  # fixtures of a test that are to be traced in another run
        self._is_shy = False  # True if the project uses memray itself: then no fixture is traced
        self._imported: dict[Path, dict[str, Parts]] = {}  # by test file
        self._paid = _nothing()  # in the test that runs
        self._late: dict[pytest.Item, dict[str, dict[str, float]]] = {}  # by teardowns of wider fixtures

    def take(self, item: pytest.Item) -> Mapping[str, Parts]:
        """Return what was paid for a test since the last one, by owner and part, with what importing its file built."""
        paid: dict[str, dict[str, float]] = {owner: dict(parts) for owner, parts in self._paid.items()}
        self._paid.clear()
        for owner, parts in self._imported.pop(item.path, {}).items():
            paid[owner] = {**paid.get(owner, {}), **parts}
        return paid

    def take_late(self) -> Mapping[pytest.Item, Mapping[str, Parts]]:
        """Return what teardowns of wider fixtures left since the last time, by the test that had set the fixture up."""
        late, self._late = self._late, {}
        return late

    def wants_another_run(self, item: pytest.Item) -> bool:
        """True if a fixture of a test is to be traced."""
        return item in self._large

    def forget(self, item: pytest.Item) -> None:
        """Trace no more for a test."""
        self._large.pop(item, None)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, object, object]:
        """Look at what the import of a test file has built."""
        report = yield
        if isinstance(collector, pytest.File) and self._tracing.recorder:
            modules = loaded_since(self._known)
            self._known |= {module.__name__ for module in modules} | sys.modules.keys()
            imported: dict[str, Parts] = {}
            for module in modules:
                file = getattr(module, "__file__", None)
                place = self._places.place(file) if isinstance(file, str) else None
                if not (place and place.project):
                    continue
                self._is_shy = self._is_shy or _uses_memray(module)
                if FIRST_USE.keeps(size := self._data.size(module)):
                    imported[place.path] = {module.__name__: float(size)}
            if imported:
                self._imported[collector.path] = imported
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Look at the first set-up of a fixture, and at its teardown if it is one of the test alone."""
        __tracebackhide__ = True
        key, is_own = _key(fixturedef), fixturedef.scope == _FUNCTION
        is_large = is_own and key in self._large.get(request.node, ())
        if not (is_large or self._is_wanted(fixturedef, key)):
            return (yield)
        if is_own and not is_large:
            return (yield from self._weighed(fixturedef, key, request.node))
        teardown = _Teardown(self, None if is_own else request._pyfuncitem)
        fixturedef.addfinalizer(teardown.end)  # the first one is the last to be called
        capture, before = self.begin(), _held()
        try:
            result = yield
            self._seen.add(key)  # one that fails is looked at again
            return result
        finally:
            if capture and is_profiled():  # to stop the tracker would stop the fixture's profiler
                teardown.capture = capture
            elif capture:
                self.end(capture, _held() - before)
                fixturedef.addfinalizer(teardown.begin)

    def _weighed(
        self, fixturedef: pytest.FixtureDef[Any], key: object, item: pytest.Item
    ) -> Generator[None, object, object]:
        """Look at how much more is held after a set-up, and after its teardown: a large one is traced the next time."""
        __tracebackhide__ = True
        weight = _Weight(lambda: self._large.setdefault(item, set()).add(key))
        fixturedef.addfinalizer(weight.end)
        weight.begin()
        try:
            result = yield
            self._seen.add(key)  # one that fails is looked at again
            return result
        finally:
            weight.end()
            fixturedef.addfinalizer(weight.begin)

    def begin(self) -> "Capture | None":
        """Start a tracker; None if there is one already, or none can be."""
        return self._tracing.recorder.begun() if self._tracing.recorder else None

    def end(self, capture: "Capture", weight: float, late: pytest.Item | None = None) -> None:
        """Stop the tracker, and add what is left, if by the `weight`, in bytes, that may be of interest.

        A test that is `late` has ended: what is left is kept for it.
        """
        capture.end()
        with real_world():
            try:
                if FIRST_USE.keeps(weight) and not capture.fault and FIRST_USE.keeps(capture.retained):
                    paid = self._paid if late is None else self._late.setdefault(late, _nothing())
                    _add(paid, capture.owners(self._places))
            except CaptureError:
                pass  # nobody knows what it paid: the next process may
            finally:
                capture.close()

    def _is_wanted(self, fixturedef: pytest.FixtureDef[Any], key: object) -> bool:
        """True if a fixture is of the project, and was not set up yet."""
        if self._tracing.recorder is None or self._is_shy or key in self._seen:
            return False
        code = getattr(inspect.unwrap(fixturedef.func), "__code__", None)  # pytest-asyncio wraps what it runs
        if code is not None and _MEMRAY in code.co_names:
            return False
        is_own = code is not None and self._places.place(code.co_filename).project
        return is_own or fixturedef.argname.startswith(_XUNIT)


def _nothing() -> dict[str, dict[str, float]]:
    return defaultdict(lambda: defaultdict(float))


def _add(paid: dict[str, dict[str, float]], owners: Mapping[str, Parts]) -> None:
    for owner, parts in owners.items():
        for part, size in parts.items():
            paid[owner][part] += size


class _Teardown:
    """A tracker from the begin of a fixture's teardown to its end."""

    def __init__(self, outside: Outside, late: pytest.Item | None) -> None:
        self._outside = outside
        self._late = late
        self._before = 0.0
        self.capture: Capture | None = None

    def begin(self) -> None:
        self.capture, self._before = self._outside.begin(), _held()

    def end(self) -> None:
        if self.capture:
            self._outside.end(self.capture, _held() - self._before, self._late)


class _Weight:
    """How much more is held at an end than at its begin; `tell` is called where that is of interest."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._before = 0.0

    def begin(self) -> None:
        self._before = _held()

    def end(self) -> None:
        if FIRST_USE.keeps(_held() - self._before):
            self._tell()


def _held() -> float:
    """Return about how many bytes this process holds, in some microseconds: large ones are resident, small ones blocks.

    What the C library has given out would be exact, but takes milliseconds in a process with many free blocks.
    """
    return sys.getallocatedblocks() * _BLOCK + (resident() or 0)


def _uses_memray(module: ModuleType) -> bool:
    values = list(vars(module).values())
    return any(
        getattr(one, "__module__", "") == "memray._memray" or one is sys.modules.get(_MEMRAY)
        for one in values
        if type(one) in _KINDS
    )


def _key(fixturedef: pytest.FixtureDef[Any]) -> object:
    return fixturedef.baseid, fixturedef.argname, getattr(fixturedef.func, "__code__", None)
