"""What is paid outside of the calls of tests: by their files as they are imported, and by set-ups and teardowns.

All of it is first use, since it is paid once: a file's modules by the first process that collects it, a fixture's
set-up in the first test that needs it. So it is judged with the first use of the tests, by who owns the memory. Each
fixture of the project, and each set-up function, is traced the first time that it is set up, and its teardown after
that, if it is one of the test alone.
"""

import inspect
import sys
from collections import defaultdict
from collections.abc import Generator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_memgate.compare.first_use import Parts
from pytest_memgate.errors import CaptureError
from pytest_memgate.measure.python.environment import is_profiled
from pytest_memgate.measure.python.module_data import ModuleData, loaded_since
from pytest_memgate.measure.python.original_functions import real_world
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.metric import FIRST_USE
from pytest_memgate.plugin.loop.tracing import Tracing

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_memgate.measure.memory.capture import Capture  # it needs memray

_XUNIT = ("_xunit_setup_", "xunit_setup_", "_unittest_setUpClass", "unittest_setUpClass")  # pytest's names for them
_FUNCTION = "function"
_MEMRAY = "memray"
_KINDS = (ModuleType, type)  # of the values that a module may have from memray: to ask others may run their code


class Outside:
    """Measures it in one process, and keeps it until a test of that file is judged."""

    def __init__(self, root: "Path", tracing: Tracing) -> None:
        self._tracing = tracing
        self._places = Places(root)
        self._data = ModuleData()
        self._known = frozenset[str]()  # modules
        self._traced: set[object] = set()  # fixtures
        self._is_shy = False  # True if the project uses memray itself: then no fixture is traced
        self._imported: dict[Path, dict[str, Parts]] = {}  # by test file
        self._paid: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))  # in the test that runs

    def take(self, item: pytest.Item) -> Mapping[str, Parts]:
        """Return what was paid for a test since the last one, by owner and part, with what importing its file built."""
        paid: dict[str, dict[str, float]] = {owner: dict(parts) for owner, parts in self._paid.items()}
        self._paid.clear()
        for owner, parts in self._imported.pop(item.path, {}).items():
            paid[owner] = {**paid.get(owner, {}), **parts}
        return paid

    def is_first(self, item: pytest.Item) -> bool:
        """True if a test sets up a fixture that is still to be traced, which no shared tracker allows."""
        info = getattr(item, "_fixtureinfo", None)
        found = info.name2fixturedefs.values() if info else ()
        return any(self._is_wanted(one[-1]) for one in found)

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
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Trace the first set-up of a fixture and, of one of the test alone, its teardown."""
        __tracebackhide__ = True
        if not self._is_wanted(fixturedef):
            return (yield)
        teardown = _Teardown(self)
        fixturedef.addfinalizer(teardown.end)  # the first one is the last to be called
        capture = self.begin()
        try:
            return (yield)
        finally:
            if capture:
                self._traced.add(_key(fixturedef))
                if is_profiled():  # to stop the tracker would stop the fixture's profiler
                    teardown.capture = capture
                else:
                    self.end(capture)
                    if fixturedef.scope == _FUNCTION:
                        fixturedef.addfinalizer(teardown.begin)

    def begin(self) -> "Capture | None":
        """Start a tracker; None if there is one already, or none can be."""
        return self._tracing.recorder.begun() if self._tracing.recorder else None

    def end(self, capture: "Capture") -> None:
        """Stop the tracker, and add what is left."""
        capture.end()
        with real_world():
            try:
                if not capture.fault and FIRST_USE.keeps(capture.retained):
                    self._add(capture.owners(self._places))
            except CaptureError:
                pass  # nobody knows what it paid: the next process may
            finally:
                capture.close()

    def _add(self, owners: Mapping[str, Parts]) -> None:
        for owner, parts in owners.items():
            for part, size in parts.items():
                self._paid[owner][part] += size

    def _is_wanted(self, fixturedef: pytest.FixtureDef[Any]) -> bool:
        """True if a fixture is of the project, and was not traced yet."""
        if self._tracing.recorder is None or self._is_shy or _key(fixturedef) in self._traced:
            return False
        code = getattr(inspect.unwrap(fixturedef.func), "__code__", None)  # pytest-asyncio wraps what it runs
        if code is not None and _MEMRAY in code.co_names:
            return False
        is_own = code is not None and self._places.place(code.co_filename).project
        return is_own or fixturedef.argname.startswith(_XUNIT)


class _Teardown:
    """A tracker from the begin of a fixture's teardown to its end."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self.capture: Capture | None = None

    def begin(self) -> None:
        self.capture = self._outside.begin()

    def end(self) -> None:
        if self.capture:
            self._outside.end(self.capture)


def _uses_memray(module: ModuleType) -> bool:
    values = list(vars(module).values())
    return any(
        getattr(one, "__module__", "") == "memray._memray" or one is sys.modules.get(_MEMRAY)
        for one in values
        if type(one) in _KINDS
    )


def _key(fixturedef: pytest.FixtureDef[Any]) -> object:
    return fixturedef.baseid, fixturedef.argname, getattr(fixturedef.func, "__code__", None)
