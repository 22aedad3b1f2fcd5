"""Run the code of another checkout: imports from one folder are taken from the same place in another.

A package that is installed from the work tree (`pip install --editable`), PYTHONPATH and the like point to that work
tree by absolute paths. Without this, another checkout's tests would run the work tree's code.
"""

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_memgate.measure.stacks.source_paths import Places

_PACKAGES = {"site-packages", "dist-packages"}
_PYTHONS_OWN = (BuiltinImporter, FrozenImporter, PathFinder)


class Elsewhere:
    """The way from one folder (source) to another (target) with the same files in the state of another commit."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source = os.path.realpath(source)
        self._target = os.path.realpath(target)
        self._places = Places(target)

    def redirect(self) -> None:
        """Let this process import from the target; to be called at the very start of a process."""
        sys.path[:] = [self.moved(path) for path in sys.path]
        # What an editable install brings is a finder of its own, asked after Python's.
        sys.meta_path[:] = [one if one in _PYTHONS_OWN else _Redirected(one, self) for one in sys.meta_path]

    def moved(self, path: str) -> str:
        """Return the place in the target of a path in the source; any other path, and an installed package's, stays."""
        real = os.path.realpath(path) if path else ""
        if not self._is_source(real) or self._is_installed(real):
            return path
        return self._target + real[len(self._source) :]

    def foreign(self, places: Places) -> tuple[str, ...]:
        """Return the files that this process has imported from the source, or from an installed copy of the target."""
        found = []
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if not isinstance(module, ModuleType) or not isinstance(file, str):
                continue
            real = os.path.realpath(file)
            if (self._is_source(real) and not self._is_installed(real)) or (
                "." not in module.__name__ and self._is_copy(real, places)
            ):
                found.append(real)
        return tuple(sorted(found))

    def _is_copy(self, file: str, places: Places) -> bool:
        """True if an installed file exists in the target, too: it was installed from such a checkout."""
        path = places.place(file).path
        bases = (places.root, places.root / "src", Path(self._target), Path(self._target, "src"))
        return not _PACKAGES.isdisjoint(Path(file).parts) and any((base / path).is_file() for base in bases)

    def _is_source(self, real: str) -> bool:
        return _is_in(real, self._source) and not _is_in(real, self._target)

    def _is_installed(self, real: str) -> bool:
        """True if a path belongs to an environment that lies in the source, as `.venv` does."""
        prefix = os.path.realpath(sys.prefix)
        in_prefix = prefix != self._source and _is_in(prefix, self._source) and _is_in(real, prefix)
        return in_prefix or self._places.is_installed(f"{real}{os.sep}any")


class _Redirected:
    """A finder whose modules come from the target."""

    def __init__(self, finder: Any, elsewhere: Elsewhere) -> None:
        self._finder = finder
        self._elsewhere = elsewhere

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module, with its place in the target."""
        spec: ModuleSpec | None = self._finder.find_spec(name, path, target)
        if spec is None or not spec.origin:
            return spec
        origin = self._elsewhere.moved(spec.origin)
        if origin == spec.origin:
            return spec
        folders = spec.submodule_search_locations
        inner = None if folders is None else [self._elsewhere.moved(folder) for folder in folders]
        return importlib.util.spec_from_file_location(name, origin, submodule_search_locations=inner)


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)
