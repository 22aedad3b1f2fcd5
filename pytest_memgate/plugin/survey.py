"""For an update: what fixtures fill once a process, and keep, is first use that a test pays for in another order.

Loaded with `-p` in a process of its own, where tests are set up and torn down and not called. What is alive at its end
outlives all fixtures. Where it is to be written stands in an environment variable.
"""

import gc
import json
import os
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import memray
import pytest
from _pytest.main import pytest_cmdline_main as run_session

from pytest_memgate.measure.capture import Capture, new_tracker
from pytest_memgate.measure.first_use import FirstUse, owner_of
from pytest_memgate.measure.importing import module_of, named_imports
from pytest_memgate.measure.places import Places
from pytest_memgate.measure.sites import Frame
from pytest_memgate.plugin import selftest
from pytest_memgate.plugin.selftest import without_the_gate

_INTO = Path(os.environ.pop("MEMGATE_SURVEY"))
_LEAST = 1000  # bytes of a call site that are worth a line
_PHASES, _RUNNER = {"pytest_runtest_setup", "pytest_runtest_call"}, str(Path("_pytest", "runner.py"))
_modules: set[str] = set()  # of tests, and conftest files


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | pytest.ExitCode:
    """Run in this very frame: memray knows the callers only of what runs below its own start."""
    without_the_gate(config)
    capture = Capture()
    with named_imports(), new_tracker(capture):
        code = run_session(config)
        gc.collect()
    _INTO.write_text(json.dumps(_left(capture, Places(config.rootpath))), encoding="utf-8")
    capture.close()
    return code


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    selftest.pytest_configure(config)  # no reports of tests that are not called


def pytest_itemcollected(item: pytest.Item) -> None:
    _modules.update(getattr(node.obj, "__name__", "") for node in item.listchain() if isinstance(node, pytest.Module))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call() -> bool:
    return True


def _left(capture: Capture, places: Places) -> FirstUse:
    """Return what is still there, by owner and call site; what an imported module holds is known otherwise."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    with closing(memray.FileReader(capture.path)) as reader:
        for record in reader.get_leaked_allocation_records(merge_threads=True):
            owner, part = owner_of(_within(record.stack_trace()), places)
            if owner and not part.endswith(":<module>"):
                found[owner][part] += record.size
    kept = {owner: {part: size for part, size in parts.items() if size >= _LEAST} for owner, parts in found.items()}
    return {owner: parts for owner, parts in kept.items() if parts}


def _within(stack: list[Frame]) -> list[Frame]:
    """Return the frames from the allocation out to a test's phase, or to a test's module that is imported, if any."""
    for index, (function, path, _) in enumerate(stack):
        if module := module_of(path):
            return stack[:index] if module in _modules or module.rpartition(".")[2] == "conftest" else []
        if function in _PHASES and path.endswith(_RUNNER):
            return stack[:index]
    return []
