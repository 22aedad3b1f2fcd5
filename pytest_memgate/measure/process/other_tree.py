"""Imports from one folder (source) are taken from the same place in another (target): the same files of another commit.

It runs as an interpreter starts, before any program, so it loads nothing that the interpreter has not loaded: what a
program imports first is counted.
"""

import os
import sys

TYPE_CHECKING = False  # typing's own word for it would load typing
if TYPE_CHECKING:
    from typing import Any

_PACKAGES = {"site-packages", "dist-packages"}


class OtherTree:
    """The way from the source to the target, both real paths."""

    def __init__(self, source: str, target: str) -> None:
        self.source = source
        self.target = target

    def redirect(self) -> None:
        """Let this process import from the target."""
        sys.path[:] = [self.moved(path) for path in sys.path]
        # What an editable install brings is a finder of its own, asked after Python's.
        own = tuple(one for one in sys.meta_path if getattr(one, "__module__", "").startswith("_frozen_importlib"))
        sys.meta_path[:] = [one if one in own else _Redirected(one, self) for one in sys.meta_path]

    def moved(self, path: str) -> str:
        """Return the place in the target of a path in the source; any other path, and an installed package's, stays."""
        real = os.path.realpath(path) if path else ""
        if not self.is_source(real) or self.is_installed(real):
            return path
        return self.target + real[len(self.source) :]

    def is_source(self, real: str) -> bool:
        """True if a real path lies in the source, and not in the target."""
        return is_in(real, self.source) and not is_in(real, self.target)

    def is_installed(self, real: str) -> bool:
        """True if a path belongs to an environment that lies in the source, as `.venv` does."""
        prefix = os.path.realpath(sys.prefix)
        in_prefix = prefix != self.source and is_in(prefix, self.source) and is_in(real, prefix)
        return in_prefix or not _PACKAGES.isdisjoint(real.split(os.sep))  # noqa: PTH206  # no pathlib


class _Redirected:
    """A finder whose modules come from the target."""

    def __init__(self, finder: "Any", tree: OtherTree) -> None:
        self._finder = finder
        self._tree = tree

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """Return the spec of a module, with its place in the target."""
        find = getattr(self._finder, "find_spec", None)  # an old finder has none
        spec = find(name, path, target) if find else None
        if spec is None or not spec.origin:
            return spec
        origin = self._tree.moved(spec.origin)
        if origin == spec.origin:
            return spec
        folders = spec.submodule_search_locations
        inner = None if folders is None else [self._tree.moved(folder) for folder in folders]
        from_file = sys.modules["_frozen_importlib_external"].spec_from_file_location
        return from_file(name, origin, submodule_search_locations=inner)


def is_in(path: str, folder: str) -> bool:
    """True if a path is a folder or lies in it."""
    return path == folder or path.startswith(folder + os.sep)
