"""Source paths that are the same on every machine."""

import os
import site
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

_HARNESS = ("_pytest/", "pluggy/", "pytest_memgate/", "<memgate ")


@dataclass(frozen=True, slots=True)
class Place:
    """A path below a known folder, with `/`, and whether that folder is the project's own."""

    path: str
    project: bool


class Places:
    """Tells source files of the project's root from those of the installation's folders."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self._known: dict[str, Place] = {}
        paths = sysconfig.get_paths()
        libraries = [paths["stdlib"], paths["platstdlib"]]
        folders = [paths["purelib"], paths["platlib"], site.getusersitepackages(), *libraries]
        folders += [str(Path(library, name)) for library in libraries for name in ("site-packages", "dist-packages")]
        self._installed = _longest_first(folders)

    def place(self, path: str) -> Place:
        """Return the stable form of a source file's path.

        It is `shop/orders.py` for a file of the project, `networkx/classes/graph.py` for an installed one,
        `json/decoder.py` for the standard library. A file from elsewhere has its path below a folder of sys.path or
        else its last two parts.
        """
        if path not in self._known:
            self._known[path] = self._find(path)
        return self._known[path]

    def is_harness(self, path: str) -> bool:
        """True if a frame belongs to the code that runs the test, not to the test."""
        where = self.place(path).path
        return where.startswith(_HARNESS) or where == "unittest/case.py"

    def is_installed(self, path: str) -> bool:
        """True if a file belongs to an installed package or to the standard library."""
        return any(os.path.realpath(path).startswith(folder + os.sep) for folder in self._installed)

    def _find(self, path: str) -> Place:
        if path.startswith("<"):
            return Place(path, project=False)
        real = os.path.realpath(path)
        searched = _longest_first(sys.path)
        for folders, project in ((self._installed, False), ([str(self.root)], True), (searched, False)):
            for folder in folders:
                if real.startswith(folder + os.sep):
                    return Place(os.path.relpath(real, folder).replace(os.sep, "/"), project=project)
        return Place("/".join(Path(real).parts[-2:]), project=False)


def _longest_first(folders: list[str]) -> list[str]:
    return sorted({os.path.realpath(folder) for folder in folders}, key=len, reverse=True)
