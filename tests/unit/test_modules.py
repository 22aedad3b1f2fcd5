"""Every module of the package can be loaded. `make test` runs this first, so that all of them are compiled by then."""

import pkgutil
from importlib import import_module

import pytest

import pytest_memgate

# Those that a command runs, with what it has set for them.
RUN = {
    "pytest_memgate.__main__",
    "pytest_memgate.plugin.child_runs.profiler",
    "pytest_memgate.plugin.child_runs.fixture_survey",
    "pytest_memgate.history.migrations.env",
}
MODULES = [one.name for one in pkgutil.walk_packages(pytest_memgate.__path__, "pytest_memgate.") if one.name not in RUN]


@pytest.mark.parametrize("name", MODULES)
def test_module_can_be_loaded(name: str) -> None:
    assert import_module(name).__doc__
