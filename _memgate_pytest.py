"""What pytest loads at each start, outside the package, whose modules pytest would compile anew each time.

Pytest marks all modules of a plugin's distribution for the rewriting of their assertions. Where no bytecode is written,
as in containers (PYTHONDONTWRITEBYTECODE), each start then compiles them, a hundred of them under the gate.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


class AsInstalled:
    """Finds the modules of the package, ahead of pytest, as they were compiled when they were installed."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, _target: ModuleType | None = None, /) -> ModuleSpec | None:
        return PathFinder.find_spec(name, path) if name.partition(".")[0] == "pytest_memgate" else None


sys.meta_path.insert(0, AsInstalled)
try:
    from pytest_memgate.plugin.entry import memgate, pytest_addoption, pytest_cmdline_main, pytest_configure
finally:
    sys.meta_path.remove(AsInstalled)

__all__ = ["AsInstalled", "memgate", "pytest_addoption", "pytest_cmdline_main", "pytest_configure"]
